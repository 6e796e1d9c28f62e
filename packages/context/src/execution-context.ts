import { current, replace, runWith, switchTo } from "./ambient.ts";
import { AsyncFlowControl, restoreFlow } from "./async-flow-control.ts";
import { runCarried } from "./carried-flows.ts";
import { CarriedValues } from "./carried-values.ts";
import { encodeState, piecesWith } from "./carrier-encoding.ts";
import { joined } from "./carrier-text.ts";
import type { CarrierReach, ContextCarrier, WrittenEntry } from "./carrier-text.ts";
import { matchAcrossCopies } from "./class-marks.ts";
import { ContextState } from "./context-state.ts";
import { requireFunction } from "./argument-errors.ts";
import { argumentTypeError, InvalidOperationError } from "./errors.ts";
import { define } from "./intrinsics.ts";
import { flows, readFlows } from "./registered-flows.ts";
import { captureResource, noteSuppression, runApart, runInResource } from "./resource-run.ts";

/** Under this symbol, contexts of another copy of this package tell their state. */
const tellState = Symbol.for("skein.context.state");

let readState: (context: ExecutionContext) => ContextState;
let isContext: (value: unknown) => value is ExecutionContext;

/**
 * The values of all AsyncLocals at one moment. Immutable: it can be kept, run any number of times, and compared by
 * identity; the same values unchanged are the same object.
 *
 * @see https://learn.microsoft.com/dotnet/api/system.threading.executioncontext
 */
export class ExecutionContext {
  readonly #state: ContextState;
  #threadCarrier: ContextCarrier | null | undefined;
  #wireCarrier: ContextCarrier | null | undefined;
  #attached: { readonly owner: object } | null = null;

  private constructor(state: ContextState) {
    this.#state = state;
  }

  /** The current context: null while flow is suppressed. Costs one read. */
  static capture(): ExecutionContext | null {
    const state = current();
    return state.isFlowSuppressed ? null : ExecutionContext.#of(state);
  }

  /**
   * Calls `fn` in `context`, synchronously, then puts back the caller's context, whatever `fn` changed or threw.
   * Inside, flow is not suppressed. Other AsyncLocalStorages are not touched, unless `context` came with a carrier: then the stores
   * that came with it are entered where a {@link flow} of this thread has their name.
   * @throws InvalidOperationError if `context` is null, which `capture` gives while flow is suppressed.
   */
  static run<R, A extends unknown[]>(context: ExecutionContext, fn: (...args: A) => R, ...args: A): R {
    const state = stateOf(context);
    requireFunction("fn", fn);
    return flows.isEmpty ? runWith(state, fn, args) : runCarried(state, fn, args);
  }

  /**
   * Makes `context` current for the rest of this synchronous call and all that it starts. Nothing puts the old one
   * back: prefer `run`, unless you are the one who calls everything here. It enters no storage of a {@link flow}.
   * @throws InvalidOperationError if `context` is null.
   */
  static restore(context: ExecutionContext): void {
    switchTo(stateOf(context));
  }

  /**
   * Calls `fn` in the current context; what it changes does not reach the caller, nor what it enters into any AsyncLocalStorage of the
   * process. For a native `async` function this holds back what it sets before its first `await`, which Node alone would not.
   */
  static isolate<R, A extends unknown[]>(fn: (...args: A) => R, ...args: A): R {
    requireFunction("fn", fn);
    return runApart(fn, args);
  }

  /**
   * A function that calls `fn` in the context of now, with `this` and its arguments passed on. Every other
   * AsyncLocalStorage of the process is bound too. Bound while flow is suppressed, it runs in the default context.
   */
  static bind<F extends (...args: never[]) => unknown>(fn: F): F {
    requireFunction("fn", fn);
    const resource = captureResource();
    function bound(this: unknown, ...args: unknown[]): unknown {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- bound is typed as F, so its arguments fit.
      return runInResource(resource, fn, this, args as never[]);
    }
    define(bound, "name", `bound ${fn.name}`);
    define(bound, "length", fn.length);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it takes and gives what fn does.
    return bound as unknown as F;
  }

  /**
   * Stops the context from flowing into what Skein starts from here: `capture` gives null, jobs and tasks begin in the
   * default context. Values stay readable. Ends with the control's `undo`, or with `using`.
   *
   * Node's own `await` and callbacks keep the values, and the suppression with them. A nested call changes nothing, and
   * its control neither.
   *
   * @example
   * const control = ExecutionContext.suppressFlow();
   * try {
   *   startBackgroundLoop();
   * } finally {
   *   control.undo(); // or, from Node.js 24: using _ = ExecutionContext.suppressFlow()
   * }
   */
  static suppressFlow(): AsyncFlowControl {
    const state = current();
    if (state.isFlowSuppressed) return new AsyncFlowControl(false);
    noteSuppression();
    replace(state.suppress());
    return new AsyncFlowControl(true);
  }

