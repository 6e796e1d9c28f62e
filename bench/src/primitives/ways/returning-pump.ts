import type { Round } from "../cost.ts";
import { returningPump, type Name, roundsOf } from "../push-through.ts";

export function rounds(divisor: number): Record<Name, Round> {
  return roundsOf(returningPump, 100_000 / divisor);
}
