import {
  awaitPromise,
  awaitSubclass,
  awaitTask,
  yieldTask,
} from "../../../../packages/scheduling/bench/ways/settled.ts";
import { type Round, costsOf } from "../cost.ts";

export function rounds(
  divisor: number,
): Record<"Task, await" | "Task, generator method" | "promise" | "subclass of Promise", Round> {
  return costsOf(
    {
      "Task, await": awaitTask,
      "Task, generator method": yieldTask,
      promise: awaitPromise,
      "subclass of Promise": awaitSubclass,
    },
    50_000 / divisor,
  );
}
