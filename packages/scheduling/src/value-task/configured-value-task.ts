import { AsyncScope } from "@skein/context";
import { awaiter, requireContinuation } from "../awaiting/awaiter.ts";
import { CallbackContinuation } from "../awaiting/callback-continuation.ts";
import { ForcedYield } from "../awaiting/forced-yield.ts";
import type { Yielding } from "../awaiting/forced-yield.ts";
import { OneInvocation, invokeOnce } from "../awaiting/one-invocation.ts";
import { Suspension } from "../awaiting/suspension.ts";
import type { AwaitIterator, Resumable } from "../awaiting/suspension.ts";
import { ConfiguredTaskAwaiter } from "../awaiting/task-awaiter.ts";
import type { ResolvedAwait } from "../configure-await.ts";
import { canNestInline, enqueue, resumeAt, runInline } from "../continuation-policy.ts";
import type { Place } from "../continuation-policy.ts";
import { capturedPlace } from "../task-scheduler.ts";
import { ConfiguredTask } from "../task.ts";
import type { Task } from "../task.ts";
import { sourceAsTask } from "./source-as-task.ts";
import type { WorkItem } from "../work-item.ts";
import type { ValueTaskSource } from "./value-task-source.ts";

/** As ValueTaskSourceOnCompletedFlags has it. */
const USE_SCHEDULING_CONTEXT = 1;

/** What `ValueTask.configureAwait` returns: one await, in the way that was asked for. */
export class ConfiguredValueTask<T> implements PromiseLike<T> {
  readonly #task: Task<T> | null;
  readonly #source: ValueTaskSource<T> | null;
  readonly #token: number;
  readonly #how: ResolvedAwait;

  /** @internal One of `task` and `source` is null. */
  constructor(task: Task<T> | null, source: ValueTaskSource<T> | null, token: number, how: ResolvedAwait) {
    this.#task = task;
    this.#source = source;
    this.#token = token;
    this.#how = how;
  }

  [awaiter](): Suspension<T> {
    const wait =
      this.#source === null
        ? new ConfiguredTaskAwaiter(this.#task as Task<T>, this.#how)
        : new ConfiguredSourceAwaiter(this.#source, this.#token, this.#how);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- T has undefined in it where errors are suppressed.
    return wait as Suspension<T>;
  }

  /** For `yield*` in a generator method. */
  [Symbol.iterator](): AwaitIterator<T> {
    return this[awaiter]();
  }

  /** Through a task; this is the one use of the ValueTask. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Task<A | B> {
    const task = this.#source === null ? (this.#task as Task<T>) : sourceAsTask(this.#source, this.#token);
    return new ConfiguredTask<T>(task, this.#how).then(onFulfilled, onRejected);
  }
}

class ConfiguredSourceAwaiter<T> extends Suspension<T | undefined> implements Yielding {
  readonly #source: ValueTaskSource<T>;
  readonly #token: number;
  readonly #how: ResolvedAwait;
  /** For ForcedYield. */
  hasYielded = false;

  constructor(source: ValueTaskSource<T>, token: number, how: ResolvedAwait) {
    super();
    this.#source = source;
    this.#token = token;
    this.#how = how;
  }

  get isCompleted(): boolean {
    if (this.#how.forceYielding && !this.hasYielded) return false;
    return this.#source.getStatus(this.#token) !== "pending";
  }

  override get origin(): object {
    return this.#source;
  }

  getResult(): T | undefined {
    if (!this.#how.suppressThrowing || this.#source.getStatus(this.#token) === "succeeded")
      return this.#source.getResult(this.#token);
    try {
      this.#source.getResult(this.#token);
    } catch {
      // That was asked for. The source still had its one read.
    }
    return undefined;
  }

  onCompleted<S>(continuation: (state: S) => void, state: S): void {
    requireContinuation(continuation);
    this.#attach(new CallbackContinuation(continuation, state, "inline", new AsyncScope()));
  }

  unsafeOnCompleted<S>(continuation: (state: S) => void, state: S): void {
    requireContinuation(continuation);
    this.#attach(new CallbackContinuation(continuation, state, "inline", null));
  }

  suspend(method: Resumable): void {
    this.#attach(this.#how.forceYielding ? new ForcedYield(this, method, "inline") : method);
  }

  #attach(work: WorkItem): void {
    const { policy, forceYielding, continueOnCapturedContext } = this.#how;
    // An explicit policy goes before the captured place.
    const captured = continueOnCapturedContext && policy === "inline" ? capturedPlace() : null;
    const place: Place = captured ?? (policy === "inline" && forceYielding ? "asynchronous" : policy);
    // The source is told of the captured place, so that one that knows how posts there itself; forced, we do it alone.
    const isTold = policy === "inline" && continueOnCapturedContext && !(captured !== null && forceYielding);
    const hop = (): void => {
      if (isTold && captured !== null) resumeAt(work, place);
      else if (place === "inline" && canNestInline()) runInline(work);
      else enqueue(work, place, false);
    };
    const flags = isTold ? USE_SCHEDULING_CONTEXT : 0;
    const once = new OneInvocation(hop);
    try {
      this.#source.onCompleted(invokeOnce, once, this.#token, flags);
    } catch (error) {
      once.refuse(error);
    }
  }
}
