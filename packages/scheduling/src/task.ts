import { argumentTypeError, requireFunction } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { isThenable, resolveTask } from "./adopt.ts";
import { YieldAwaitable } from "./awaiting/yield-awaitable.ts";
import { ConfiguredTaskAwaiter, TaskAwaiter } from "./awaiting/task-awaiter.ts";
import { awaiter, isAwaitable } from "./awaiting/awaiter.ts";
import type { AwaitIterator } from "./awaiting/suspension.ts";
import { requireSignal } from "./cancellation/cancellation-hook.ts";
import type { CancellationSignal } from "./cancellation/cancellation-hook.ts";
import { awaitPolicy, resolveAwait } from "./configure-await.ts";
import type { ConfigureAwaitOptions, ResolvedAwait } from "./configure-await.ts";
import { continueTask, isContinueOn } from "./continue-with.ts";
import { requirePolicy } from "./continuation-policy.ts";
import type { ContinuationPolicy, Place } from "./continuation-policy.ts";
import { delayFor } from "./delay.ts";
import { cancellationError } from "./errors.ts";
import { isEmitter, nextEvent, requireEventName, requireEventSource } from "./from-event.ts";
import type { EventSource } from "./from-event.ts";
import { checkOptions, ownOption } from "./own-option.ts";
import { defineMethod, isGeneratorFunction } from "./methods/define-method.ts";
import type { MethodBody } from "./methods/method-builder.ts";
import { startMethod } from "./methods/method-box.ts";
import { TaskBuilder } from "./methods/task-builder.ts";
import { VoidBuilder } from "./methods/void-builder.ts";
import { Reaction, reactInMicrotask } from "./reaction.ts";
import type { Callback } from "./reaction.ts";
import { runTask } from "./run-task.ts";
import { signalOf } from "./task-options.ts";
import type { ContinueWithOptions, FromEventOptions, SignalOptions, WaitOptions } from "./task-options.ts";
import { TaskScheduler, capturedPlace } from "./task-scheduler.ts";
import {
  TaskState,
  addContinuation,
  isOwnTask,
  isTask,
  markObserved,
  policyOf,
  tryCancel,
  tryFault,
  trySucceed,
} from "./task-state.ts";
import { requireDuration } from "./durations.ts";
import { waitFor } from "./wait-async.ts";
import { whenAllOf } from "./when-all.ts";
import { whenAnyOf } from "./when-any.ts";
import { CompletionStream } from "./when-each.ts";
import type { TaskStream } from "./when-each.ts";

const continueWithOptions: OptionNames<ContinueWithOptions> = { policy: true, on: true, signal: true };
const waitOptions: OptionNames<WaitOptions> = { signal: true, timeoutMs: true };
const fromEventOptions: OptionNames<FromEventOptions> = { errorEvent: true, signal: true };

/** A pending task; for the files that complete it. */
export let createTask: <T>(policy: ContinuationPolicy) => Task<T>;

/**
 * An operation that will complete, once, with a result, with an error, or cancelled.
 *
 * Wherever a promise is expected a Task will do: `await` it, `then` it, return it from an async function. Unlike a promise
 * it can be looked at (`status`, `result`), and its continuations run where the policy says that its
 * creator, or `configureAwait`, chose. Native `await` adds a microtask of its own after that.
 *
 * A fault that nobody observes surfaces once as `unhandledRejection`, after the turn in which it happened.
 *
 * @see https://learn.microsoft.com/dotnet/api/system.threading.tasks.task-1
 */
export class Task<T> extends TaskState<T> implements PromiseLike<T> {
  private constructor(policy: ContinuationPolicy) {
    super(policy);
  }

  static {
    createTask = <T>(policy: ContinuationPolicy): Task<T> => new Task<T>(policy);
  }

  /** How a generator method waits for this task; see {@link Task.async}. */
  [awaiter](): TaskAwaiter<T> {
    return new TaskAwaiter(this);
  }

  /** For `yield* task` in a generator method; a task is not a collection. */
  [Symbol.iterator](): AwaitIterator<T> {
    return new TaskAwaiter(this);
  }

