/** The thread that submits is busy with something else: do the pool's threads go on? */
import { setTimeout as sleep } from "node:timers/promises";
import { orderOf } from "../method/interleave.ts";
import type { Contender, Scale, Section } from "../method/scenario.ts";
import { piscina } from "../peers/piscina.ts";
import { poolifier } from "../peers/poolifier.ts";
import type { JobPool, Product } from "../peers/product.ts";
import { rawPort } from "../peers/raw-port.ts";
import { skein } from "../peers/skein.ts";
import { workerPool } from "../peers/workerpool.ts";
import { stepsPerMs } from "./burn-rate.ts";
import { poolContender } from "./contender.ts";

/** One, so that the caller that blocks by computing has a core for itself on the smallest machine. */
const THREADS = 1;
const JOB_MS = 0.2;
const WARM_UP_MS = 100;

const field: readonly Product[] = [
  skein,
  piscina(),
  piscina({ concurrentTasksPerWorker: 64 }),
  piscina({ concurrentTasksPerWorker: 512 }),
  workerPool(),
  poolifier({ strategy: "ROUND_ROBIN", enableEvents: false }),
  rawPort,
];

export const blockedMain: Section = {
  name: "blocked-main",
  title: "A blocked main thread",
  question: "How many of the queued jobs are done while the main thread is blocked?",
  method:
    "More jobs than a thread can do in the time are queued, and count in shared memory. Then, in an order that alternates, the main thread " +
    "waits in its event loop (free), computes without a break (computing), or waits inside of a call (waiting), as a synchronous call of the system does. " +
    "A main thread that computes takes CPU as well: where there is no core to spare, computing shows the competition for it, and waiting shows the pool alone. " +
    "Pools whose queue is on the main thread do what their worker holds already; those without a queue have sent everything to their worker, " +
    "and give up deciding later who does what. tinypool, whose queue is on the main thread as piscina's is, is left out.",
  scenarios: (scale) => {
    const rate = stepsPerMs();
    return [
      {
        name: "blocked",
        title: `Jobs done in ${scale.pick(500, 100)} ms, the main thread free and blocked`,
        metrics: [
          { key: "share", title: "computing / free", unit: "%", better: "higher" },
          { key: "waitingShare", title: "waiting / free", unit: "%", better: "higher" },
          { key: "freeJobs", title: "free", unit: "count", better: "higher" },
          { key: "blockedJobs", title: "computing", unit: "count", better: "higher" },
          { key: "waitingJobs", title: "waiting", unit: "count", better: "higher" },
        ],
        regression: true,
        contenders: field.map((product) => contender(product, rate, scale)),
      },
    ];
  },
  figures: [
    {
      name: "blocked-main",
      question: "What share of the jobs is done while the main thread computes?",
      of: "blocked",
      kind: "bars",
      metric: "share",
    },
    {
      name: "blocked-main-waiting",
      question: "What share of the jobs is done while the main thread is inside of a call that waits?",
      of: "blocked",
      kind: "bars",
      metric: "waitingShare",
    },
  ],
  reasons: [],
};

const phases = {
  freeJobs: (ms: number) => sleep(ms),
  blockedJobs: compute,
  waitingJobs: waitInside,
};
type Phase = keyof typeof phases;
const names = Object.keys(phases) as Phase[];

function contender(product: Product, rate: number, scale: Scale): Contender {
  const steps = Math.round(JOB_MS * rate);
  let rounds = 0;
  return poolContender(product, {
    threads: THREADS,
    job: "tick",
    async round(pool) {
      // The warm-up is round 0, and short.
      const ms = rounds === 0 ? WARM_UP_MS : scale.pick(500, 100);
      const jobs: Record<Phase, number> = { freeJobs: 0, blockedJobs: 0, waitingJobs: 0 };
      for (const name of orderOf(names, rounds++)) jobs[name] = await jobsDone(pool, steps, ms, phases[name]);
      const { freeJobs, blockedJobs, waitingJobs } = jobs;
      return {
        ...jobs,
        share: (blockedJobs / freeJobs) * 100,
        waitingShare: (waitingJobs / freeJobs) * 100,
      };
    },
  });
}

/** Jobs done while `wait` waits; half as many again are queued as fit. */
async function jobsDone(
  pool: JobPool,
  steps: number,
  ms: number,
  wait: (ms: number) => unknown,
): Promise<number> {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const jobs = Array.from({ length: Math.round((ms / JOB_MS) * 1.5) }, () => pool.run({ steps, words }));
  // One turn: what a pool sends at the end of a turn has been sent.
  await sleep(1);
  const before = Atomics.load(words, 0);
  await wait(ms);
  const done = Atomics.load(words, 0) - before;
  Atomics.store(words, 1, 1);
  await Promise.all(jobs);
  return done;
}

function compute(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

function waitInside(ms: number): void {
  Atomics.wait(nobody, 0, 0, ms);
}
