/** Who takes part: every configuration, and the best one of each product, for scenarios that cannot afford all. */
import type { ContenderIdentity } from "./child-contender.ts";
import { comlink } from "../peers/comlink.ts";
import { piscina } from "../peers/piscina.ts";
import { poolifier } from "../peers/poolifier.ts";
import type { Product } from "../peers/product.ts";
import { rawPort, rawPortBatched } from "../peers/raw-port.ts";
import { skein, skeinAllThreads, skeinInline } from "../peers/skein.ts";
import { tinypool } from "../peers/tinypool.ts";
import { workerPool } from "../peers/workerpool.ts";

export const everyone: readonly Product[] = [
  skein,
  skeinInline,
  piscina(),
  piscina({ concurrentTasksPerWorker: 8 }),
  piscina({ concurrentTasksPerWorker: 64 }),
  piscina({ concurrentTasksPerWorker: 512 }),
  tinypool(),
  tinypool({ concurrentTasksPerWorker: 64 }),
  workerPool(),
  poolifier(),
  poolifier({ queue: 64 }),
  poolifier({ strategy: "ROUND_ROBIN", enableEvents: false }),
  poolifier({ dynamic: true }),
  comlink,
  rawPort,
  rawPortBatched,
];

/** Of each product what came out best for trivial jobs: see the scenarios `settings-…` of pool-throughput. */
export const best: readonly Product[] = [
  skein,
  piscina(),
  piscina({ concurrentTasksPerWorker: 64 }),
  tinypool({ concurrentTasksPerWorker: 64 }),
  workerPool(),
  poolifier({ strategy: "ROUND_ROBIN", enableEvents: false }),
  comlink,
  rawPort,
];

/** The same with the defaults of those who have something to set. */
export const defaultAndBest: readonly Product[] = everyone.filter(
  (product) =>
    best.some(({ name }) => name === product.name) ||
    [tinypool(), poolifier()].some(({ name }) => name === product.name),
);

/** No pool: peers/bare-slots.ts. */
export const bareSlots: ContenderIdentity = {
  name: "bare slots",
  kind: "reference",
  product: "bare slots",
  configuration: "our slots, ring and inbox, numbers only",
};

/** For a process of its own, which is told a name. @throws RangeError when nobody has it. */
export function productNamed(name: string): Product {
  const found = [...everyone, ...best, skeinAllThreads].find((product) => product.name === name);
  if (found === undefined) throw new RangeError(`No contender is called "${name}"`);
  return found;
}