  get [Symbol.toStringTag](): string {
    return "Task";
  }

  /**
   * Calls back when the task completes, in the context of this call, and never on this call's own stack.
   *
   * The returned task takes over the policy, so that a chain stays where its beginning was; after `"yield"` it goes on
   * `"asynchronous"`, because the event loop has had its turn.
   */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Task<A | B> {
    return react(this, onFulfilled, onRejected, capturedPlace() ?? "inline");
  }

  /** `then` for the failure alone: a fault or a cancellation. */
  catch<B = never>(onRejected?: ((error: unknown) => B | PromiseLike<B>) | null): Task<T | B> {
    return this.then(undefined, onRejected);
  }

  /**
   * Calls back on any outcome and waits for what that returns; then the outcome passes through: a cancelled task stays
   * cancelled, several errors stay several.
   */
  finally(onFinally?: (() => unknown) | null): Task<T> {
    if (typeof onFinally !== "function") return this.then(undefined);
    const pass = (): Task<T> | PromiseLike<Task<T>> => {
      const pending: unknown = onFinally();
      return isThenable(pending) || isAwaitable(pending)
        ? react<Task<T>>(adopted(pending), () => this, undefined, "inline")
        : this;
    };
    return react(this, pass, pass, capturedPlace() ?? "inline");
  }

  /**
   * The same task with another way of continuing, for one await: the task itself is not changed.
   *
   * @example
   * for (const task of tasks) consume(await task.configureAwait({ policy: "yield" }));
   * @throws TypeError for an option of the wrong type.
   */
  configureAwait(
    options: ConfigureAwaitOptions & { readonly suppressThrowing: true },
  ): ConfiguredTask<T | undefined>;
  configureAwait(options: ConfigureAwaitOptions): ConfiguredTask<T>;
  configureAwait(options: ConfigureAwaitOptions): ConfiguredTask<T | undefined> {
    return new ConfiguredTask(this, resolveAwait(options));
  }

  /**
   * Calls back with the completed task itself, whatever its outcome, in the context of this call; a task or promise that
   * the callback returns is unwrapped.
   *
   * An error faults the returned task; it cancels it only if `signal` has fired and the error is its reason, or an
   * OperationCanceledError with that token. Attaching a callback for faults counts as observing them.
   *
   * @throws TypeError for an argument of the wrong type.
   */
  continueWith<R>(fn: (task: Task<T>) => R, options?: ContinueWithOptions): Task<Awaited<R>> {
    requireFunction("fn", fn);
    checkOptions(options, continueWithOptions);
    const policy = ownOption(options, "policy");
    const on = ownOption(options, "on") ?? "any";
    if (!isContinueOn(on)) throw argumentTypeError("options.on", "'any', 'success', 'fault' or 'cancel'", on);
    const target = createTask<Awaited<R>>("inline");
    continueTask<Task<T>>(target, this, fn, {
      policy: policy === undefined ? "asynchronous" : requirePolicy("options.policy", policy),
      signal: requireSignal(ownOption(options, "signal")),
      on,
    });
    return target;
  }

  /**
   * A task that ends with this one, or before it: cancelled by the signal, or faulted with a TimeoutError. This task goes
   * on; the wait leaves nothing attached to it. What it does after the wait was given up is not reported as unhandled.
   *
   * A completed task, and a wait without signal and time, is the task itself.
   *
   * @throws TypeError, RangeError for an argument of the wrong type or range, also when the task has completed.
   */
  waitAsync(options: WaitOptions): Task<T> {
    checkOptions(options, waitOptions);
    const signal = requireSignal(ownOption(options, "signal"));
    const timeoutMs = requireDuration("options.timeoutMs", ownOption(options, "timeoutMs") ?? Infinity);
    if (this.isCompleted || (signal === undefined && timeoutMs === Infinity)) return this;
    const target = createTask<T>("inline");
    waitFor(target, this, signal, timeoutMs);
    return target;
  }

