import type { Round } from "../cost.ts";
import { smallBatches, type Name, roundsOf } from "../push-through.ts";

export function rounds(divisor: number): Record<Name, Round> {
  return roundsOf(smallBatches, 50_000 / divisor);
}
