/** A program that swaps Piscina for our class, and changes nothing else. */
import type { Metric, Scale, Scenario, Section } from "../method/scenario.ts";
import { piscina } from "../peers/piscina.ts";
import { piscinaClass } from "../peers/piscina-class.ts";
import type { JobPool, Product } from "../peers/product.ts";
import { poolContender } from "./contender.ts";
import { burst, longEnough, roundTrips, windowed } from "./rounds.ts";

const perSecond: Metric = { key: "perSecond", title: "throughput", unit: "jobs/s", better: "higher" };
const trips: readonly Metric[] = [
  { key: "p50Us", title: "p50", unit: "us", better: "lower" },
  { key: "p99Us", title: "p99", unit: "us", better: "lower" },
];

/** Defaults, then what came out best for Piscina: the scenario `settings-1` of pool-throughput. */
const field: readonly Product[] = [
  piscinaClass(),
  piscinaClass({ concurrentTasksPerWorker: 64 }),
  piscina(),
  piscina({ concurrentTasksPerWorker: 64 }),
  piscina({ concurrentTasksPerWorker: 64, recordTiming: false }),
];
const BURST = 500;
const WINDOW = 64;

export const piscinaSwap: Section = {
  name: "piscina-class",
  title: "The class Piscina",
  question: "What does a program gain that only swaps Piscina for @skein/piscina?",
  method:
    "The same calls on both classes: `run` of a task that returns its argument. Burst: all tasks are submitted at once and awaited together. Window: a fixed " +
    "number is under way. Round trip: one task after the other. Each with its defaults, and with the settings that are best for Piscina.",
  scenarios: (scale) => [
    ...[1, 2].map(burstScenario),
    scenario("class-long-burst", `Bursts of ${longBurst(scale)} tasks, 2 threads`, 2, async (pool) => ({
      perSecond: await longEnough(() => burst(pool, longBurst(scale))),
    })),
    scenario("class-window", `${WINDOW} tasks under way, 2 threads`, 2, async (pool) => ({
      perSecond: await longEnough(() => windowed(pool, 2500, WINDOW)),
    })),
    {
      ...scenario("class-round-trip", "Round trip, one task after the other, 1 thread", 1, async (pool) => ({
        ...(await roundTrips(pool)),
      })),
      metrics: trips,
    },
  ],
  groups: { "class-burst": `Bursts of ${BURST} tasks` },
  figures: [
    {
      name: "class-burst",
      question: "How many trivial tasks a second, through the class Piscina?",
      of: "class-burst-2",
      kind: "bars",
      metric: "perSecond",
    },
    {
      name: "class-round-trip",
      question: "How long does one task take, one after the other?",
      of: "class-round-trip",
      kind: "bars",
      metric: "p50Us",
    },
  ],
  reasons: [],
};

function burstScenario(threads: number): Scenario {
  const title = `Bursts of ${BURST} tasks, ${threads === 1 ? "1 thread" : `${threads} threads`}`;
  const round = async (pool: JobPool): Promise<Record<string, number>> => ({
    perSecond: await longEnough(() => burst(pool, BURST)),
  });
  return { ...scenario(`class-burst-${threads}`, title, threads, round), group: "class-burst", at: threads };
}

function longBurst(scale: Scale): number {
  return scale.pick(20_000, 5000);
}

function scenario(
  name: string,
  title: string,
  threads: number,
  round: (pool: JobPool) => Promise<Record<string, number>>,
): Scenario {
  return {
    name,
    title,
    regression: true,
    metrics: [perSecond],
    contenders: field.map((product) => poolContender(product, { threads, job: "echo", round })),
  };
}