  /**
   * A method written as a generator function: `yield*` waits for a Task, a ValueTask or another awaitable of Skein, plain `yield`
   * for a promise or any other.
   *
   * It begins on the caller's stack. What has completed is not waited for; what resumes inline costs no microtask. Changes
   * of AsyncLocals and of the SynchronizationContext inside never reach the caller. An OperationCanceledError that
   * leaves it cancels the task, any other error faults it. A promise or task that it returns is unwrapped.
   *
   * @example
   * const load = Task.async(function* (id: string) {
   *   const row = yield* db.get(id);
   *   return row.name;
   * });
   * const name = await load("7");
   * @throws TypeError when `body` is not a generator function.
   */
  static async<This, A extends unknown[], R>(
    body: MethodBody<This, A, R>,
  ): (this: This, ...args: A) => Task<Awaited<R>> {
    return defineMethod(() => new TaskBuilder<Task<Awaited<R>>>(methodTasks), body);
  }

  /**
   * A generator method whose end nobody waits for. Its error is posted to the SynchronizationContext where it was called, or is
   * an uncaught exception.
   *
   * @throws TypeError when `body` is not a generator function.
   */
  static asyncVoid<This, A extends unknown[]>(
    body: MethodBody<This, A, unknown>,
  ): (this: This, ...args: A) => void {
    return defineMethod(() => new VoidBuilder(), body);
  }

  /**
   * Runs `fn` soon, on this thread, never on this call's own stack, in the context of this call, with neither
   * SynchronizationContext nor scheduler; a task or promise that it returns is unwrapped. A generator function runs as a
   * method, see {@link Task.async}. If the signal has fired by then, `fn` does not run.
   *
   * An error faults the task; it cancels it only if `signal` has fired and the error is its reason or names it, or it is an
   * OperationCanceledError that leaves a generator method or an async function.
   *
   * @throws TypeError for an argument of the wrong type.
   */
  static run<R>(fn: () => Generator<unknown, R, unknown>, options?: SignalOptions): Task<Awaited<R>>;
  static run<R>(fn: () => R, options?: SignalOptions): Task<Awaited<R>>;
  static run(fn: () => unknown, options?: SignalOptions): Task<unknown> {
    requireFunction("fn", fn);
    const signal = signalOf(options);
    const target = createTask<unknown>("inline");
    const body = isGeneratorFunction(fn)
      ? (): unknown => startMethod(fn, undefined, [], new TaskBuilder(methodTasks, signal))
      : fn;
    runTask(target, body, signal);
    return target;
  }

  /**
   * Completes after `ms` milliseconds: at once for 0, never for -1 or Infinity. A pending delay keeps the process alive.
   *
   * @throws TypeError, RangeError for an argument of the wrong type or range.
   */
  static delay(ms: number, options?: SignalOptions): Task<void> {
    const duration = requireDuration("ms", ms);
    const signal = signalOf(options);
    const target = createTask<void>("inline");
    delayFor(target, duration, signal);
    return target;
  }

  /**
   * Lets other work run: an await of it always suspends, and resumes on the current SynchronizationContext or scheduler, or else
   * in a later turn of the event loop, on the queue of policy `"yield"`.
   */
  static yield(): YieldAwaitable {
    return yieldAwaitable;
  }

  /**
   * Completes when all have completed, with the results in order. If any faulted, with every error of all of them; else if
   * any was cancelled, cancelled. Promises and plain values are taken as tasks.
   *
   * @throws TypeError when `tasks` is not iterable or holds null or undefined.
   */
  static whenAll<T extends readonly unknown[] | []>(
    tasks: T,
  ): Task<{ -readonly [K in keyof T]: Awaited<T[K]> }>;
  static whenAll<T>(tasks: Iterable<T>): Task<Awaited<T>[]>;
  static whenAll(tasks: Iterable<unknown>): Task<unknown[]> {
    const all = taskList(tasks);
    const target = createTask<unknown[]>("inline");
    whenAllOf(target, all);
    return target;
  }

