/**
 * Tokens, their registrations, and the state that a source and its tokens share.
 *
 * Registrations are a doubly linked list, newest first; each is taken off just before it runs, so that a callback can
 * still unregister those that come after it (A11.3).
 */

import { AsyncScope } from "@skein/context";
import { argumentTypeError, matchAcrossCopies, requireFunction } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { ambientContext, capturedContext, swapContext } from "../contexts/synchronization-context.ts";
import type { SynchronizationContext } from "../contexts/synchronization-context.ts";
import { canceledBy } from "../errors.ts";
import { AbortController, Promise } from "../intrinsics.ts";
import { isOfKind, setKind } from "../this-copy.ts";
import { abortOnce, isAbortSignal } from "./abort-signal.ts";
import { checkOptions, ownOption } from "../own-option.ts";

const registerOptions: OptionNames<RegisterOptions> = { useSynchronizationContext: true };

/**
 * What is registered with a token: remove it, or let it run once.
 *
 * Its fields are assigned in the constructor alone: V8 calls the initialisers of a base class out of optimised code, which was a third of a
 * registration.
 */
export abstract class CancellationTokenRegistration {
  static {
    matchAcrossCopies(this, "CancellationTokenRegistration");
  }

  /** @internal Older. Undefined: it is in no list. */
  declare next: CancellationTokenRegistration | null | undefined;
  /** @internal Newer. */
  declare previous: CancellationTokenRegistration | null;
  /** The token it was made with; stays when the source is disposed of. */
  declare readonly token: CancellationToken;

  constructor(token: CancellationToken) {
    this.next = undefined;
    this.previous = null;
    this.token = token;
  }

  /** @internal The token was cancelled. */
  abstract onCanceled(): void;

  /**
   * Takes the callback off. True when it will never run; false when it has run, is running, or was removed before. Never
   * waits.
   *
   * One object per registration, never reused: an old one cannot remove somebody else's callback.
   */
  unregister(): boolean {
    return takeOff(this);
  }

  [Symbol.dispose](): void {
    takeOff(this);
  }

  /** The same: callbacks are synchronous, so there is nothing to wait for once this runs. */
  [Symbol.asyncDispose](): Promise<void> {
    takeOff(this);
    return Promise.resolve();
  }
}

/** The state behind a source, its token, and what is registered with them. */
export class CancellationState {
  readonly token: CancellationToken;
  isRequested = false;
  isDisposed = false;
  reason: unknown = undefined;
  #newest: CancellationTokenRegistration | null = null;
  #controller: AbortController | undefined;

  constructor() {
    this.token = new CancellationToken(this);
  }

  get hasRegistrations(): boolean {
    return this.#newest !== null;
  }

  /** Where a signal of somebody else's is behind it: asked before every answer. */
  refresh(): void {}

