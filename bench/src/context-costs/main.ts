/**
 * `pnpm bench:context`: what a context costs that flows into jobs, as a ratio to the same calls of which nothing flows; then what tracing
 * costs while nobody traces. One thread. Of the time, and of the CPU of all threads, which counts where the machine is not quiet.
 *
 *     node bench/src/context-costs/main.ts [processes] [rounds] [text that the comparison contains]
 *
 * Of each round the two sides are compared, which stood next to each other in time; of each process, that is the median ratio of its rounds, since one
 * process may be slower than the next from its beginning to its end, on both sides or on one; of all, the median of the processes.
 */
import { runChild } from "../method/child.ts";
import { ratioOfMedians } from "../method/ratio.ts";
import { median } from "../method/statistics.ts";
import { unlistenedNs } from "./unlistened.ts";
import { comparisons, type Cost } from "./ways.ts";

/** Of reading all channels of one operation. */
const UNLISTENED_GOAL_NS = 5;
const [processes = "5", rounds = "12", only = ""] = process.argv.slice(2);

interface Answer {
  readonly costly: readonly Cost[];
  readonly without: readonly Cost[];
}

async function answers(index: number): Promise<Answer[]> {
  const all: Answer[] = [];
  for (let i = 0; i < Number(processes); i++) {
    all.push(
      await runChild<Answer>(new URL("./one-process.ts", import.meta.url), {
        args: [String(index), rounds],
        flags: ["--expose-gc"],
      }),
    );
  }
  return all;
}

console.log(`Node ${process.versions.node}, ${processes} processes of ${rounds} rounds for each\n`);
console.log("| what | of | without | with | ratio | 95 % | goal | met |\n|---|---|---|---|---|---|---|---|");
for (const [index, { what, goal }] of comparisons.entries()) {
  if (!what.includes(only)) continue;
  const all = await answers(index);
  for (const kind of ["time", "cpu"] as const) {
    const ofProcesses = all.map(({ costly, without }) => ({
      ratio: median(costly.map((cost, round) => cost[kind] / without[round]![kind])),
      costly: median(costly.map((cost) => cost[kind])),
      without: median(without.map((cost) => cost[kind])),
    }));
    const ratios = ofProcesses.map(({ ratio }) => ratio);
    // To one: the processes are drawn again for the interval.
    const { value, low, high } = ratioOfMedians(
      ratios,
      ratios.map(() => 1),
    );
    const cells = [
      what,
      kind,
      `${median(ofProcesses.map(({ without }) => without)).toFixed(0)} ns`,
      `${median(ofProcesses.map(({ costly }) => costly)).toFixed(0)} ns`,
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
