/** One comparison in a process of its own, which is told its index and how many rounds. Both sides take turns. Answers with what each round cost. */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { ThreadPool } from "@skein/pool";
import { wakeAllCores } from "../method/all-cores.ts";
import { answer } from "../method/child.ts";
import { flowStorages } from "./carried.ts";
import { comparisons, type Cost, measure } from "./ways.ts";

const WARM_UPS = 8;
const [index, rounds] = process.argv.slice(2).map(Number) as [number, number];
const comparison = comparisons[index]!;
flowStorages(comparison.flows);
const pool = new ThreadPool({ maxThreads: 1 });
/** What a storage has run leaves an entry in Node's frame: each sample begins without those of the ones before. */
const inFirstFrame = AsyncLocalStorage.snapshot();

async function sample(flowContext: boolean): Promise<Cost> {
  globalThis.gc?.();
  await sleep(2);
  wakeAllCores();
  return await inFirstFrame(measure, pool, comparison, flowContext);
}

const costly: Cost[] = [];
const without: Cost[] = [];
for (let round = -WARM_UPS; round < rounds; round++) {
  for (const flowContext of round % 2 === 0 ? [true, false] : [false, true]) {
    const cost = await sample(flowContext);
    if (round >= 0) (flowContext ? costly : without).push(cost);
  }
}

answer({ costly, without });
