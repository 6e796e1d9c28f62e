import { TaskCompletionSource } from "@skein/scheduling";
import {
  resolveThen,
  setResultContinuation,
  setResultThen,
} from "../../../../packages/scheduling/bench/ways/settling.ts";
import { type Round, type Way, costsOf } from "../cost.ts";

export function rounds(
  divisor: number,
): Record<
  "awaiter, inline" | "then, inline" | "then, asynchronous" | "then, yield" | "promise, then",
  Round
> {
  return costsOf(
    {
      "awaiter, inline": setResultContinuation,
      "then, inline": setResultThen("inline"),
      "then, asynchronous": untilRun("asynchronous"),
      "then, yield": untilRun("yield"),
      "promise, then": resolveThen,
    },
    50_000 / divisor,
  );
}

/** What was put off belongs to the operation. Continuations of one policy run in order: when this one has run, all have. */
function untilRun(continuations: "asynchronous" | "yield"): Way {
  const way = setResultThen(continuations);
  return (count) => {
    const last = new TaskCompletionSource<void>({ continuations });
    way(count);
    last.setResult();
    return last.task;
  };
}
