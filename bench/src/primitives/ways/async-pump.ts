import type { Round } from "../cost.ts";
import { asyncPump, type Name, roundsOf } from "../push-through.ts";

export function rounds(divisor: number): Record<Name, Round> {
  return roundsOf(asyncPump, 100_000 / divisor);
}
