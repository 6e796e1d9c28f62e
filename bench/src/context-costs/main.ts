/**
 * `pnpm bench:context`: what a context costs that flows into jobs, as a ratio to the same calls of which nothing flows; then what tracing
 * costs while nobody traces. One thread; both sides take turns, and a ratio is that of their medians. Of the time, and of the CPU of all threads,
 * which counts where the machine is not quiet.
 *
 *     node --expose-gc bench/src/context-costs/main.ts [rounds] [text that the comparison contains]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ThreadPool } from "@skein/pool";
import { wakeAllCores } from "../method/all-cores.ts";
import { ratioOfMedians } from "../method/ratio.ts";
import { median } from "../method/statistics.ts";
import { unlistenedNs } from "./unlistened.ts";
import { comparisons, type Cost, measure, type Way } from "./ways.ts";

const JOBS = 20_000;
const WARM_UPS = 3;
/** Of reading all channels of one operation. */
const UNLISTENED_GOAL_NS = 5;
const [rounds = "15", only = ""] = process.argv.slice(2);

async function sample(pool: ThreadPool, way: Way): Promise<Cost> {
  globalThis.gc?.();
  await sleep(2);
  wakeAllCores();
  return await measure(pool, way);
}

await using pool = new ThreadPool({ maxThreads: 1 });
console.log(`Node ${process.versions.node}, ${rounds} rounds\n`);
console.log("| what | of | without | with | ratio | 95 % | goal | met |\n|---|---|---|---|---|---|---|---|");
for (const { what, costly, without, goal } of comparisons(JOBS)) {
  if (!what.includes(only)) continue;
  const withIt: Cost[] = [];
  const withoutIt: Cost[] = [];
  for (let round = -WARM_UPS; round < Number(rounds); round++) {
    const order = round % 2 === 0 ? [costly, without] : [without, costly];
    for (const way of order) {
      const cost = await sample(pool, way);
      if (round >= 0) (way === costly ? withIt : withoutIt).push(cost);
    }
  }
  for (const kind of ["time", "cpu"] as const) {
    const [costs, others] = [withIt, withoutIt].map((all) => all.map((each) => each[kind])) as [
      number[],
      number[],
    ];
    const { value, low, high } = ratioOfMedians(costs, others);
    const cells = [
      what,
      kind,
      `${median(others).toFixed(0)} ns`,
      `${median(costs).toFixed(0)} ns`,
      value.toFixed(2),
      `${low.toFixed(2)}–${high.toFixed(2)}`,
      `<= ${goal}`,
      value <= goal ? "yes" : "NO",
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}
const ns = unlistenedNs();
console.log(
  `\nskein:job:run while nobody listens: ${ns.toFixed(1)} ns a job, goal <= ${UNLISTENED_GOAL_NS}: ${ns <= UNLISTENED_GOAL_NS ? "yes" : "NO"}`,
);
