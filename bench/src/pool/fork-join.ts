/** Fork and join: what it costs, and what it gains. */
import { ThreadPool } from "@skein/pool";
import type * as Jobs from "../jobs/fork-join.mjs";
import type { Contender, Metric, Sample, Scale, Scenario, Section } from "../method/scenario.ts";
import { jobFile } from "../peers/product.ts";
import { queensContenders } from "./queens.ts";
import { sortContenders } from "./sort.ts";

/** These jobs are JavaScript themselves: the compiler takes its time, in each thread for itself. */
const WARM_UPS = 4;

const milliseconds: readonly Metric[] = [{ key: "ms", title: "time", unit: "ms", better: "lower" }];

export const forkJoin: Section = {
  name: "fork-join",
  title: "Fork and join",
  question: "What does it cost to divide a job, and what is gained?",
  method:
    "Cost: a job forks a function and joins it at once, many times, on a pool of one thread, so that nobody else takes it. " +
    "fib forks at every level: nothing but forks. Merge sort of random numbers in shared memory, and n queens: alone on the main thread, with " +
    "fork and join on one thread and two, and with piscina, where the caller divides by hand into jobs and merges by jobs.",
  scenarios: (scale) => [
    costScenario(scale),
    fibScenario(scale),
    {
      name: "sort",
      title: `Merge sort of ${scale.pick(2_000_000, 200_000)} numbers`,
      metrics: milliseconds,
      regression: true,
      warmUps: WARM_UPS,
      contenders: sortContenders(scale.pick(2_000_000, 200_000)),
    },
    {
      name: "queens",
      title: `${scale.pick(13, 11)} queens`,
      metrics: milliseconds,
      regression: true,
      warmUps: WARM_UPS,
      contenders: queensContenders(scale.pick(13, 11)),
    },
  ],
  figures: [
    {
      name: "sort",
      question: "How long does a merge sort take?",
      of: "sort",
      kind: "bars",
      metric: "ms",
    },
    {
      name: "queens",
      question: "How long do the queens take?",
      of: "queens",
      kind: "bars",
      metric: "ms",
    },
  ],
  reasons: [
    {
      of: "fib",
      basis: "code",
      why: "a fork is a job that could be stolen, and a call is a call",
      change: "nothing: fork pieces that take microseconds and more",
    },
    {
      of: "sort",
      why: "dividing by hand makes a few large parts, and merges them in as few jobs; forking down to small parts pays for each fork",
      change: "a coarser cut, as by hand",
    },
    {
      of: "queens",
      why: "one flat list of parts needs no joins inside jobs",
      change: "`parallelFor` over a list of first rows",
    },
  ],
};

function costScenario(scale: Scale): Scenario {
  const count = scale.pick(100_000, 20_000);
  const metric = (args: number): Metric => ({
    key: `args${args}`,
    title: args === 1 ? "1 argument" : `${args} arguments`,
    unit: "ns",
    better: "lower",
  });
  return {
    name: "fork-cost",
    title: "Fork and join, not stolen, numbers as arguments",
    metrics: [0, 1, 2].map(metric),
    regression: true,
    warmUps: WARM_UPS,
    contenders: [
      onOneThread("skein", async (jobs) => ({
        args0: await jobs.forkCost(0, count),
        args1: await jobs.forkCost(1, count),
        args2: await jobs.forkCost(2, count),
      })),
    ],
  };
}

function fibScenario(scale: Scale): Scenario {
  const n = scale.pick(24, 18);
  return {
    name: "fib",
    title: `fib(${n}), forking at every level`,
    metrics: [
      { key: "nsPerFork", title: "added by a fork", unit: "ns", better: "lower" },
      { key: "forkedMs", title: "forked", unit: "ms", better: "lower" },
      { key: "aloneMs", title: "called", unit: "ms", better: "neither" },
    ],
    regression: true,
    warmUps: WARM_UPS,
    contenders: [
      onOneThread("skein", async (jobs) => {
        const { aloneMs, forkedMs } = await jobs.fibCost(n);
        return { aloneMs, forkedMs, nsPerFork: ((forkedMs - aloneMs) / forksOf(n)) * 1e6 };
      }),
    ],
  };
}

/** Every call with n >= 2 forks once. */
function forksOf(n: number): number {
  let [previous, current] = [0, 0];
  for (let i = 2; i <= n; i++) [previous, current] = [current, previous + current + 1];
  return current;
}

type JobModule = {
  [K in keyof typeof Jobs]: (
    ...args: Parameters<(typeof Jobs)[K]>
  ) => PromiseLike<ReturnType<(typeof Jobs)[K]>>;
};

function onOneThread(name: string, round: (jobs: JobModule) => Promise<Sample>): Contender {
  return {
    name,
    kind: "skein",
    product: "skein",
    configuration: "maxThreads: 1",
    async open() {
      const pool = new ThreadPool({ maxThreads: 1 });
      const jobs = pool.module<typeof Jobs>(jobFile("fork-join"));
      await Promise.resolve();
      return {
        round: () => round(jobs),
        async close() {
          await pool.close();
        },
      };
    },
  };
}
