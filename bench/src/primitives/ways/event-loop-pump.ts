import type { Round } from "../cost.ts";
import { eventLoopPump, type Name, roundsOf } from "../push-through.ts";

export function rounds(divisor: number): Record<Name, Round> {
  return roundsOf(eventLoopPump, 100_000 / divisor);
}
