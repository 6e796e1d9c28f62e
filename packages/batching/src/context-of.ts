import { type AsyncScope, CarriedScope } from "@skein/context";
import { argumentRangeError, InvalidOperationError } from "@skein/context/errors";

/** Of one push. What came from another thread is entered when somebody asks: that may run code of users. */
export type PushScope = AsyncScope | CarriedScope;

/** Keyed by the array that the pump gets: whoever has the items has their contexts. */
const scopesByItems = new WeakMap<readonly unknown[], readonly PushScope[]>();

export function attachScopes(items: readonly unknown[], scopes: readonly PushScope[]): void {
  scopesByItems.set(items, scopes);
}

/** The items are kept for a report: that must not keep the contexts of their pushes. */
export function detachScopes(items: readonly unknown[]): void {
  scopesByItems.delete(items);
}

/**
 * The context in which `items[index]` was pushed: our AsyncLocals and every AsyncLocalStorage, or, for an item that came
 * from another thread, the AsyncLocals that flow to threads and the storages with a `flow`. Valid as long as `items` is: until the
 * batch has ended.
 *
 * @example
 * consumer.start(async (items) => {
 *   const rows = items.map((item, i) => ({ item, tenant: contextOf(items, i).run(() => tenant.value) }));
 *   await insert(rows);
 * });
 * @throws InvalidOperationError unless `items` is what a pump was given by a consumer with `flowContext: true`.
 * @throws RangeError when there is no item at `index`; what a `flow` throws where the value of a push is entered.
 */
export function contextOf(items: readonly unknown[], index: number): AsyncScope {
  const scopes = scopesByItems.get(items);
  if (scopes === undefined) {
    throw new InvalidOperationError(
      "No contexts were captured for these items: pass the array that the pump was given, and set `flowContext`",
    );
  }
  const scope = scopes[index];
  if (scope === undefined) throw argumentRangeError("index", `from 0 to ${items.length - 1}`, index);
  return scope instanceof CarriedScope ? scope.get() : scope;
}
