import { AsyncScope } from "./async-scope.ts";
import { carriedFlows, enterFlowsHere } from "./carried-flows.ts";
import type { CarriedFlows } from "./carried-flows.ts";
import { CarriedValues } from "./carried-values.ts";
import { enterStorages, shapeOf } from "./carrier-shape.ts";
import type { CarrierShape } from "./carrier-shape.ts";
import type { ContextCarrier } from "./carrier-text.ts";
import { ContextState } from "./context-state.ts";
import { stateOf } from "./execution-context.ts";
import type { ExecutionContext } from "./execution-context.ts";
import { flows } from "./registered-flows.ts";
import { captureUnder } from "./resource-run.ts";

function newScope(): AsyncScope {
  return new AsyncScope();
}

/**
 * @internal What work runs in whose context came from another thread: that context, the stores that flow entered into their storages,
 * and nothing of anybody else's. The stores are entered once, and each run is in the scope that has captured them.
 */
export class CarriedScope {
  /** Null: it came as `#carrier`, and nobody has asked for more. */
  #state: ContextState | null = null;
  readonly #carrier: ContextCarrier = "";
  /** Null: it is not known that all of it goes into storages. */
  #shape: CarrierShape | null = null;
  /** Null: nothing of the state belongs to a flow, or `#shape` says it. */
  #flows: CarriedFlows | null = null;
  #scope: AsyncScope | null = null;
  /** A flow that comes or goes changes what is in the scope. */
  #asOf = -1;

  /** @param context Or a carrier that `toCarrier` of this process has made: nobody looks at it before it is entered. */
  constructor(context: ExecutionContext | ContextCarrier) {
    if (typeof context === "string") this.#carrier = context;
    else this.#state = stateOf(context);
  }

  /**
   * The same one each time, unless a flow came or went, or a store is mutable: then each has a copy of its own. Runs code of users the
   * first time.
   *
   * @throws what entering a flow throws.
   */
  get(): AsyncScope {
    if (this.#asOf !== flows.changes) this.#findFlows();
    return this.#scope ?? this.#newScope();
  }

  #findFlows(): void {
    this.#asOf = flows.changes;
    this.#scope = this.#shape = this.#flows = null;
    if (flows.isEmpty) return;
    const shape = this.#state === null ? shapeOf(this.#carrier) : null;
    if (shape?.isOfStorages === true) this.#shape = shape;
    else if (shape?.isOfContext !== true) this.#flows = carriedFlows(this.#carried);
  }

  get #carried(): ContextState {
    return (this.#state ??= ContextState.ofCarried(CarriedValues.ofOwn(this.#carrier)));
  }

  #newScope(): AsyncScope {
    const scope = this.#captured();
    // A codec or `enter` may have registered a flow.
    if (this.#flows?.isMutable !== true && this.#asOf === flows.changes) this.#scope = scope;
    return scope;
  }

  #captured(): AsyncScope {
    const shape = this.#shape;
    const carried = this.#flows;
    if (shape !== null) {
      return captureUnder(AsyncScope.root, ContextState.default, () => {
        enterStorages(shape, this.#carrier);
        return newScope();
      });
    }
    if (carried === null) return captureUnder(AsyncScope.root, this.#carried, newScope);
    return captureUnder(AsyncScope.root, carried.rest, () => enterFlowsHere(carried, newScope));
  }
}
