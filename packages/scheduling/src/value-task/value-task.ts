import { argumentTypeError } from "@skein/context/errors";
import { awaiter } from "../awaiting/awaiter.ts";
import { OneInvocation, invokeOnce } from "../awaiting/one-invocation.ts";
import { Suspension } from "../awaiting/suspension.ts";
import type { AwaitIterator, Resumable } from "../awaiting/suspension.ts";
import { TaskAwaiter, suspendOn } from "../awaiting/task-awaiter.ts";
import type { CancellationSignal } from "../cancellation/cancellation-hook.ts";
import { resumeAt } from "../continuation-policy.ts";
import type { Place } from "../continuation-policy.ts";
import { resolveAwait } from "../configure-await.ts";
import type { ConfigureAwaitOptions } from "../configure-await.ts";
import { defineMethod } from "../methods/define-method.ts";
import type { MethodBody } from "../methods/method-builder.ts";
import { capturedPlace } from "../task-scheduler.ts";
import { TaskState } from "../task-state.ts";
import type { TaskStatus } from "../task-state.ts";
import { Task } from "../task.ts";
import { ConfiguredValueTask } from "./configured-value-task.ts";
import { ManualResetCore } from "./manual-reset-core.ts";
import { PooledBuilder } from "./pooled-builder.ts";
import { sourceAsTask } from "./source-as-task.ts";
import { ValueTaskBuilder } from "./value-task-builder.ts";
import type { ValueTaskSource } from "./value-task-source.ts";

const USE_SCHEDULING_CONTEXT = 1;
const USE_AND_FLOW = 3;

/** @internal Makes a ValueTask that nobody else holds stand for another operation of its source. */
export let rearm: (valueTask: ValueTask<unknown>, token: number) => void;

/**
 * A result that is there already, a task, or an operation of a reusable source. Reading one that has completed costs a few
 * nanoseconds and no memory.
 *
 * Use each once: await it, or `asTask()` it, or read `getResult()` after `isCompleted`. A source may refuse anything
 * after that. `preserve()` gives one without that limit.
 *
 * Native `await` works, and costs what a task costs. In a generator method, or through `isCompleted` and
 * `getResult()`, the fast way is open.
 *
 * @example
 * const length = cache.read(key);                     // ValueTask<number>
 * const n = length.isCompleted ? length.getResult() : await length;
 * @see https://learn.microsoft.com/dotnet/api/system.threading.tasks.valuetask-1
 */
export class ValueTask<T> extends Suspension<T> implements PromiseLike<T> {
  /** Null: the payload is the result. A source: the payload is its token. */
  readonly #source: TaskState<T> | ValueTaskSource<T> | null;
  #payload: unknown;

  private constructor(source: TaskState<T> | ValueTaskSource<T> | null, payload: unknown) {
    super();
    this.#source = source;
    this.#payload = payload;
  }

  static {
    rearm = (valueTask, token) => {
      valueTask.#payload = token;
    };
  }

  /** Succeeded, without a value. */
  static get completed(): ValueTask<void> {
    return completed;
  }

  static fromResult<T>(result: T): ValueTask<T> {
    return new ValueTask<T>(null, result);
  }

  /** @throws TypeError when `error` is null or undefined. */
  static fromError<T = never>(error: unknown): ValueTask<T> {
    return new ValueTask<T>(Task.fromError<T>(error), undefined);
  }

  static fromCanceled<T = never>(token?: CancellationSignal): ValueTask<T> {
    return new ValueTask<T>(Task.fromCanceled<T>(token), undefined);
  }

  /** @throws TypeError when `task` is not a Task. */
  static fromTask<T>(task: Task<T>): ValueTask<T> {
    if (task instanceof TaskState) return new ValueTask<T>(task, undefined);
    if (!Task.isTask(task)) throw argumentTypeError("task", "a Task", task);
    // Of another copy of this package: ours takes over what becomes of it.
    return new ValueTask<T>(Task.from(task) as Task<T>, undefined);
  }

  /**
   * The operation that `source` knows by `token`.
   *
   * @throws TypeError when `source` is not a ValueTaskSource, or `token` not a number.
   */
  static fromSource<T>(source: ValueTaskSource<T>, token: number): ValueTask<T> {
    if (
      typeof source?.getResult !== "function" ||
      typeof source.onCompleted !== "function" ||
      typeof source.getStatus !== "function"
    )
      throw argumentTypeError("source", "a ValueTaskSource", source);
    if (typeof token !== "number") throw argumentTypeError("token", "a number", token);
    return new ValueTask<T>(source, token);
  }

  /**
   * A generator method, as `Task.async` makes them, that returns a ValueTask: no task when it completes without waiting.
   *
   * @throws TypeError when `body` is not a generator function.
   */
  static async<This, A extends unknown[], R>(
    body: MethodBody<This, A, R>,
  ): (this: This, ...args: A) => ValueTask<Awaited<R>> {
    return defineMethod(() => new ValueTaskBuilder(forMethods), body);
  }

  /**
   * The same over sources that are reused: no task either when it has to wait. What it returns can be awaited exactly once;
   * the second time throws (A9.8). An error that nobody awaits is lost, as in .NET: no task is there to report it.
   *
   * @throws TypeError when `body` is not a generator function.
   */
  static asyncPooled<This, A extends unknown[], R>(
    body: MethodBody<This, A, R>,
  ): (this: This, ...args: A) => ValueTask<Awaited<R>> {
    return defineMethod(() => new PooledBuilder(forMethods), body);
  }

  get [Symbol.toStringTag](): string {
    return "ValueTask";
  }

