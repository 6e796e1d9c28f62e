import { AsyncScope } from "@skein/context";
import { CallEndpoint, proxyOf } from "./call-endpoint.ts";
import { Calls, type CallTarget } from "./calls.ts";
import { Exposed } from "./exposed.ts";
import { PortLink } from "./link.ts";
import type { Doors } from "./wire.ts";

/** Values that are not copied bring a port of their own, with the same on both ends. */
export const doors: Doors = {
  expose: (object, port, isCallback) =>
    void new Exposed(object, new PortLink(port, true), doors, { isCallback }),
  wrap: (port) => proxyOver(AsyncScope.root.run(() => new Calls(new PortLink(port, true), doors))),
};

export function proxyOver(target: CallTarget, shape?: object): unknown {
  return proxyOf(new CallEndpoint(target), shape);
}
