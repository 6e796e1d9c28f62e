/** Trivial jobs: bursts, windows, round trips, for one thread and more. */
import type { Contender, Metric, Scale, Scenario, Section } from "../method/scenario.ts";
import type { Product } from "../peers/product.ts";
import { rawPortBatched } from "../peers/raw-port.ts";
import { openRing, type Ring } from "../peers/ring.ts";
import { poolContender } from "./contender.ts";
import { defaultAndBest, everyone } from "./field.ts";
import { settingsScenario } from "./peer-settings.ts";
import {
  burst,
  expectSame,
  latencies,
  type Latencies,
  longEnough,
  ROUND_MS,
  roundTrips,
  spacedTrips,
  windowed,
} from "./rounds.ts";

const perSecond: Metric = { key: "perSecond", title: "throughput", unit: "jobs/s", better: "higher" };
const trips: readonly Metric[] = [
  { key: "p50Us", title: "p50", unit: "us", better: "lower" },
  { key: "p99Us", title: "p99", unit: "us", better: "lower" },
];

const WINDOW = 256;
/** Long enough for every thread to have fallen asleep. */
const PAUSE_MS = 5;
/** At its rate a burst as long as the pools' would be over before the clock has moved. */
const RING_BURST = 1_000_000;
const THREADS = [1, 2, 4, 8];

/** Of all lines that would lie on top of each other, one or two of each product; the tables have everybody. */
const drawn: readonly string[] = [...defaultAndBest.map(({ name }) => name), rawPortBatched.name];

export const throughput: Section = {
  name: "pool-throughput",
  title: "Trivial jobs",
  question: "What does the pool itself cost, when the job costs nothing?",
  method:
    "The job returns its argument, a small integer. Burst: all calls are made at once and awaited together. Window: a fixed number of " +
    "calls is under way, each that returns makes the next. Round trip: one call after the other, at once or after a pause. Everybody gets bursts and windows of the same " +
    "length; who is done early begins another until the round has lasted long enough to be timed. With one thread every setting takes part, with " +
    "more the default and the best one of each. Skein may have 4 or 8 threads there, as everybody, and starts as many as there are cores, unless jobs " +
    "wait while cores are idle. The bare ring moves numbers between two threads " +
    "without promises or anything else one would miss: a limit, not a pool.",
  scenarios: (scale) => [
    ...scale.pick(THREADS, [1, 2]).map((threads) => burstScenario(scale, threads)),
    ...scale.pick(THREADS, [1]).map((threads) => windowScenario(scale, threads)),
    ...scale.pick([1, 2], [1]).map((threads) => tripScenario(scale, threads)),
    pauseScenario(scale),
    ...scale.pick([settingsScenario(scale)], []),
  ],
  groups: { burst: "Burst", window: "Window", "round-trip": "Round trip" },
  figures: [
    {
      name: "burst",
      question: "How many trivial jobs a second, all submitted at once?",
      of: "burst",
      kind: "lines",
      metric: "perSecond",
      contenders: drawn,
      x: { title: "threads", log: true },
      log: true,
    },
    {
      name: "window",
      question: "How many trivial jobs a second, with a bounded number under way?",
      of: "window",
      kind: "lines",
      metric: "perSecond",
      contenders: drawn,
      x: { title: "threads", log: true },
      log: true,
    },
    {
      name: "round-trip",
      question: "How long does one call take, one after the other?",
      of: "round-trip-1",
      kind: "bars",
      metric: "p50Us",
      log: true,
    },
  ],
  reasons: [
    {
      of: "after-a-pause",
      basis: "measured",
      evidence: "`node packages/pool/bench/pauses.ts`, and the same with `--warmUps 30000`",
      why: "it is not how thread and caller sleep: woken by a message, by `Atomics.wait` or by `Atomics.waitAsync`, a thread without a pool answers sooner than with any peer. It is the JavaScript of a call, on either thread, of which V8 has compiled little after so few calls: after many it takes little more than half the time. That the rest is code which a pause has left out of the processor's caches is supposed",
      change: "less code in a call",
    },
    {
      of: "round-trip",
      metric: "p99Us",
      why: "the slowest trips are those in which the collector runs or a thread has fallen asleep: see a call after a pause",
      change: "fewer bytes per job on the calling thread; a longer spin, at the price of CPU",
    },
  ],
};

