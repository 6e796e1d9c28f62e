import { awaitPolicy, resolveAwait } from "./configure-await.ts";
import type { ConfigureAwaitOptions, ResolvedAwait } from "./configure-await.ts";
import type { ContinuationPolicy } from "./continuation-policy.ts";
import { isThenable, resolveTask } from "./adopt.ts";
import { Reaction } from "./reaction.ts";
import { capturedScheduler } from "./task-scheduler.ts";
import { TaskState, addContinuation, markObserved, policyOf } from "./task-state.ts";

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
    return react(this, onFulfilled, onRejected, capturedScheduler() ?? "inline");
  }

  /** `then` for the failure alone: a fault or a cancellation. */
  catch<B = never>(onRejected?: ((error: unknown) => B | PromiseLike<B>) | null): Task<T | B> {
    return this.then(undefined, onRejected);
  }

  /** Calls back on any outcome, which then passes through: a cancelled task stays cancelled, several errors stay several. */
  finally(onFinally?: (() => void) | null): Task<T> {
    if (typeof onFinally !== "function") return this.then(onFinally, onFinally);
    const pass = (): Task<T> | PromiseLike<Task<T>> => {
      const pending: unknown = onFinally();
      return isThenable(pending) ? react<Task<T>>(adopted(pending), () => this, undefined, "inline") : this;
    };
    return react(this, pass, pass, capturedScheduler() ?? "inline");
  }

  /**
   * The same task with another way of continuing, for one await: the task itself is not changed.
   *
   * @example
   * for (const task of tasks) consume(await task.configureAwait({ policy: "yield" }));
   * @throws TypeError for an option of the wrong type.
   */
  configureAwait(options: ConfigureAwaitOptions & { suppressThrowing: true }): ConfiguredTask<T | undefined>;
  configureAwait(options: ConfigureAwaitOptions): ConfiguredTask<T>;
  configureAwait(options: ConfigureAwaitOptions): ConfiguredTask<T | undefined> {
    return new ConfiguredTask(this, resolveAwait(options));
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

  /** @see {@link Task.then} */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Task<A | B> {
    const how = this.#how;
    const policy = awaitPolicy(how, policyOf(this.#task));
    if (!how.suppressThrowing) return react(this.#task, onFulfilled, onRejected, policy);
    const suppress = (): unknown =>
      typeof onFulfilled === "function" ? onFulfilled(undefined as T) : undefined;
    return react(this.#task, onFulfilled, suppress, policy);
  }
}

/** `then` with the awaiter's own policy; `"inline"` leaves it to the task. */
function react<R>(
  antecedent: TaskState<unknown>,
  onFulfilled: ((value: never) => unknown) | null | undefined,
  onRejected: ((error: never) => unknown) | null | undefined,
  policy: ContinuationPolicy,
): Task<R> {
  const inherited = policy === "inline" ? policyOf(antecedent) : policy;
  const derived = createTask<R>(inherited === "yield" ? "asynchronous" : inherited);
  markObserved(antecedent);
  addContinuation(antecedent, new Reaction(antecedent, derived, onFulfilled, onRejected, policy));
  return derived;
}

/** A task that ends as `value` does. */
function adopted<R>(value: unknown): Task<R> {
  if (value instanceof Task) return value as Task<R>;
  const task = createTask<R>("inline");
  resolveTask(task, value);
  return task;
}
