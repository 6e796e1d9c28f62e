import { argumentTypeError, requireFunction } from "@skein/context/errors";

/** Of a pool: see `on`. */
export type PoolEvent = "drain";

export function checkListener(event: unknown, listener: unknown): void {
  if (event !== "drain") throw argumentTypeError("event", '"drain"', event);
  requireFunction("listener", listener);
}