  /** Whether a signal was handed out, which cannot be taken back. */
  get hasSignal(): boolean {
    return this.#controller !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.isRequested) this.abort();
      else if (!this.isDisposed) this.add(new SignalAbort(this.token, this));
    }
    return this.#controller.signal;
  }

  /** Fires the signal that was handed out. */
  abort(): void {
    this.#controller?.abort(this.reason === undefined ? canceledBy(this.token) : this.reason);
  }

  /** Not called when cancellation was requested, or the source disposed of. */
  add(registration: CancellationTokenRegistration): void {
    const newest = this.#newest;
    registration.next = newest;
    if (newest !== null) newest.previous = registration;
    this.#newest = registration;
  }

  remove(registration: CancellationTokenRegistration): void {
    const { previous, next = null } = registration;
    if (previous === null) this.#newest = next;
    else previous.next = next;
    if (next !== null) next.previous = previous;
    registration.next = undefined;
    registration.previous = null;
  }

  /** Every registration is as if it had never been made. */
  removeAll(): void {
    while (this.#newest !== null) this.remove(this.#newest);
  }

  /** Flips the state; false when it was flipped before (A11.2). */
  request(reason: unknown): boolean {
    if (this.isRequested) return false;
    this.isRequested = true;
    this.reason = reason;
    return true;
  }

  /** Runs what is registered, newest first, and gives the errors in the order in which they came (A11.4). */
  runCallbacks(): unknown[] {
    const errors: unknown[] = [];
    for (let newest = this.#newest; newest !== null; newest = this.#newest) {
      this.remove(newest);
      try {
        newest.onCanceled();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  /** The first error ends it; what has not run then never will (0.8). */
  runUntilError(): void {
    for (let newest = this.#newest; newest !== null; newest = this.#newest) {
      this.remove(newest);
      try {
        newest.onCanceled();
      } catch (error) {
        this.removeAll();
        // It is no callback, but the same as the token: whoever has it must not wait for ever.
        this.abort();
        throw error;
      }
    }
  }
}

export interface RegisterOptions {
  /** Sends the callback to the SynchronizationContext that is current now; there it is current for the callback. @default false */
  useSynchronizationContext?: boolean | undefined;
}

let isOwn: (token: CancellationToken) => boolean;
let takeOff: (registration: CancellationTokenRegistration) => boolean;

/** The token itself, or for one of another copy of this package one of ours that is cancelled with it. */
export function ownToken(token: CancellationToken): CancellationToken {
  if (isOwn(token)) return token;
  return token.canBeCanceled ? CancellationToken.from(token.signal) : none;
}

/**
 * Tells an operation that it is no longer wanted. Cheap to ask, cheap to register with; one per source, so that tokens are
 * compared by identity. Everything that takes a token takes an AbortSignal as well.
 *
 * @see https://learn.microsoft.com/dotnet/api/system.threading.cancellationtoken
 */
export class CancellationToken {
  static {
    setKind(this, "CancellationToken");
  }

  /** Whether `value` is a CancellationToken, also one of another copy of this package. */
  static isToken(value: unknown): value is CancellationToken {
    return isOfKind(value, "CancellationToken");
  }

  /** Never cancelled; registering with it does nothing. */
  static get none(): CancellationToken {
    return none;
  }

  /** Cancelled from the beginning. */
  static get canceled(): CancellationToken {
    return canceled;
  }

  readonly #state: CancellationState | null;

  static {
    isOwn = (token) => #state in token;
    takeOff = (registration) => {
      if (registration.next === undefined) return false;
      registration.token.#state!.remove(registration);
      return true;
    };
  }

  /** @internal Tokens come from sources, `none`, `canceled` and `from`. */
  constructor(state: CancellationState | null) {
    this.#state = state;
  }

  /**
   * The token that is cancelled when `signal` is aborted; always the same for one signal. It listens only while something is
   * registered with it.
   *
   * @throws TypeError when `signal` is not an AbortSignal.
   */
  static from(signal: AbortSignal): CancellationToken {
    if (!isAbortSignal(signal)) throw argumentTypeError("signal", "an AbortSignal", signal);
    let token = tokens.get(signal);
    if (token === undefined) {
      token = new SignalState(signal).token;
      tokens.set(signal, token);
    }
    return token;
  }

  get isCancellationRequested(): boolean {
    const state = this.#state;
    if (state === null) return false;
    state.refresh();
    return state.isRequested;
  }

  get canBeCanceled(): boolean {
    return this.#state !== null;
  }

  /**
   * The same as an AbortSignal, for everything that takes one: `CancellationTokenSource.signal`, or the signal that the token
   * came from. That of a token that cannot be cancelled never fires.
   */
  get signal(): AbortSignal {
    return this.#state === null ? never : this.#state.signal;
  }

  /** What the source, or the signal, was given as the reason. */
  get reason(): unknown {
    this.#state?.refresh();
    return this.#state?.reason;
  }

  /** @throws OperationCanceledError that carries this token, when cancellation was requested. */
  throwIfCancellationRequested(): void {
    if (this.isCancellationRequested) throw canceledBy(this);
  }

  /**
   * Has `fn` called with `state` when the token is cancelled: synchronously inside `cancel`, the newest first, in the
   * ExecutionContext of this call.
   *
   * When it has been cancelled already, `fn` runs inside this call, in the current context; what it throws comes out here,
   * and the registration is an empty one.
   *
   * @throws TypeError when `fn` is not a function.
   */
  register<S = undefined>(
    fn: (state: S) => void,
    state?: S,
    options?: RegisterOptions,
  ): CancellationTokenRegistration {
    requireFunction("fn", fn);
    const context = options === undefined ? null : contextOf(options);
    if (this.#state === null) return emptyRegistration;
    // First this: an async hook that hears of it may cancel the token.
    const registration =
      context === null
        ? new FlowingRegistration(this, fn as Callback, state)
        : new SentRegistration(this, fn as Callback, state, context);
    const open = this.#openFor(fn, state);
    if (open === null) return emptyRegistration;
    open.add(registration);
    return registration;
  }

  /** Like `register`, but `fn` sees the context of whoever cancels. Costs less. */
  unsafeRegister<S = undefined>(fn: (state: S) => void, state?: S): CancellationTokenRegistration {
    requireFunction("fn", fn);
    const open = this.#openFor(fn, state);
    if (open === null) return emptyRegistration;
    const registration = new PlainRegistration(this, fn as Callback, state);
    open.add(registration);
    return registration;
  }

  /** @internal Attaches to a token that has not been cancelled; without effect where none can be. */
  attach(registration: CancellationTokenRegistration): CancellationTokenRegistration {
    const state = this.#state;
    if (state !== null && !state.isDisposed) state.add(registration);
    return registration;
  }

  /** Where `fn` is to wait. Null: nowhere, for the token never will be cancelled, or has been, and then this calls `fn`. */
  #openFor<S>(fn: (state: S) => void, callbackState: S | undefined): CancellationState | null {
    const state = this.#state;
    if (state === null) return null;
    state.refresh();
    if (state.isRequested) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- S is undefined where no state is given.
      fn(callbackState as S);
      return null;
    }
    return state.isDisposed ? null : state;
  }
}

/** @throws TypeError for an option that is none, or not a boolean. */
function contextOf(options: RegisterOptions): SynchronizationContext | null {
  checkOptions(options, registerOptions);
  const useContext = ownOption(options, "useSynchronizationContext") ?? false;
  if (typeof useContext !== "boolean")
    throw argumentTypeError("options.useSynchronizationContext", "a boolean", useContext);
  return useContext ? capturedContext() : null;
}

type Callback = (state: unknown) => void;

class PlainRegistration extends CancellationTokenRegistration {
  readonly #callback: Callback;
  readonly #callbackState: unknown;

  constructor(token: CancellationToken, callback: Callback, callbackState: unknown) {
    super(token);
    this.#callback = callback;
    this.#callbackState = callbackState;
  }

  onCanceled(): void {
    (0, this.#callback)(this.#callbackState);
  }
}

/**
 * It is itself the captured context, which spares a fourth of its bytes; so it is none of the class above by inheritance, but for
 * `instanceof`.
 */
class FlowingRegistration extends AsyncScope implements CancellationTokenRegistration {
  static {
    matchAcrossCopies(this, "CancellationTokenRegistration");
  }

  next: CancellationTokenRegistration | null | undefined = undefined;
  previous: CancellationTokenRegistration | null = null;
  readonly token: CancellationToken;
  readonly #callback: Callback;
  readonly #callbackState: unknown;

  constructor(token: CancellationToken, callback: Callback, callbackState: unknown) {
    super();
    this.token = token;
    this.#callback = callback;
    this.#callbackState = callbackState;
  }

  /** Nobody's, and always there: see Reaction.kept. */
  static readonly kept: FlowingRegistration = AsyncScope.root.run(
    () => new FlowingRegistration(null as never, () => {}, null),
  );

  /** What the callback makes current ends with it, as in `ExecutionContext.run` (A2.2, A11.6). */
  onCanceled(): void {
    const { current } = ambientContext;
    try {
      this.runOnce(this.#callback, this.#callbackState);
    } finally {
      swapContext(current);
    }
  }

  unregister(): boolean {
    return takeOff(this);
  }

  [Symbol.dispose](): void {
    takeOff(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    takeOff(this);
    return Promise.resolve();
  }
}

/** The same, by way of a SynchronizationContext. */
class SentRegistration extends FlowingRegistration {
  readonly #context: SynchronizationContext;

  constructor(
    token: CancellationToken,
    callback: Callback,
    callbackState: unknown,
    context: SynchronizationContext,
  ) {
    super(token, callback, callbackState);
    this.#context = context;
  }

  override onCanceled(): void {
    this.#context.send(SentRegistration.#run, this);
  }

  /** There it is, so that is the current context, as for what is posted. */
  #runHere(): void {
    const outside = swapContext(this.#context);
    try {
      super.onCanceled();
    } finally {
      swapContext(outside);
    }
  }

  static #run(this: void, registration: SentRegistration): void {
    registration.#runHere();
  }
}

class EmptyRegistration extends CancellationTokenRegistration {
  onCanceled(): void {}
}

class SignalAbort extends CancellationTokenRegistration {
  readonly #owner: CancellationState;

  constructor(token: CancellationToken, owner: CancellationState) {
    super(token);
    this.#owner = owner;
  }

  onCanceled(): void {
    this.#owner.abort();
  }
}

/** Cancelled by an AbortSignal, to which it listens only while it has registrations. */
class SignalState extends CancellationState {
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    super();
    this.#signal = signal;
  }

  override get signal(): AbortSignal {
    return this.#signal;
  }

  override refresh(): void {
    // oxlint-disable-next-line typescript/no-unsafe-argument -- a reason is anything.
    if (!this.isRequested && this.#signal.aborted) this.request(this.#signal.reason);
  }

  override add(registration: CancellationTokenRegistration): void {
    if (!this.hasRegistrations) this.#signal.addEventListener("abort", this, abortOnce);
    super.add(registration);
  }

  override remove(registration: CancellationTokenRegistration): void {
    super.remove(registration);
    if (!this.hasRegistrations) this.#signal.removeEventListener("abort", this);
  }

  handleEvent(): void {
    this.refresh();
    const errors = this.runCallbacks();
    if (errors.length > 0) throw aggregate(errors);
  }
}

/** What `cancel` throws when callbacks failed. */
export function aggregate(errors: readonly unknown[]): AggregateError {
  return new AggregateError(errors, "Callbacks of a cancellation failed");
}

const tokens = new WeakMap<AbortSignal, CancellationToken>();
const never: AbortSignal = new AbortController().signal;
const none = new CancellationToken(null);
const canceledState = new CancellationState();
canceledState.request(undefined);
const canceled: CancellationToken = canceledState.token;

/** What never runs; the same object every time. */
export const emptyRegistration: CancellationTokenRegistration = new EmptyRegistration(none);

/** Has `registration` run when `token` is cancelled, which it has not been; the token may be of another copy of this package. */
export function attachTo(
  token: CancellationToken,
  registration: CancellationTokenRegistration,
): { unregister(): void } {
  return isOwn(token)
    ? token.attach(registration)
    : token.unsafeRegister((own: CancellationTokenRegistration) => own.onCanceled(), registration);
}
