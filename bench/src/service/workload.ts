/** What heavy requests ask for: the same work for every variant, calibrated once for this machine. */
import { stretch } from "./stretch.ts";

export interface Workload {
  readonly steps: number;
  /** What `stretch` gives for the seeds 0, 1, …: what a heavy reply must hold. */
  readonly digests: readonly number[];
}

const SEEDS = 8;
const SAMPLES = 7;
const SAMPLE_STEPS = 2_000_000;

/**
 * Takes about a quarter of a second of CPU. It counts CPU time, not wall time: a busy machine does not make the work smaller.
 *
 * @param cpuMs what one heavy request takes on a thread that has warmed up.
 */
export function calibrate(cpuMs: number): Workload {
  // V8 optimises in here, not in what is measured.
  for (let i = 0; i < 20; i++) stretch(i, 20_000);
  const samples = Array.from({ length: SAMPLES }, (_, seed) => cpuTimeMs(() => stretch(seed, SAMPLE_STEPS)));
  const median = samples.toSorted((a, b) => a - b)[(SAMPLES - 1) / 2]!;
  return workloadOf(Math.max(1, Math.round((SAMPLE_STEPS * cpuMs) / median)));
}

export function workloadOf(steps: number): Workload {
  return { steps, digests: Array.from({ length: SEEDS }, (_, seed) => stretch(seed, steps)) };
}

function cpuTimeMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
