/** What the TracingChannel `skein:job:run` costs each job while nobody listens: the very check that a thread makes. */
import { median } from "../method/statistics.ts";
import { someoneTracesRuns } from "../../../packages/pool/src/jobs/run-tracing.ts";

const CALLS = 5_000_000;
const ROUNDS = 15;

let heard = 0;

function withCheck(): number {
  const started = performance.now();
  for (let i = 0; i < CALLS; i++) if (someoneTracesRuns()) heard++;
  return performance.now() - started;
}

function withoutCheck(): number {
  const started = performance.now();
  for (let i = 0; i < CALLS; i++) if (i === -1) heard++;
  return performance.now() - started;
}

export function unlistenedNs(): number {
  const samples = Array.from({ length: ROUNDS }, () => withCheck() - withoutCheck());
  if (heard > 0) throw new Error("somebody listens");
  return (median(samples) * 1e6) / CALLS;
}
