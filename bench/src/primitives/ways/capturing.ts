import { captureAndRun, snapshotAndRun } from "../../../../packages/scheduling/bench/ways/capturing.ts";
import { type Round, costsOf } from "../cost.ts";

export function rounds(divisor: number): Record<"ExecutionContext" | "AsyncLocalStorage.snapshot", Round> {
  return costsOf(
    { ExecutionContext: captureAndRun, "AsyncLocalStorage.snapshot": snapshotAndRun },
    50_000 / divisor,
  );
}
