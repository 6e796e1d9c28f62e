/** The thread that submits is busy with something else: do the pool's threads go on? */
import { setTimeout as sleep } from "node:timers/promises";
import type { Scale, Section } from "../method/scenario.ts";
import { piscina } from "../peers/piscina.ts";
import { poolifier } from "../peers/poolifier.ts";
import type { JobPool, Product } from "../peers/product.ts";
import { rawPort } from "../peers/raw-port.ts";
import { skein } from "../peers/skein.ts";
import { tinypool } from "../peers/tinypool.ts";
import { workerPool } from "../peers/workerpool.ts";
import { stepsPerMs } from "./burn-rate.ts";
import { poolContender } from "./contender.ts";

/** One, so that the caller that blocks by computing has a core for itself on the smallest machine. */
const THREADS = 1;
const JOB_MS = 0.2;

const field: readonly Product[] = [
  skein,
  piscina(),
  piscina({ concurrentTasksPerWorker: 64 }),
  piscina({ concurrentTasksPerWorker: 512 }),
  tinypool({ concurrentTasksPerWorker: 64 }),
  workerPool(),
  poolifier({ strategy: "ROUND_ROBIN", enableEvents: false }),
  rawPort,
];

export const blockedMain: Section = {
  name: "blocked-main",
  title: "A blocked main thread",
  question: "How many of the queued jobs are done while the main thread computes for a second?",
  method:
    "More jobs than a thread can do in the time are queued; then the main thread waits in its event loop (free), and in the other half of " +
    "the round computes without a break (blocked). Jobs count in shared memory. Pools whose queue is on the main thread do what their " +
    "worker holds already; those without a queue have sent everything to their worker, and give up deciding later who does what.",
  scenarios: (scale) => {
    const rate = stepsPerMs();
    return [
      {
        name: "blocked",
        title: `Jobs done in ${scale.pick(1000, 200)} ms, the main thread free and blocked`,
        metrics: [
          { key: "share", title: "blocked / free", unit: "%", better: "higher" },
          { key: "blockedJobs", title: "blocked", unit: "count", better: "higher" },
          { key: "freeJobs", title: "free", unit: "count", better: "higher" },
        ],
        warmUps: 0,
        regression: true,
        contenders: field.map((product) =>
          poolContender(product, {
            threads: THREADS,
            job: "tick",
            round: (pool) => round(pool, rate, scale),
          }),
        ),
      },
    ];
  },
  figures: [
    {
      name: "blocked-main",
      question: "What share of the jobs is done while the main thread is blocked?",
      of: "blocked",
      kind: "bars",
      metric: "share",
    },
  ],
  reasons: [],
};

async function round(pool: JobPool, rate: number, scale: Scale): Promise<Record<string, number>> {
  const ms = scale.pick(1000, 200);
  const steps = Math.round(JOB_MS * rate);
  await phase(pool, steps, 20, 20, (duration) => sleep(duration));
  // Half as many again as fit.
  const count = Math.round((ms / JOB_MS) * 1.5);
  const freeJobs = await phase(pool, steps, count, ms, (duration) => sleep(duration));
  const blockedJobs = await phase(pool, steps, count, ms, block);
  return { freeJobs, blockedJobs, share: (blockedJobs / freeJobs) * 100 };
}

/** Jobs done while `wait` waits. */
async function phase(
  pool: JobPool,
  steps: number,
  count: number,
  ms: number,
  wait: (ms: number) => unknown,
): Promise<number> {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const jobs = Array.from({ length: count }, () => pool.run({ steps, words }));
  // One turn: what a pool sends at the end of a turn has been sent.
  await sleep(1);
  const before = Atomics.load(words, 0);
  await wait(ms);
  const done = Atomics.load(words, 0) - before;
  Atomics.store(words, 1, 1);
  await Promise.all(jobs);
  return done;
}

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
