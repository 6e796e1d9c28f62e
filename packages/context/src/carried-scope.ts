import { AsyncScope } from "./async-scope.ts";
import { carriedFlows, enterFlowsHere } from "./carried-flows.ts";
import type { CarriedFlows } from "./carried-flows.ts";
import { CarriedValues } from "./carried-values.ts";
import { carrierOf, enterStores, shapeOf, storesIn, storesOf } from "./carrier-shape.ts";
import type { CarriedStores, TextOf } from "./carrier-shape.ts";
import type { ContextCarrier } from "./carrier-text.ts";
import { ContextState } from "./context-state.ts";
import { stateOf } from "./execution-context.ts";
import type { ExecutionContext } from "./execution-context.ts";
import { hasOwn } from "./intrinsics.ts";
import { flows } from "./registered-flows.ts";
import { captureUnder } from "./resource-run.ts";

function isStores(from: object): from is CarriedStores {
  return typeof from === "object" && from !== null && hasOwn(from, "texts");
}

function newScope(): AsyncScope {
  return new AsyncScope();
}

/**
 * @internal What work runs in whose context came from another thread: that context, the stores that flow entered into their storages,
 * and nothing of anybody else's. The stores are entered once, and each run is in the scope that has captured them.
 */
export class CarriedScope {
  /** One of these says what came: a state, a carrier, or stores and nothing else. Of a carrier the others are made when they are asked for. */
  #state: ContextState | null = null;
  #carrier: ContextCarrier | null = null;
  #stores: CarriedStores | null = null;
  /** Null: nothing of the state belongs to a flow, or all of it is in `#stores`. */
  #flows: CarriedFlows | null = null;
  #scope: AsyncScope | null = null;
  /** A flow that comes or goes changes what is in the scope. */
  #asOf = -1;

  /** @param from A context; or a carrier that `toCarrier` of this process has made: nobody looks at it before it is entered. */
  constructor(from: ExecutionContext | ContextCarrier | CarriedStores) {
    if (typeof from === "string") {
      this.#carrier = from;
    } else if (isStores(from)) {
      this.#stores = from;
      this.#asOf = from.shape.asOf;
    } else {
      this.#state = stateOf(from);
    }
  }

  /** Of a carrier of this process in UTF-8, from `start` to `end`. */
  static fromBytes(bytes: Uint8Array, start: number, end: number, textOf: TextOf): CarriedScope {
    return new CarriedScope(storesIn(bytes, start, end, textOf) ?? textOf(bytes, start, end));
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
    if (this.#stores !== null) this.#carrier ??= carrierOf(this.#stores);
    this.#scope = this.#stores = this.#flows = null;
    if (flows.isEmpty) return;
    const shape = this.#carrier === null ? null : shapeOf(this.#carrier);
    if (shape?.isOfStorages === true) this.#stores = storesOf(shape, this.#carrier!);
    else if (shape?.isOfContext !== true) this.#flows = carriedFlows(this.#carried);
  }

  get #carried(): ContextState {
    return (this.#state ??= ContextState.ofCarried(CarriedValues.ofOwn(this.#carrier!)));
  }

  #newScope(): AsyncScope {
    const scope = this.#captured();
    // A codec or `enter` may have registered a flow.
    if (this.#flows?.isMutable !== true && this.#asOf === flows.changes) this.#scope = scope;
    return scope;
  }

  #captured(): AsyncScope {
    const stores = this.#stores;
    const carried = this.#flows;
    if (stores !== null) {
      return captureUnder(AsyncScope.root, ContextState.default, () => {
        enterStores(stores);
        return newScope();
      });
    }
    if (carried === null) return captureUnder(AsyncScope.root, this.#carried, newScope);
    return captureUnder(AsyncScope.root, carried.rest, () => enterFlowsHere(carried, newScope));
  }
}
