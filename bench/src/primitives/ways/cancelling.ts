import { abortOne, cancelOne } from "../../../../packages/scheduling/bench/ways/cancelling.ts";
import { type Round, costsOf } from "../cost.ts";

export function rounds(divisor: number): Record<"CancellationTokenSource" | "AbortController", Round> {
  return costsOf({ CancellationTokenSource: cancelOne, AbortController: abortOne }, 10_000 / divisor);
}
