import { Promise, promiseThen } from "../intrinsics.ts";
import { AsyncScope, setRunGuard } from "@skein/context";
import { argumentTypeError, requireFunction } from "@skein/context/errors";
import { getPrototypeOf } from "../intrinsics.ts";
import { isOfKind, isPrototypeOfKind, setKind, shared } from "../this-copy.ts";
import { reportUncaught } from "../uncaught.ts";

const settled: Promise<void> = Promise.resolve();

/**
 * The current context, of all copies of this package; `swapContext` changes it. Pool threads find it here by its name, and hide it from each job
 * (`surroundings.ts` of the pool): so what a job sets with `setCurrent` ends with the job.
 */
export const ambientContext: { current: SynchronizationContext | null } = shared(
  "synchronizationContext",
  () => ({
    current: null,
  }),
);

/**
 * A place on this thread where code is posted to: a message loop, a queue that serialises, a user interface.
 *
 * What awaits in a generator method, `then`, or registers with it, while a context is current, resumes by one `post` to it.
 * The context does not flow with ExecutionContext: fresh work has none. Native `await` knows nothing of it; code
 * behind one has whatever is current where Node resumes it.
 *
 * An instance of this very class counts as none. Subclasses override `post`.
 *
 * @see https://learn.microsoft.com/dotnet/api/system.threading.synchronizationcontext
 */
export class SynchronizationContext {
  static {
    setKind(this, "SynchronizationContext");
  }

  /** The context of the code that runs now. */
  static get current(): SynchronizationContext | null {
    return ambientContext.current;
  }

  /**
   * Makes `context` current for the rest of this synchronous call; `ExecutionContext.run`, generator methods, queued
   * continuations and jobs undo it. Prefer `run`.
   *
   * @throws TypeError when `context` is neither a SynchronizationContext nor null.
   */
  static setCurrent(context: SynchronizationContext | null): void {
    if (context !== null) requireContext(context);
    ambientContext.current = context;
  }

  /**
   * Calls `fn` with `context` current, then puts back the previous one, also when it throws.
   *
   * @throws TypeError when `context` is neither a SynchronizationContext nor null.
   */
  static run<R, A extends unknown[]>(
    context: SynchronizationContext | null,
    fn: (...args: A) => R,
    ...args: A
  ): R {
    const previous = ambientContext.current;
    SynchronizationContext.setCurrent(context);
    try {
      return fn(...args);
    } finally {
      ambientContext.current = previous;
    }
  }

  /**
   * Calls back soon, in a microtask, with no context current, in the caller's ExecutionContext. Errors are uncaught.
   *
   * @throws TypeError when `callback` is not a function.
   */
  post<S>(callback: (state: S) => void, state: S): void {
    requireFunction("callback", callback);
    const scope = new AsyncScope();
    AsyncScope.root.run(() => promiseThen(settled, () => runPosted(scope, callback, state)));
  }

  /** Calls back now, on this stack: every context is on this thread. It does not make this one current; `run` does. */
  send<S>(callback: (state: S) => void, state: S): void {
    callback(state);
  }

  /** An `asyncVoid` method has begun here. */
  operationStarted(): void {}

  /** An `asyncVoid` method that began here has ended. */
  operationCompleted(): void {}

  /** @see https://learn.microsoft.com/dotnet/api/system.threading.synchronizationcontext.createcopy */
  createCopy(): SynchronizationContext {
    return new SynchronizationContext();
  }
}

function runPosted<S>(scope: AsyncScope, callback: (state: S) => void, state: S): void {
  const previous = ambientContext.current;
  ambientContext.current = null;
  try {
    scope.runOnce(callback, state);
  } catch (error) {
    reportUncaught(error);
  } finally {
    ambientContext.current = previous;
  }
}

/** What a wait that begins now has to resume on: null when there is none, or only the base class (A8.4). */
export function capturedContext(): SynchronizationContext | null {
  const { current } = ambientContext;
  return current === null || isPrototypeOfKind(getPrototypeOf(current)) ? null : current;
}

/** Makes another context current without a check; gives the previous one, to be put back. */
export function swapContext(next: SynchronizationContext | null): SynchronizationContext | null {
  const previous = ambientContext.current;
  ambientContext.current = next;
  return previous;
}

/** @throws TypeError when `value` is not a SynchronizationContext. */
export function requireContext(value: unknown): asserts value is SynchronizationContext {
  if (!isOfKind(value, "SynchronizationContext"))
    throw argumentTypeError("context", "a SynchronizationContext or null", value);
}

setRunGuard({
  save: () => ambientContext.current,
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only what save gave comes back.
  restore: (saved) => void (ambientContext.current = saved as SynchronizationContext | null),
});
