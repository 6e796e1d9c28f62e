/** The same with a new request, and so a new context, for every job. */
import { type Round, costsOf } from "../cost.ts";
import { carryEach, writeEach } from "./carrying.ts";

export function rounds(divisor: number): Record<"toCarrier" | "JSON", Round> {
  return costsOf({ toCarrier: carryEach, JSON: writeEach }, 20_000 / divisor);
}
