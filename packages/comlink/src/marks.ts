/** What is sent as a proxy, and not copied. */
import type * as Comlink from "comlink";

/**
 * As in Comlink: a class whose instances have this property set to `true` is never copied. A symbol of our own: Comlink would send what has
 * its own without context.
 */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- for the types of Comlink, which ask for its symbol
export const proxyMarker: typeof Comlink.proxyMarker = Symbol.for(
  "skein.comlink.proxy",
) as unknown as typeof Comlink.proxyMarker;

/**
 * Marks an object to be sent as a proxy wherever it goes: as an argument, inside one, or as a result. Both sides then work on the same
 * object. Functions among arguments are sent like this anyway.
 *
 * @returns the same object.
 * @throws TypeError when it cannot have properties added.
 * @see https://github.com/GoogleChromeLabs/comlink#comlinktransfervalue-transferables-and-comlinkproxyvalue
 */
export function proxy<T extends {}>(object: T): T & Comlink.ProxyMarked {
  return Object.assign(object, { [proxyMarker]: true as const });
}

export function isMarked(value: unknown): value is object {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    (value as { readonly [proxyMarker]?: unknown })[proxyMarker] === true
  );
}
