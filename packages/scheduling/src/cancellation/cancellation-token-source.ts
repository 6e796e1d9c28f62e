import { AsyncScope } from "@skein/context";
import { argumentTypeError } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { enqueueAsynchronous } from "../asynchronous-queue.ts";
import { ObjectDisposedError } from "../errors.ts";
import { checkOptions, ownOption } from "../own-option.ts";
import { tryFaultAll, trySucceed } from "../task-state.ts";
import { Task, createTask } from "../task.ts";
import { requireDuration } from "../durations.ts";
import { startTimer, stopTimer, unrefTimer } from "../timers.ts";
import { isAbortSignal } from "./abort-signal.ts";
import type { Timer } from "../timers.ts";
import {
  CancellationState,
  CancellationToken,
  CancellationTokenRegistration,
  aggregate,
  ownToken,
} from "./cancellation-token.ts";

export interface CancelOptions {
  /**
   * The first error of a callback is thrown as it is, and the callbacks behind it never run; `signal` is aborted all the same.
   * @default false
   */
  throwOnFirstError?: boolean | undefined;
}

let cancelLinked: (source: CancellationTokenSource, reason: unknown) => void;

const cancelOptions: OptionNames<CancelOptions> = { throwOnFirstError: true };

/**
 * Cancels what was given its token or its signal.
 *
 * `[Symbol.dispose]()` (or `using`) stops the timer, unhooks a linked source from its parents and drops what is registered, unless
 * cancellation was requested before. A source that is neither linked nor timed needs no disposal.
 *
 * @example
 * const source = new CancellationTokenSource(5_000);
 * try {
 *   const row = await query(sql, { signal: source.signal });
 * } finally {
 *   source[Symbol.dispose](); // or, from Node.js 24: using source = …
 * }
 * @see https://learn.microsoft.com/dotnet/api/system.threading.cancellationtokensource
 */
export class CancellationTokenSource {
  readonly #state = new CancellationState();
  #timer: Timer | undefined;
  #parents: CancellationTokenRegistration[] | undefined;

  /**
   * @param delayMs cancels after this time, like `cancelAfter`; 0 at once.
   * @throws TypeError, RangeError when `delayMs` is not a duration.
   */
  constructor(delayMs?: number) {
    if (delayMs === undefined) return;
    if (requireDuration("delayMs", delayMs) === 0) this.#state.request(undefined);
    else this.cancelAfter(delayMs);
  }

  /**
   * A source that is cancelled with the first of several tokens or signals, or by itself. Tokens that cannot be cancelled
   * are skipped. Once it is cancelled or disposed of, nothing of it is left on any of them.
   *
   * @throws TypeError when called without one, or with something else.
   */
  static linked(...parents: (CancellationToken | AbortSignal)[]): CancellationTokenSource {
    if (parents.length === 0) throw argumentTypeError("parents", "at least one token or signal", undefined);
    const tokens = parents.map((parent, index) => {
      if (isAbortSignal(parent)) return CancellationToken.from(parent);
      if (CancellationToken.isToken(parent)) return ownToken(parent);
      throw argumentTypeError(`parents[${index}]`, "a CancellationToken or an AbortSignal", parent);
    });
    const source = new CancellationTokenSource();
    const requested = tokens.find((token) => token.isCancellationRequested);
    if (requested !== undefined) source.#state.request(requested.reason);
    else source.#link(tokens.filter((token) => token.canBeCanceled));
    return source;
  }

  /** @throws ObjectDisposedError after disposal. */
  get token(): CancellationToken {
    this.#requireOpen();
    return this.#state.token;
  }

  /**
   * The same as an AbortSignal, for everything that takes one; made when it is first asked for. Its reason is that of
   * `cancel`, or an OperationCanceledError where none was given.
   *
   * @throws ObjectDisposedError after disposal.
   */
  get signal(): AbortSignal {
    this.#requireOpen();
    return this.#state.signal;
  }

  get isCancellationRequested(): boolean {
    return this.#state.isRequested;
  }

  /**
   * Runs the callbacks now, the newest first, each in its own context. `isCancellationRequested` is true before the first.
   * Only the first call does anything; one from inside a callback returns at once.
   *
   * @throws AggregateError with what callbacks threw, in that order, when all have run.
   * @throws ObjectDisposedError after disposal.
   */
  cancel(reason?: unknown, options?: CancelOptions): void {
    checkOptions(options, cancelOptions);
    const throwOnFirst = ownOption(options, "throwOnFirstError") ?? false;
    if (typeof throwOnFirst !== "boolean")
      throw argumentTypeError("options.throwOnFirstError", "a boolean", throwOnFirst);
    this.#requireOpen();
    this.#cancel(reason, throwOnFirst);
  }