function field({ mode }: Scale, threads: number): readonly Product[] {
  return mode === "full" && threads === 1 ? everyone : defaultAndBest;
}

function burstScenario(scale: Scale, threads: number): Scenario {
  const count = scale.pick(20_000, 5000);
  return {
    name: `burst-${threads}`,
    title: `Bursts of ${count} jobs, ${threadsText(threads)}`,
    group: "burst",
    at: threads,
    regression: threads <= 2,
    metrics: [perSecond],
    contenders: [
      ...field(scale, threads).map((product) =>
        poolContender(product, {
          threads,
          job: "echo",
          round: async (pool) => ({ perSecond: await longEnough(() => burst(pool, count)) }),
        }),
      ),
      ...(threads === 1
        ? [ringContender(async (ring) => ({ perSecond: await ringBurst(ring, RING_BURST) }))]
        : []),
    ],
  };
}

function windowScenario(scale: Scale, threads: number): Scenario {
  const count = scale.pick(10_000, 2500);
  return {
    name: `window-${threads}`,
    title: `Window of ${WINDOW} calls under way, ${threadsText(threads)}`,
    group: "window",
    at: threads,
    regression: threads === 1,
    metrics: [perSecond],
    contenders: field(scale, threads).map((product) =>
      poolContender(product, {
        threads,
        job: "echo",
        round: async (pool) => ({ perSecond: await longEnough(() => windowed(pool, count, WINDOW)) }),
      }),
    ),
  };
}

function tripScenario(scale: Scale, threads: number): Scenario {
  return {
    name: `round-trip-${threads}`,
    title: `Round trip, one call after the other, ${threadsText(threads)}`,
    group: "round-trip",
    at: threads,
    regression: threads === 1,
    metrics: trips,
    contenders: [
      ...field(scale, threads).map((product) =>
        poolContender(product, {
          threads,
          job: "echo",
          round: async (pool) => ({ ...(await roundTrips(pool)) }),
        }),
      ),
      ...(threads === 1 ? [ringContender((ring) => Promise.resolve({ ...ringTrips(ring) }))] : []),
    ],
  };
}

/** What most services see: nothing for a while, then a call. */
function pauseScenario(scale: Scale): Scenario {
  const count = scale.pick(50, 20);
  return {
    name: "after-a-pause",
    title: `A call after ${PAUSE_MS} ms without any, 1 thread`,
    regression: true,
    metrics: trips,
    contenders: defaultAndBest.map((product) =>
      poolContender(product, {
        threads: 1,
        job: "echo",
        round: async (pool) => ({ ...(await spacedTrips(pool, count, PAUSE_MS)) }),
      }),
    ),
  };
}

function ringContender(round: (ring: Ring) => Promise<Record<string, number>>): Contender {
  return {
    name: "bare ring",
    kind: "reference",
    product: "bare ring",
    configuration: "two rings of numbers in shared memory",
    async open() {
      const ring = openRing();
      await ring.burst(1);
      return {
        round: () => round(ring),
        async close() {
          await ring.close();
        },
      };
    },
  };
}

async function ringBurst(ring: Ring, count: number): Promise<number> {
  const started = performance.now();
  await ring.burst(count);
  return (count / (performance.now() - started)) * 1000;
}

function ringTrips(ring: Ring): Latencies {
  const us: number[] = [];
  const until = performance.now() + ROUND_MS;
  while (performance.now() < until) {
    const started = performance.now();
    expectSame(ring.roundTrip(us.length), us.length);
    us.push((performance.now() - started) * 1000);
  }
  return latencies(us);
}

function threadsText(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}
