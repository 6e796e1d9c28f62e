import { AsyncScope } from "./async-scope.ts";
import { carriedFlows, enterFlowsHere } from "./carried-flows.ts";
import type { CarriedFlows } from "./carried-flows.ts";
import type { ContextState } from "./context-state.ts";
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
  readonly #state: ContextState;
  #flows: CarriedFlows | null = null;
  #scope: AsyncScope | null = null;
  /** A flow that comes or goes changes what is in the scope. */
  #asOf = -1;

  constructor(context: ExecutionContext) {
    this.#state = stateOf(context);
  }

  /**
   * The same one each time, unless a flow came or went, or a store is mutable: then each has a copy of its own. Runs code of users the
   * first time.
   *
   * @throws what entering a flow throws.
   */
  get(): AsyncScope {
    if (this.#asOf !== flows.changes) {
      this.#asOf = flows.changes;
      this.#scope = null;
      this.#flows = carriedFlows(this.#state);
    }
    if (this.#scope !== null) return this.#scope;
    const carried = this.#flows;
    if (carried === null) return (this.#scope = captureUnder(AsyncScope.root, this.#state, newScope));
    const scope = captureUnder(AsyncScope.root, carried.rest, () => enterFlowsHere(carried, newScope));
    // A codec or `enter` may have registered a flow.
    if (!carried.isMutable && this.#asOf === flows.changes) this.#scope = scope;
    return scope;
  }
}
