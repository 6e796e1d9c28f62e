/** What was tried to make the peers fast, as samples instead of a claim: bursts on one thread under every setting that may matter. */
import type { Scale, Scenario } from "../method/scenario.ts";
import { piscina } from "../peers/piscina.ts";
import { poolifier } from "../peers/poolifier.ts";
import type { Product } from "../peers/product.ts";
import { skein } from "../peers/skein.ts";
import { tinypool } from "../peers/tinypool.ts";
import { workerPool } from "../peers/workerpool.ts";
import { poolContender } from "./contender.ts";
import { burst } from "./rounds.ts";

const tried: readonly Product[] = [
  skein,
  ...[8, 64, 512].map((concurrentTasksPerWorker) =>
    piscina({ concurrentTasksPerWorker, recordTiming: false }),
  ),
  piscina({ concurrentTasksPerWorker: 64, atomics: "async" }),
  piscina({ concurrentTasksPerWorker: 64, atomics: "disabled" }),
  piscina({ concurrentTasksPerWorker: 64, atomics: "disabled", recordTiming: false }),
  ...[8, 64, 512].map((concurrentTasksPerWorker) => tinypool({ concurrentTasksPerWorker })),
  tinypool({ concurrentTasksPerWorker: 64, useAtomics: false }),
  workerPool(),
  workerPool("auto"),
  poolifier(),
  poolifier({ enableEvents: false }),
  poolifier({ strategy: "ROUND_ROBIN" }),
  poolifier({ strategy: "LEAST_BUSY" }),
  poolifier({ strategy: "FAIR_SHARE" }),
  poolifier({ queue: 1 }),
  poolifier({ queue: 8 }),
  poolifier({ queue: 512 }),
  poolifier({ queue: 512, strategy: "ROUND_ROBIN", enableEvents: false }),
];

export function settingsScenario(scale: Scale): Scenario {
  const count = scale.pick(10_000, 2000);
  return {
    name: "settings-1",
    title: `Which settings are best for a peer: bursts of ${count} jobs, 1 thread`,
    metrics: [{ key: "perSecond", title: "throughput", unit: "jobs/s", better: "higher" }],
    contenders: tried.map((product) =>
      poolContender(product, {
        threads: 1,
        job: "echo",
        round: async (pool) => ({ perSecond: await burst(pool, count) }),
      }),
    ),
  };
}