  /** @throws InvalidOperationError when the source has gone on to another operation; so do all members that ask it. */
  get status(): TaskStatus {
    const source = this.#source;
    if (source === null) return "succeeded";
    return source instanceof TaskState ? source.status : source.getStatus(this.#token());
  }

  get isCompleted(): boolean {
    const source = this.#source;
    if (source === null) return true;
    if (source instanceof ManualResetCore) return source.isCompleted(this.#token());
    return this.status !== "pending";
  }

  get isCompletedSuccessfully(): boolean {
    return this.status === "succeeded";
  }

  get isFaulted(): boolean {
    return this.status === "faulted";
  }

  get isCanceled(): boolean {
    return this.status === "canceled";
  }

  /**
   * The result. This is the one use.
   *
   * @throws the error of the operation.
   * @throws InvalidOperationError while it is pending: it never blocks.
   */
  getResult(): T {
    const source = this.#source;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without a source the payload is the result.
    if (source === null) return this.#payload as T;
    // First what is found first: each step up a prototype chain costs.
    if (source instanceof ManualResetCore) return source.getResult(this.#token()) as T;
    return source instanceof TaskState ? source.result : source.getResult(this.#token());
  }

  /** Calls back once, also when it has completed, never on this call's stack, where and in the context that is current now. */
  onCompleted<S>(continuation: (state: S) => void, state: S): void {
    const source = this.#source;
    if (source === null || source instanceof TaskState)
      new TaskAwaiter(this.#task()).onCompleted(continuation, state);
    else source.onCompleted(continuation, state, this.#token(), USE_AND_FLOW);
  }

  /** Like `onCompleted`, in any ExecutionContext. */
  unsafeOnCompleted<S>(continuation: (state: S) => void, state: S): void {
    const source = this.#source;
    if (source === null || source instanceof TaskState)
      new TaskAwaiter(this.#task()).unsafeOnCompleted(continuation, state);
    else source.onCompleted(continuation, state, this.#token(), USE_SCHEDULING_CONTEXT);
  }

  /** @internal */
  suspend(method: Resumable): void {
    const source = this.#source;
    if (source instanceof ManualResetCore)
      source.onCompleted(resume, method, this.#token(), USE_SCHEDULING_CONTEXT);
    else if (source === null || source instanceof TaskState) suspendOn(this.#task(), method);
    else this.#suspendOnForeign(source, method);
  }

  /** Somebody's own source might call back twice, or anywhere. */
  #suspendOnForeign(source: ValueTaskSource<T>, method: Resumable): void {
    const place: Place = capturedPlace() ?? "inline";
    const once = new OneInvocation(() => resumeAt(method, place));
    try {
      source.onCompleted(invokeOnce, once, this.#token(), USE_SCHEDULING_CONTEXT);
    } catch (error) {
      once.refuse(error);
    }
  }

  /** @internal */
  override get origin(): object {
    return this.#source ?? this;
  }

  /** The wait: a ValueTask is its own. */
  [awaiter](): Suspension<T> {
    return this;
  }

  /** For `yield*` in a generator method. */
  [Symbol.iterator](): AwaitIterator<T> {
    return this;
  }

  /** Through a task; this is the one use. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Task<A | B> {
    return this.asTask().then(onFulfilled, onRejected);
  }

  /** The task behind it, or a new one; this is the one use, unless it is a result or a task. */
  asTask(): Task<T> {
    const source = this.#source;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without a source the payload is the result; every task state is a Task.
    if (source === null) return Task.fromResult(this.#payload as T);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every task state is a Task.
    if (source instanceof TaskState) return source as Task<T>;
    return sourceAsTask(source, this.#token());
  }

  /** One that can be used any number of times: itself, or one over `asTask()`. */
  preserve(): ValueTask<T> {
    const source = this.#source;
    return source === null || source instanceof TaskState ? this : ValueTask.fromTask(this.asTask());
  }

  /**
   * One await of it with another way of continuing; the options are those of `Task.configureAwait`.
   *
   * @throws TypeError for an option of the wrong type.
   */
  configureAwait(
    options: ConfigureAwaitOptions & { readonly suppressThrowing: true },
  ): ConfiguredValueTask<T | undefined>;
  configureAwait(options: ConfigureAwaitOptions): ConfiguredValueTask<T>;
  configureAwait(options: ConfigureAwaitOptions): ConfiguredValueTask<T | undefined> {
    const source = this.#source;
    const operation = source === null || source instanceof TaskState ? null : source;
    return new ConfiguredValueTask<T | undefined>(
      operation === null ? this.#task() : null,
      operation,
      operation === null ? 0 : this.#token(),
      resolveAwait(options),
    );
  }

  /** Whether both are the same result, task, or operation of the same source. */
  equals(other: ValueTask<T>): boolean {
    if (!(other instanceof ValueTask)) throw argumentTypeError("other", "a ValueTask", other);
    return this.#source === other.#source && Object.is(this.#payload, other.#payload);
  }

  #token(): number {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- with a source the payload is its token.
    return this.#payload as number;
  }

  #task(): Task<T> {
    return this.asTask();
  }
}

/** What the builders need of this file. */
const forMethods = {
  ofResult: (result: unknown): ValueTask<never> => ValueTask.fromResult(result) as ValueTask<never>,
  ofTask: (task: Task<never>): ValueTask<never> => ValueTask.fromTask(task),
  ofSource: (source: ValueTaskSource<unknown>, token: number): ValueTask<never> =>
    ValueTask.fromSource(source, token) as ValueTask<never>,
};

const completed: ValueTask<void> = ValueTask.fromResult<void>(undefined);

function resume(method: Resumable): void {
  method.invoke();
}
