import { current, runWith } from "./ambient.ts";
import { matchAcrossCopies } from "./class-marks.ts";
import { ContextState } from "./context-state.ts";
import { requireFunction } from "./argument-errors.ts";
import { apply } from "./intrinsics.ts";

/**
 * The values of every AsyncVariable and AsyncLocal at one moment, in the shape of TC39's `AsyncContext.Snapshot`. Taken
 * while flow is suppressed, it is the default context.
 *
 * @see https://github.com/tc39/proposal-async-context
 */
export class Snapshot {
  static {
    matchAcrossCopies(this, "Snapshot");
  }

  readonly #state: ContextState;

  constructor() {
    const state = current();
    this.#state = state.isFlowSuppressed ? ContextState.default : state;
  }

  /** Calls `fn` with the values of the snapshot, then puts back the caller's. */
  run<R, A extends unknown[]>(fn: (...args: A) => R, ...args: A): R {
    requireFunction("fn", fn);
    return runWith(this.#state, fn, args);
  }

  /** A function that calls `fn` with the values of now, with its `this` and arguments passed on. */
  static wrap<T, R, A extends unknown[]>(fn: (this: T, ...args: A) => R): (this: T, ...args: A) => R {
    requireFunction("fn", fn);
    const snapshot = new Snapshot();
    return function wrapped(this: T, ...args: A): R {
      return snapshot.run((): R => apply(fn, this, args));
    };
  }
}
