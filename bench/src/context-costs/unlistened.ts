/** What the TracingChannel `skein:job:run` costs each job while nobody listens: the very check that a thread makes. */
import { median } from "../method/statistics.ts";
import { someoneTracesRuns } from "../../../packages/pool/src/jobs/run-tracing.ts";

const source = { kind: "export", url: import.meta.url, name: "job" } as const;
const CALLS = 2_000_000;
const ROUNDS = 15;

let heard = 0;
let sum = 0;
/** Too many for V8 to know which is called: after each it has to look at the channels anew, as after a job. */
const jobs = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => {
  // oxlint-disable-next-line typescript/no-implied-eval -- a function with code of its own
  return new Function("i", `return i + ${n}`) as (i: number) => number;
});

function withCheck(): number {
  const started = cpuUs();
  for (let i = 0; i < CALLS; i++) {
    sum += jobs[i & 7]!(i);
    if (someoneTracesRuns(source)) heard++;
  }
  return cpuUs() - started;
}

function withoutCheck(): number {
  const started = cpuUs();
  for (let i = 0; i < CALLS; i++) sum += jobs[i & 7]!(i);
  return cpuUs() - started;
}

function cpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

export function unlistenedNs(): number {
  const samples = Array.from({ length: ROUNDS }, () => withCheck() - withoutCheck());
  if (heard > 0 || sum === 0) throw new Error("somebody listens");
  return (median(samples) * 1000) / CALLS;
}