  /**
   * Succeeds with the first task that completes, whatever its outcome. The others go on, with nothing attached to
   * them; a fault of theirs that nobody else observes is unhandled. What a promise does after another has won is silent, as with
   * `Promise.race`.
   *
   * Tasks are thenables, so native `await Task.whenAny(…)` unwraps the winner and gives its result, or throws its error.
   * For the task itself use `yield*` in a generator method, or read `.result` of the completed task.
   *
   * @throws TypeError when `tasks` is not iterable, holds null or undefined, or is empty.
   */
  static whenAny<T>(tasks: Iterable<T>): Task<Task<Awaited<T>>> {
    const list = listOf(tasks);
    if (list.length === 0) throw argumentTypeError("tasks", "a list of at least one task", tasks);
    const all = list.map((value) => {
      const task = adopted<Awaited<T>>(value);
      // Nobody else ever has the task that stands for a promise, so nobody else could observe it.
      if (task !== value) markObserved(task);
      return task;
    });
    const target = createTask<Task<Awaited<T>>>("inline");
    whenAnyOf(target, all);
    return target;
  }

  /**
   * The tasks in the order of their completion. Attached at once, iterated once: a second iteration is empty. A task
   * listed twice comes twice. The signal ends the iteration, not the tasks. Faults count as observed.
   *
   * @example
   * for await (const task of Task.whenEach(downloads)) if (task.status === "succeeded") show(task.result);
   * @throws TypeError when `tasks` is not iterable or holds null or undefined.
   */
  static whenEach<T>(tasks: Iterable<T>, options?: SignalOptions): TaskStream<Task<Awaited<T>>> {
    const signal = signalOf(options);
    return new CompletionStream(taskList<T>(tasks), signal);
  }

  /** Whether `value` is a Task, also one of another copy of this package. */
  static isTask(value: unknown): value is Task<unknown> {
    return isTask(value);
  }

  static fromResult<T>(result: T): Task<T> {
    const task = createTask<T>("asynchronous");
    trySucceed(task, result);
    return task;
  }

  /** @throws TypeError when `error` is null or undefined. */
  static fromError<T = never>(error: unknown): Task<T> {
    if (error === null || error === undefined) throw argumentTypeError("error", "an error", error);
    const task = createTask<T>("asynchronous");
    tryFault(task, error);
    return task;
  }

  /** A cancelled task, whose error is a signal's reason if that has fired with an Error. */
  static fromCanceled<T = never>(token?: CancellationSignal): Task<T> {
    const task = createTask<T>("asynchronous");
    tryCancel(task, cancellationError(requireSignal(token, "token")));
    return task;
  }

  /**
   * Completes with the next event: the Event of an EventTarget, the first argument of an EventEmitter. All listeners
   * are gone afterwards.
   *
   * @throws TypeError for an argument of the wrong type.
   */
  static fromEvent<T = unknown>(
    target: EventSource,
    name: string | symbol,
    options?: FromEventOptions,
  ): Task<T> {
    const source = requireEventSource(target);
    requireEventName("name", name, source);
    checkOptions(options, fromEventOptions);
    const signal = requireSignal(ownOption(options, "signal"));
    const named = ownOption(options, "errorEvent");
    if (named !== undefined) requireEventName("options.errorEvent", named, source);
    const errorEvent = named ?? (isEmitter(source) && name !== "error" ? "error" : undefined);
    const task = createTask<T>("inline");
    nextEvent(task, source, name, errorEvent, signal);
    return task;
  }

  /**
   * The task that ends as a promise or another thenable does; a Task comes back as itself, a plain value completed. A
   * promise that rejects with an OperationCanceledError gives a cancelled task.
   */
  static from<T>(value: T | PromiseLike<T>): Task<Awaited<T>> {
    return adopted(value);
  }
}

/** What `configureAwait` returns: something to await. */
export class ConfiguredTask<T> implements PromiseLike<T> {
  readonly #task: TaskState<T>;
  readonly #how: ResolvedAwait;

