import {
  awaitPromise,
  awaitSubclass,
  awaitTask,
  awaitThenable,
  yieldTask,
} from "../../../../packages/scheduling/bench/ways/settled.ts";
import { type Round, costsOf } from "../cost.ts";

export function rounds(
  divisor: number,
): Record<
  "Task, await" | "Task, generator method" | "promise" | "subclass of Promise" | "bare thenable",
  Round
> {
  return costsOf(
    {
      "Task, await": awaitTask,
      "Task, generator method": yieldTask,
      promise: awaitPromise,
      "subclass of Promise": awaitSubclass,
      "bare thenable": awaitThenable,
    },
    50_000 / divisor,
  );
}
