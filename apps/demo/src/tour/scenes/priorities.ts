/** High priority goes first, and yet the others get their turn. */
import { ThreadPool } from "@skein/pool";
import type { Priority } from "@skein/pool";
import type { Scene, Stage } from "../scene.ts";
import type * as Jobs from "./priorities.jobs.ts";

const COUNTS = { low: 4, normal: 24, high: 200 } as const;
const COLOURS = { low: "magenta", normal: "yellow", high: "cyan" } as const;
const LETTERS = { low: "L", normal: "n", high: "·" } as const;

export const priorities: Scene = {
  title: "Priorities, and aging",
  about:
    "One thread is held up while jobs pile up: first low (L), then normal (n), then a flood of high ones (·). Then it is let go. High goes first, but every eighth look begins with normal and every 64th with low, so nobody starves.",
  code: [import.meta.url],
  async run(stage) {
    await using pool = new ThreadPool({ name: "priorities", minThreads: 1, maxThreads: 1 });
    const jobs = pool.module<typeof Jobs>(new URL("./priorities.jobs.ts", import.meta.url));
    const total = Object.values(COUNTS).reduce((sum, count) => sum + count, 0);
    const order = new Int32Array(new SharedArrayBuffer(4 * (total + 1)));
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const held = jobs.hold(gate);
    while (pool.stats().threads.running === 0) await new Promise(setImmediate);
    const ms = stage.fast ? 0 : 8;
    const of: Priority[] = [];
    const tasks: PromiseLike<void>[] = [];
    for (const [priority, count] of Object.entries(COUNTS) as [Priority, number][]) {
      for (let made = 0; made < count; made++) {
        const index = of.push(priority) - 1;
        // tour: begin
        tasks.push(pool.run(jobs.takeNumber, [order, index, ms], { priority }));
        // tour: end
      }
    }
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    const watch = setInterval(() => stage.draw(strip(ranOf(order, of), stage)), 40);
    await Promise.all([held, ...tasks]);
    clearInterval(watch);
    const ran = ranOf(order, of);
    stage.draw(strip(ran, stage));
    stage.check(`each of ${total} jobs ran once`, ran.length === total && !ran.includes(undefined));
    // One look in eight begins elsewhere.
    const highFirst = ran.slice(0, 64).filter((priority) => priority === "high").length;
    stage.check(`${highFirst} of the first 64 were high, though those were submitted last`, highFirst >= 48);
    stage.check(
      "normal and low had turns while high ones waited",
      ran.indexOf("low") < ran.lastIndexOf("high") && ran.indexOf("normal") < ran.lastIndexOf("high"),
    );
  },
};

/** Who ran, in the order in which they ran. */
function ranOf(order: Int32Array, of: readonly Priority[]): (Priority | undefined)[] {
  const ran: (Priority | undefined)[] = [];
  for (const [index, priority] of of.entries()) {
    const place = order[index + 1]!;
    if (place > 0) ran[place - 1] = priority;
  }
  return Array.from(ran);
}

function strip(ran: readonly (Priority | undefined)[], { width, style }: Stage): string[] {
  const perLine = Math.min(64, width);
  const letters = ran.map((priority) =>
    priority === undefined ? " " : style(COLOURS[priority], LETTERS[priority]),
  );
  const lines = Array.from({ length: Math.ceil(letters.length / perLine) }, (_, line) =>
    letters.slice(line * perLine, (line + 1) * perLine).join(""),
  );
  return ["in the order in which they ran:", ...lines];
}
