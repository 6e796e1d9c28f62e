import {
  pendingNative,
  pendingNativeWide,
  pendingReused,
} from "../../../../packages/scheduling/bench/ways/pending.ts";
import { type Round, costsOf } from "../cost.ts";

export function rounds(
  divisor: number,
): Record<"reused source" | "promise each" | "promise each, a thousand at once", Round> {
  return costsOf(
    {
      "reused source": pendingReused,
      "promise each": pendingNative,
      "promise each, a thousand at once": pendingNativeWide,
    },
    200_000 / divisor,
  );
}