  /**
   * Like `cancel`, with the callbacks in a microtask; the state changes at once. The task completes behind them, and faults
   * with all that they threw.
   */
  cancelAsync(reason?: unknown): Task<void> {
    if (this.#state.isDisposed) return Task.fromError(disposed());
    if (!this.#request(reason) || !this.#state.hasRegistrations) return Task.fromResult(undefined);
    const task = createTask<void>("asynchronous");
    // Those without a context of their own see that of whoever cancels, as in `cancel`.
    const scope = AsyncScope.capture();
    enqueueAsynchronous({
      invoke: () => {
        const errors = scope.runOnce(() => this.#state.runCallbacks());
        if (errors.length === 0) trySucceed(task, undefined);
        else tryFaultAll(task, errors);
      },
      fail: (error) => void tryFaultAll(task, [error]),
    });
    return task;
  }

  /**
   * Cancels when `ms` milliseconds have passed from now; -1 or Infinity never. Replaces an earlier time. The timer does not
   * keep the process alive. What callbacks throw then is an uncaught exception.
   *
   * @throws TypeError, RangeError when `ms` is not a duration.
   * @throws ObjectDisposedError after disposal.
   */
  cancelAfter(ms: number): void {
    const duration = requireDuration("ms", ms);
    this.#requireOpen();
    if (this.#state.isRequested) return;
    stopTimer(this.#timer);
    this.#timer = undefined;
    if (duration === Infinity) return;
    this.#timer = startTimer(CancellationTokenSource.#onTime, duration, this);
    unrefTimer(this.#timer);
  }

  /**
   * Makes the source as new, if it was not cancelled: its timer stops and all registrations are dropped. False when it was
   * cancelled, is linked, or has handed out its `signal`, which cannot be taken back.
   *
   * @throws ObjectDisposedError after disposal.
   */
  tryReset(): boolean {
    this.#requireOpen();
    if (this.#state.isRequested || this.#parents !== undefined || this.#state.hasSignal) return false;
    stopTimer(this.#timer);
    this.#timer = undefined;
    this.#state.removeAll();
    return true;
  }

  [Symbol.dispose](): void {
    if (this.#state.isDisposed) return;
    this.#state.isDisposed = true;
    // What `cancel` or `cancelAsync` has still to run, runs: it was promised to those who wait.
    if (!this.#state.isRequested) this.#state.removeAll();
    this.#release();
  }

  #cancel(reason: unknown, throwOnFirst: boolean): void {
    if (!this.#request(reason)) return;
    if (throwOnFirst) {
      this.#state.runUntilError();
      return;
    }
    const errors = this.#state.runCallbacks();
    if (errors.length > 0) throw aggregate(errors);
  }

  #request(reason: unknown): boolean {
    if (!this.#state.request(reason)) return false;
    this.#release();
    return true;
  }

  #release(): void {
    if (this.#timer !== undefined) {
      stopTimer(this.#timer);
      this.#timer = undefined;
    }
    if (this.#parents !== undefined) {
      for (const link of this.#parents) link.unregister();
      this.#parents = [];
    }
  }

  #link(tokens: readonly CancellationToken[]): void {
    this.#parents = [];
    try {
      for (const token of tokens) this.#parents.push(token.attach(new Link(token, this)));
    } catch (error) {
      // A signal of somebody's that takes no listener: nothing of this source is left on the others.
      this.#release();
      throw error;
    }
  }

  #requireOpen(): void {
    if (this.#state.isDisposed) throw disposed();
  }

  static #onTime(this: void, source: CancellationTokenSource): void {
    source.#timer = undefined;
    source.#cancel(undefined, false);
  }

  static {
    cancelLinked = (source, reason) => source.#cancel(reason, false);
  }
}

/** A linked source, hooked on one of its parents. */
class Link extends CancellationTokenRegistration {
  readonly #source: CancellationTokenSource;

  constructor(parent: CancellationToken, source: CancellationTokenSource) {
    super(parent);
    this.#source = source;
  }

  onCanceled(): void {
    cancelLinked(this.#source, this.token.reason);
  }
}

function disposed(): ObjectDisposedError {
  return new ObjectDisposedError("CancellationTokenSource");
}
