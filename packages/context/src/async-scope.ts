import { AsyncResource } from "node:async_hooks";
import { ambient } from "./ambient.ts";
import { matchAcrossCopies } from "./class-marks.ts";
import { apply } from "./intrinsics.ts";
import { beginCapture, emptied, endCapture, runInResource, runInResourceOnce } from "./resource-run.ts";
import { resourceOptions, resourceType, runs } from "./runs.ts";

type AnyFunction<R> = (...args: unknown[]) => R;

/** Not a closure: the stack of an error that is kept would keep the arguments. */
function callWith<R>(fn: AnyFunction<R>, args: readonly unknown[]): R {
  return apply(fn, undefined, args);
}

/**
 * Everything ambient at one moment: our context, and every AsyncLocalStorage of the process. The cheapest way to keep it
 * for later: 10–30 ns to capture and as much to run in on Node 24 and later; `ExecutionContext.run` covers only our own.
 *
 * Captured while flow is suppressed, it runs in the default context, with other libraries' storages as they were.
 */
export class AsyncScope extends AsyncResource {
  /**
   * The empty context: nothing of ours, flow not suppressed, and no store in any AsyncLocalStorage of the process, also
   * where this module was first imported inside a `run` of one. What is made in it pins no request.
   */
  static readonly root: AsyncScope = emptied(new AsyncScope());

  static {
    matchAcrossCopies(this, "AsyncScope");
  }

  /** Captures the current state. */
  constructor() {
    const hidden = beginCapture();
    super(resourceType, resourceOptions);
    endCapture(hidden);
  }

  static capture(): AsyncScope {
    return new AsyncScope();
  }

  /**
   * @internal How often the context was changed on this thread so far. Equal at two moments of one synchronous run: nothing has
   * changed between them.
   */
  static get changes(): number {
    return ambient.changes;
  }

  /**
   * @internal Whether a promise's own reaction would see what a scope captured now would show: nobody watches a value, and flow
   * was never suppressed.
   */
  static get isNodeEnough(): boolean {
    return runs.isPlainOnce && !runs.mayBeSuppressed;
  }

  /**
   * Calls `fn` in the captured state, then puts back everything, also when it throws. Can be called any number of times:
   * no run sees what another one set or entered.
   */
  run<R, A extends unknown[]>(fn: (...args: A) => R, ...args: A): R;
  // A list of the rest would be made for each call.
  run<R>(fn: AnyFunction<R>, first?: unknown, second?: unknown): R {
    if (runs.isPlain) {
      switch (arguments.length) {
        case 1:
          return this.runInAsyncScope(fn);
        case 2:
          return this.runInAsyncScope(fn, undefined, first);
        case 3:
          return this.runInAsyncScope(fn, undefined, first, second);
        default:
          return this.runInAsyncScope(callWith<R>, undefined, fn, behindFirst(arguments));
      }
    }
    return runInResource(this, fn, undefined, behindFirst(arguments));
  }

  /** Like `run`, for the last use of this scope: saves about 80 ns where storages run on async_hooks (Node 22). */
  runOnce<R, A extends unknown[]>(fn: (...args: A) => R, ...args: A): R;
  runOnce<R>(fn: AnyFunction<R>, first?: unknown, second?: unknown): R {
    if (runs.isPlainOnce) {
      switch (arguments.length) {
        case 1:
          return this.runInAsyncScope(fn);
        case 2:
          return this.runInAsyncScope(fn, undefined, first);
        case 3:
          return this.runInAsyncScope(fn, undefined, first, second);
        default:
          return this.runInAsyncScope(callWith<R>, undefined, fn, behindFirst(arguments));
      }
    }
    return runInResourceOnce(this, fn, undefined, behindFirst(arguments));
  }
}

/** Not by spreading: that asks for an iterator, which others may have replaced. */
function behindFirst(list: ArrayLike<unknown>): unknown[] {
  const rest: unknown[] = [];
  for (let index = 1; index < list.length; index++) rest[index - 1] = list[index];
  return rest;
}
