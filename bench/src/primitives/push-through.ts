/** Items collected per slot and handed on in batches. The contenders are those of the package's own benchmark. */
import { contenders, type Workload } from "../../../packages/batching/bench/contenders.ts";
import { type Round, type Way, costsOf } from "./cost.ts";

const PUSHES_PER_TURN = 10_000;
const common = { slots: 4, intervalMs: 5, concurrency: 4 };

export type Name = "skein" | "p-queue" | "DataLoader";

export function roundsOf(workload: Workload, count: number): Record<Name, Round> {
  return costsOf(
    {
      skein: pushThrough("skein", workload),
      "p-queue": pushThrough("p-queue", workload),
      DataLoader: pushThrough("dataloader", workload),
    },
    count,
  );
}

function pushThrough(name: string, workload: Workload): Way {
  return async (count) => {
    const contender = contenders[name]!(workload);
    for (let pushed = 0; pushed < count;) {
      for (let i = 0; i < PUSHES_PER_TURN && pushed < count; i++)
        contender.push(pushed++, i % workload.slots);
      await new Promise(setImmediate);
    }
    await contender.finish();
  };
}

export const returningPump: Workload = { ...common, batchSize: 100, pump: () => {} };
export const asyncPump: Workload = { ...common, batchSize: 100, pump: async () => {} };
export const smallBatches: Workload = { ...common, batchSize: 10, pump: async () => {} };
export const eventLoopPump: Workload = {
  ...common,
  batchSize: 100,
  pump: () => new Promise((resolve) => setImmediate(resolve)),
};