  /** @throws InvalidOperationError if flow is not suppressed. */
  static restoreFlow(): void {
    restoreFlow();
  }

  static isFlowSuppressed(): boolean {
    return current().isFlowSuppressed;
  }

  /**
   * The values that flow that far, as text for another thread or machine; null when there are none. Each value is encoded
   * once, however many contexts hold it, so do not mutate what flows. Of the current context, the stores of each {@link flow} are among
   * them, as they are now; any other has those that it came with.
   *
   * @throws ContextTooLargeError if the text would exceed 16 KiB.
   * @throws ContextEncodeError if a value cannot be encoded.
   */
  toCarrier(reach: CarrierReach = "thread"): ContextCarrier | null {
    if (reach !== "thread" && reach !== "wire") throw argumentTypeError("reach", "'thread' or 'wire'", reach);
    if (flows.isEmpty || current() !== this.#state) return this.#carrier(reach);
    const stores = readFlows(reach);
    return stores === null ? this.#carrier(reach) : joined(this.pieces(reach, stores)!);
  }

  /**
   * @internal `toCarrier` with these stores, which `readFlows` has just given, as pieces to be written one behind the other. Null when there
   * are none.
   */
  pieces(reach: CarrierReach, stores: readonly WrittenEntry[]): readonly string[] | null {
    const state = this.#state;
    const known = reach === "thread" ? (this.#threadCarrier ?? untouched(state)) : this.#wireCarrier;
    const isEmpty = state.keys.length === 0 && state.carried === null;
    return piecesWith(state, reach, isEmpty ? null : known, stores);
  }

  /** Of the context alone. Made once. */
  #carrier(reach: CarrierReach): ContextCarrier | null {
    if (reach === "thread") {
      if (this.#threadCarrier === undefined)
        this.#threadCarrier = untouched(this.#state) ?? encodeState(this.#state, reach);
      return this.#threadCarrier;
    }
    if (this.#wireCarrier === undefined) this.#wireCarrier = encodeState(this.#state, reach);
    return this.#wireCarrier;
  }

  /**
   * The context that a carrier describes. A value is decoded when its local is first read, also if the local is defined
   * later. Names that this thread does not know are kept and travel on, no farther than they came.
   * @throws InvalidCarrierError if `carrier` was not made by `toCarrier`.
   */
  static fromCarrier(carrier: ContextCarrier | null): ExecutionContext {
    if (carrier === null) return ExecutionContext.#of(ContextState.default);
    if (typeof carrier !== "string") throw argumentTypeError("carrier", "a string or null", carrier);
    const context = ExecutionContext.#of(ContextState.ofCarried(CarriedValues.parse(carrier)));
    // A text that parses is the only text for its entries: what was not touched travels on as it came.
    context.#threadCarrier = carrier;
    return context;
  }

  /**
   * @internal What a pool of this thread keeps for the context: it lives as long, at a quarter of the cost of a WeakMap. The first
   * pool that uses a context owns the place.
   */
  get attached(): { readonly owner: object } | null {
    return this.#attached;
  }

  set attached(attached: { readonly owner: object } | null) {
    this.#attached = attached;
  }

  static #of(state: ContextState): ExecutionContext {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only this line sets it.
    return (state.handle ??= new ExecutionContext(state)) as ExecutionContext;
  }

  static {
    matchAcrossCopies(this, "ExecutionContext");
    // Always there: V8 lets a hidden class go with its last object, and with it all optimized code that has seen one.
    ExecutionContext.#of(ContextState.default);
    define(this.prototype, tellState, function (this: ExecutionContext): ContextState {
      return this.#state;
    });
    readState = (context) => {
      if (#state in context) return context.#state;
      return (context as { readonly [tellState]: () => ContextState })[tellState]();
    };
    isContext = (value): value is ExecutionContext =>
      typeof value === "object" && value !== null && (#state in value || tellState in value);
  }
}

/** The text that a state of this process came with, if nothing was set since: it travels on as it is. */
function untouched({ keys, carried }: ContextState): ContextCarrier | undefined {
  return keys.length > 0 || carried === null || carried.unparsed === "" ? undefined : carried.unparsed;
}

/** The state behind a public context. */
export function stateOf(context: ExecutionContext): ContextState {
  if (context === null || context === undefined) {
    throw new InvalidOperationError("There is no context: capture() gives null while its flow is suppressed");
  }
  if (!isContext(context)) throw argumentTypeError("context", "an ExecutionContext", context);
  return readState(context);
}
