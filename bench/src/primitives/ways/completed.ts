import {
  awaitCompleted,
  readFresh,
  readKept,
  yieldCompleted,
} from "../../../../packages/scheduling/bench/ways/completed.ts";
import { type Round, costsOf } from "../cost.ts";

export function rounds(
  divisor: number,
): Record<"ValueTask, kept" | "ValueTask, fresh" | "generator method" | "async function", Round> {
  return costsOf(
    {
      "ValueTask, kept": readKept,
      "ValueTask, fresh": readFresh,
      "generator method": yieldCompleted,
      "async function": awaitCompleted,
    },
    200_000 / divisor,
  );
}
