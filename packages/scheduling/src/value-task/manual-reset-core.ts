/**
 * One operation after another on the same object.
 *
 * State    PENDING → SUCCEEDED | FAULTED | CANCELED by `setResult`, `setError`; any → PENDING with the next version by `reset`.
 * Wait     one continuation per version before completion, any number after it: a completed version can be awaited again.
 * Runs     before completion: with a captured place by exactly one post or queueTask (A7.8), otherwise by the policy;
 *          `"inline"` is on the stack of `set…`. After completion: never on the stack of `onCompleted` (0.4).
 */

import { AsyncScope } from "@skein/context";
import { InvalidOperationError, argumentTypeError } from "@skein/context/errors";
import { requireContinuation } from "../awaiting/awaiter.ts";
import { CallbackContinuation } from "../awaiting/callback-continuation.ts";
import { callInline, canNestInline, enqueue } from "../continuation-policy.ts";
import type { ContinuationPolicy, Place } from "../continuation-policy.ts";
import { OperationCanceledError } from "../errors.ts";
import { capturedPlace } from "../task-scheduler.ts";
import type { ValueTaskSource, ValueTaskStatus } from "./value-task-source.ts";

const PENDING = 0;
const SUCCEEDED = 1;
const FAULTED = 2;
const CANCELED = 3;

const statusWords: readonly ValueTaskStatus[] = ["pending", "succeeded", "faulted", "canceled"];

/** As ValueTaskSourceOnCompletedFlags has them. */
const USE_SCHEDULING_CONTEXT = 1;
const FLOW_EXECUTION_CONTEXT = 2;

type AnyContinuation = (state: unknown) => void;

export class ManualResetCore<T> implements ValueTaskSource<T> {
  readonly #policy: ContinuationPolicy;
  #version: number;
  #status: number = PENDING;
  #value: unknown = undefined;
  #continuation: AnyContinuation | null = null;
  #state: unknown = undefined;
  #scope: AsyncScope | null = null;
  #place: Place | null = null;

  constructor(policy: ContinuationPolicy, initialVersion: number) {
    this.#policy = policy;
    this.#version = initialVersion | 0;
  }

  /** The token of the current operation: a 32-bit number that goes up by one with each reset and wraps. */
  get version(): number {
    return this.#version;
  }

  /** Begins the next operation. Whoever still holds the token of the last one is refused from now on. */
  reset(): void {
    this.#version = (this.#version + 1) | 0;
    this.#status = PENDING;
    this.#value = undefined;
    if (this.#continuation !== null) this.#forget();
  }

  /** Every store counts here: what is rarely set is rarely cleared. */
  #forget(): void {
    this.#continuation = null;
    this.#state = undefined;
    if (this.#scope !== null) this.#scope = null;
    if (this.#place !== null) this.#place = null;
  }

  /**
   * Completes the operation. With policy `"inline"`, what the waiting continuation throws comes out here.
   *
   * @throws InvalidOperationError when it has completed.
   */
  setResult(result: T): void {
    this.#complete(SUCCEEDED, result);
  }

  /**
   * Ends the operation with an error; an OperationCanceledError cancels it.
   *
   * @throws InvalidOperationError when it has completed.
   * @throws TypeError when `error` is null or undefined.
   */
  setError(error: unknown): void {
    if (error === null || error === undefined) throw argumentTypeError("error", "an error", error);
    this.#complete(error instanceof OperationCanceledError ? CANCELED : FAULTED, error);
  }

  /** @throws InvalidOperationError when `token` is not the current version. */
  getStatus(token: number): ValueTaskStatus {
    if (token !== this.#version) throw wrongToken();
    return statusWords[this.#status] ?? "pending";
  }

  /** @internal `getStatus` for those who only want to know whether to wait. */
  isCompleted(token: number): boolean {
    if (token !== this.#version) throw wrongToken();
    return this.#status !== PENDING;
  }

  /**
   * @throws InvalidOperationError when `token` is not the current version, or the operation is pending.
   * @throws the error of the operation, the same object every time.
   */
  getResult(token: number): T {
    if (token !== this.#version) throw wrongToken();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- setResult takes a T.
    if (this.#status === SUCCEEDED) return this.#value as T;
    if (this.#status === PENDING) throw new InvalidOperationError("The operation has not completed");
    throw this.#value;
  }

  /**
   * @throws TypeError when `continuation` is not a function.
   * @throws InvalidOperationError when `token` is not the current version, or somebody waits for the pending operation.
   */
  onCompleted<S>(continuation: (state: S) => void, state: S, token: number, flags: number): void {
    requireContinuation(continuation);
    if (token !== this.#version) throw wrongToken();
    const place = (flags & USE_SCHEDULING_CONTEXT) === 0 ? null : capturedPlace();
    const scope = (flags & FLOW_EXECUTION_CONTEXT) === 0 ? null : new AsyncScope();
    if (this.#status !== PENDING) {
      const where = place ?? this.#policy;
      enqueue(new CallbackContinuation(continuation, state, where, scope), where, false);
      return;
    }
    if (this.#continuation !== null)
      throw new InvalidOperationError("Somebody waits for this operation already: it can be awaited once");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- called with this very state.
    this.#continuation = continuation as AnyContinuation;
    this.#state = state;
    if (place !== null) this.#place = place;
    if (scope !== null) this.#scope = scope;
  }

  #complete(status: number, value: unknown): void {
    if (this.#status !== PENDING) throw new InvalidOperationError("The operation has already completed");
    this.#status = status;
    this.#value = value;
    const continuation = this.#continuation;
    if (continuation === null) return;
    const state = this.#state;
    const scope = this.#scope;
    const place = this.#place;
    this.#forget();
    if (place !== null || this.#policy !== "inline" || !canNestInline()) {
      const where = place ?? this.#policy;
      enqueue(new CallbackContinuation(continuation, state, where, scope), where, false);
    } else if (scope === null) {
      callInline(continuation, state);
    } else {
      callInline(runInScope, { scope, continuation, state });
    }
  }
}

interface ScopedCall {
  readonly scope: AsyncScope;
  readonly continuation: AnyContinuation;
  readonly state: unknown;
}

function runInScope(call: ScopedCall): void {
  call.scope.runOnce(call.continuation, call.state);
}

function wrongToken(): InvalidOperationError {
  return new InvalidOperationError(
    "The token is not that of the current operation: a ValueTask was used after its source went on",
  );
}
