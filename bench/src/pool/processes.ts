/** Trivial jobs on processes, next to tinypool's. */
import type { Metric, Scale, Scenario, Section } from "../method/scenario.ts";
import { skein, skeinProcesses } from "../peers/skein.ts";
import { tinypool } from "../peers/tinypool.ts";
import { poolContender } from "./contender.ts";
import { burst, longEnough, roundTrips } from "./rounds.ts";

const perSecond: Metric = { key: "perSecond", title: "throughput", unit: "jobs/s", better: "higher" };
const p50: Metric = { key: "p50Us", title: "p50", unit: "us", better: "lower" };

const field = [
  skeinProcesses,
  tinypool({ runtime: "child_process" }),
  tinypool({ runtime: "child_process", concurrentTasksPerWorker: 64 }),
  tinypool({ runtime: "child_process", concurrentTasksPerWorker: 64, serialization: "advanced" }),
];

export const processes: Section = {
  name: "processes",
  title: "Processes",
  question: "What does a job cost that runs in another process?",
  method:
    "The job returns its argument, a small integer. Burst: all calls are made at once and awaited together; who is done early begins another " +
    "until the round has lasted long enough to be timed. Round trip: one call after the other. Threads of ours are there to read the rest by.",
  scenarios: (scale) => [
    ...[1, 2].map((count) => burstScenario(scale, count)),
    {
      name: "process-round-trip",
      title: "Round trip, one call after the other, 1 process",
      metrics: [p50],
      contenders: field.map((product) =>
        poolContender(product, {
          threads: 1,
          job: "echo",
          round: async (pool) => ({ p50Us: (await roundTrips(pool)).p50Us }),
        }),
      ),
    },
  ],
  groups: { "process-burst": "Burst" },
  figures: [],
  reasons: [],
};

function burstScenario(scale: Scale, count: number): Scenario {
  const jobs = scale.pick(20_000, 5000);
  return {
    name: `process-burst-${count}`,
    title: `Bursts of ${jobs} jobs, ${count === 1 ? "1 process" : `${count} processes`}`,
    group: "process-burst",
    at: count,
    metrics: [perSecond],
    contenders: [...field, skein].map((product) =>
      poolContender(product, {
        threads: count,
        job: "echo",
        round: async (pool) => ({ perSecond: await longEnough(() => burst(pool, jobs)) }),
      }),
    ),
  };
}
