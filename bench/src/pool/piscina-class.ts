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
const WINDOW = 64;

export const piscinaSwap: Section = {
  name: "piscina-class",
  title: "The class Piscina",
  question: "What does a program gain that only swaps Piscina for @skein/piscina?",
  method:
    "The same calls on both classes: `run` of a task that returns its argument. Burst: all tasks are submitted at once and awaited together. Window: a fixed " +
    "number is under way. Round trip: one task after the other. Each with its defaults, and with the settings that are best for Piscina.",
  scenarios: (scale) => [
    ...[1, 2].map((threads) =>
      scenario(`burst-${threads}`, `Bursts of 500 tasks, ${threads} threads`, threads, async (pool) => ({
        perSecond: await longEnough(() => burst(pool, 500)),
      })),
    ),
    scenario("long-burst", `Bursts of ${longBurst(scale)} tasks, 2 threads`, 2, async (pool) => ({
      perSecond: await longEnough(() => burst(pool, longBurst(scale))),
    })),
    scenario("window", `${WINDOW} tasks under way, 2 threads`, 2, async (pool) => ({
      perSecond: await longEnough(() => windowed(pool, 2500, WINDOW)),
    })),
    {
      ...scenario("round-trip", "Round trip, one task after the other, 1 thread", 1, async (pool) => ({
        ...(await roundTrips(pool)),
      })),
      metrics: trips,
    },
  ],
};

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
