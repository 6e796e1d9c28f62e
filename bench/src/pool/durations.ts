/** Jobs that take time: what part of the machine's work is theirs. */
import { burn } from "../jobs/work.mjs";
import type { Contender, Metric, Scale, Scenario, Section } from "../method/scenario.ts";
import { comlink } from "../peers/comlink.ts";
import { piscina } from "../peers/piscina.ts";
import { poolifier } from "../peers/poolifier.ts";
import type { JobPool, Product } from "../peers/product.ts";
import { rawPort } from "../peers/raw-port.ts";
import { skein } from "../peers/skein.ts";
import { tinypool } from "../peers/tinypool.ts";
import { workerPool } from "../peers/workerpool.ts";
import { stepsPerMs } from "./burn-rate.ts";
import { poolContender } from "./contender.ts";
import { windowedOver } from "./rounds.ts";

const throughput: Metric = { key: "perSecond", title: "throughput", unit: "jobs/s", better: "higher" };
const shareMetrics: readonly Metric[] = [
  { key: "wallShare", title: "useful CPU / (wall x threads)", unit: "%", better: "higher" },
  { key: "cpuShare", title: "useful CPU / CPU used", unit: "%", better: "higher" },
];

const THREADS = 2;
const WINDOW = 128;
const DURATIONS_US = [0, 10, 30, 100, 1000, 10_000];

const field: readonly Product[] = [
  skein,
  piscina(),
  piscina({ concurrentTasksPerWorker: 64 }),
  tinypool({ concurrentTasksPerWorker: 64 }),
  workerPool(),
  poolifier({ strategy: "ROUND_ROBIN", enableEvents: false }),
  comlink,
  rawPort,
];

export const durations: Section = {
  name: "durations",
  title: "Jobs that take time",
  question: "How long must a job be for the machine to spend its time on the job?",
  method:
    "Two threads, a window of calls under way. A job computes a fixed number of steps; how long a step takes alone is measured before the " +
    "rounds. Useful CPU is steps times that. The caller has a thread of its own and needs CPU as well, so on two cores nobody gets all of " +
    "both: the bare loops, two jobs that compute all steps at once, show how much there is to get.",
  scenarios(scale) {
    const rate = stepsPerMs();
    return scale
      .pick(
        DURATIONS_US,
        DURATIONS_US.filter((us) => us === 0 || us === 100),
      )
      .map((us) => durationScenario(scale, us, rate));
  },
  groups: { duration: "Two threads" },
  figures: [
    {
      name: "efficiency",
      question: "What share of two threads is useful work, by length of a job?",
      of: "duration",
      kind: "lines",
      metric: "wallShare",
      x: { title: "microseconds per job", log: true },
    },
    {
      name: "cpu-efficiency",
      question: "What share of the CPU used is useful work, by length of a job?",
      of: "duration",
      kind: "lines",
      metric: "cpuShare",
      x: { title: "microseconds per job", log: true },
    },
  ],
  reasons: [
    {
      of: "duration",
      basis: "code",
      why: "the caller's thread makes and settles a task for each job and carries its context (pool/src/submit/ledger.ts), and looks for results between its turns (pool/src/host/completion-pump.ts): with as many threads as cores that is taken from the jobs. That threads look on before they sleep is not it: with `spinLimitUs: 0` it was no better",
      change: "less work per job on the calling thread, or a core for it",
    },
  ],
};

function durationScenario(scale: Scale, us: number, rate: number): Scenario {
  const steps = Math.round((us / 1000) * rate);
  // About as much work for every length, bounded for the short ones, where the pool is what is measured.
  const count = Math.max(
    scale.pick(32, 8),
    Math.min(scale.pick(20_000, 4000), Math.round(scale.pick(400_000, 60_000) / Math.max(us, 1))),
  );
  const usefulMs = (count * steps) / rate;
  const shares = async (work: () => Promise<number>): Promise<Record<string, number>> => {
    const cpuBefore = process.cpuUsage();
    const wallBefore = performance.now();
    const perSecond = await work();
    const wall = performance.now() - wallBefore;
    const cpu = process.cpuUsage(cpuBefore);
    return {
      perSecond,
      wallShare: (usefulMs / (wall * THREADS)) * 100,
      cpuShare: (usefulMs / ((cpu.user + cpu.system) / 1000)) * 100,
    };
  };
  const result = burn(steps);
  const windowRound = (pool: JobPool): Promise<Record<string, number>> =>
    shares(() => windowedOver(pool, count, WINDOW, steps, result));
  return {
    name: `duration-${us}`,
    title: `Jobs of ${us} us, ${THREADS} threads`,
    group: "duration",
    at: us,
    regression: us === 0 || us === 100,
    // No share of nothing; otherwise the rate is the first of the shares in other words, and not judged twice.
    metrics: us === 0 ? [throughput] : [{ ...throughput, better: "neither" }, ...shareMetrics],
    contenders: [
      ...field.map((product) =>
        poolContender(product, { threads: THREADS, job: "burn", round: windowRound }),
      ),
      ...(us === 0 ? [] : [bareLoops(count, steps, shares)]),
    ],
  };
}

function bareLoops(
  count: number,
  steps: number,
  shares: (work: () => Promise<number>) => Promise<Record<string, number>>,
): Contender {
  const half = Math.round((count * steps) / THREADS);
  return poolContender(
    {
      ...rawPort,
      name: "bare loops",
      product: "bare loops",
      configuration: "two jobs of half of all steps each",
    },
    {
      threads: THREADS,
      job: "burn",
      round: (pool) =>
        shares(async () => {
          const started = performance.now();
          await Promise.all([pool.run(half), pool.run(half)]);
          return (count / (performance.now() - started)) * 1000;
        }),
    },
  );
}