  constructor(task: TaskState<T>, how: ResolvedAwait) {
    this.#task = task;
    this.#how = how;
  }

  [awaiter](): ConfiguredTaskAwaiter<T> {
    return new ConfiguredTaskAwaiter(this.#task, this.#how);
  }

  /** For `yield*` in a generator method. */
  [Symbol.iterator](): AwaitIterator<T> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- T has undefined in it where errors are suppressed.
    return new ConfiguredTaskAwaiter(this.#task, this.#how) as AwaitIterator<T>;
  }

  /** @see {@link Task.then} */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Task<A | B> {
    const how = this.#how;
    const policy = awaitPolicy(how, policyOf(this.#task));
    if (!how.suppressThrowing) return react(this.#task, onFulfilled, onRejected, policy);
    // The type of this task, where it was made by configureAwait, says that undefined is among its results.
    const onSuppressed: Callback = onFulfilled;
    const suppress = (): unknown =>
      typeof onSuppressed === "function" ? onSuppressed(undefined) : undefined;
    return react(this.#task, onFulfilled, suppress, policy);
  }
}

/** `then` with the awaiter's own policy; `"inline"` leaves it to the task. */
function react<R>(
  antecedent: TaskState<unknown>,
  onFulfilled: Callback,
  onRejected: Callback,
  policy: Place,
): Task<R> {
  const inherited = policy === "inline" ? policyOf(antecedent) : policy;
  const derived = createTask<R>(derivedPolicy(inherited));
  markObserved(antecedent);
  if (antecedent.isCompleted && (inherited === "asynchronous" || inherited === "inline")) {
    const callback = antecedent.status === "succeeded" ? onFulfilled : onRejected;
    if (typeof callback === "function" && reactInMicrotask(antecedent, derived, callback)) return derived;
  }
  addContinuation(antecedent, new Reaction(antecedent, derived, onFulfilled, onRejected, policy));
  return derived;
}

function derivedPolicy(place: Place): ContinuationPolicy {
  if (place === "yield") return "asynchronous";
  // The callback of a `then` runs on the context; what is derived from it is attached there too, and captures it.
  return typeof place === "string" || TaskScheduler.isTaskScheduler(place) ? place : "inline";
}

/** A task that ends as `value` does. */
function adopted<R>(value: unknown): Task<R> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- R is what this very task awaits to.
  if (isOwnTask(value)) return value as Task<R>;
  const task = createTask<R>("inline");
  resolveTask(task, value);
  return task;
}

/** @throws TypeError when `tasks` is not iterable or holds null or undefined. */
function taskList<T>(tasks: Iterable<T>): Task<Awaited<T>>[] {
  return listOf(tasks).map((task) => adopted<Awaited<T>>(task));
}

function listOf<T>(tasks: Iterable<T>): T[] {
  if (
    typeof tasks !== "object" ||
    tasks === null ||
    typeof tasks[Symbol.iterator] !== "function" ||
    // Iterable for `yield*` alone: as a list it is empty, or has no end.
    isAwaitable(tasks)
  ) {
    throw argumentTypeError("tasks", "an iterable of tasks", tasks);
  }
  const list = [...tasks];
  const hole = list.findIndex((task) => task === null || task === undefined);
  if (hole !== -1) throw argumentTypeError(`tasks[${hole}]`, "a task, a promise or a value", list[hole]);
  return list;
}

const yieldAwaitable = new YieldAwaitable();

/** The results for which one completed task serves all methods (A9.2). */
const commonResults: readonly unknown[] = [undefined, true, false, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8];
const commonTasks: ReadonlyMap<unknown, Task<never>> = new Map(
  commonResults.map((result) => [result, Task.fromResult(result) as Task<never>]),
);

const methodTasks = {
  pending: (policy: ContinuationPolicy): Task<never> => createTask<never>(policy),
  completed(result: unknown): Task<never> {
    // A Map takes -0 for 0.
    const common = Object.is(result, -0) ? undefined : commonTasks.get(result);
    return common ?? (Task.fromResult(result) as Task<never>);
  },
};
