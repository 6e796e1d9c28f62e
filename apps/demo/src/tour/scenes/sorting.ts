/** Fork and join: an array in shared memory is sorted on all threads, and this one watches the memory. */
import { ThreadPool } from "@skein/pool";
import { formatCount } from "../../wording.ts";
import type { Scene, Stage } from "../scene.ts";
import type * as Jobs from "./sorting.jobs.ts";

const HEIGHTS = "▁▂▃▄▅▆▇█";

export const sorting: Scene = {
  title: "A fork/join sort over shared memory",
  about:
    "One job sorts, and forks half of what is left at each step. A thread without work takes a piece; the one that waits helps. The main thread only looks at the memory.",
  code: [new URL("sorting.jobs.ts", import.meta.url).href],
  async run(stage) {
    const length = stage.fast ? 50_000 : 4_000_000;
    const data = new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
    // Whole numbers, so that their sum is exact: the same before and after, in any order.
    for (let index = 0; index < length; index++) data[index] = Math.floor(Math.random() * length);
    const sumBefore = sum(data);
    await using pool = new ThreadPool({ name: "sorting", minThreads: 2 });
    pool.start();
    await pool.ready();
    const { sort } = pool.module<typeof Jobs>(new URL("./sorting.jobs.ts", import.meta.url));
    const watch = setInterval(() => stage.draw(bars(data, stage)), 50);
    stage.draw(bars(data, stage));
    await stage.pause(800);
    await sort(data, 0, length);
    clearInterval(watch);
    const { stolen } = pool.stats();
    stage.draw([
      ...bars(data, stage),
      "",
      `${formatCount(stolen)} forked pieces were taken by a thread that had no work`,
    ]);
    stage.check(`${formatCount(length)} numbers are in order`, isSorted(data));
    stage.check("they are the numbers that were there before", sum(data) === sumBefore);
  },
};

/** A sample of the array, as columns. */
function bars(data: Float64Array, { width, style }: Stage): string[] {
  const columns = Math.min(width, 72);
  const levels = Array.from({ length: columns }, (_, column) => {
    const value = data[Math.floor((column * data.length) / columns)]!;
    return Math.min(23, Math.floor((24 * value) / data.length));
  });
  return [2, 1, 0].map((row) =>
    style(
      "cyan",
      levels
        .map((level) => HEIGHTS[Math.max(0, Math.min(7, level - 8 * row))]!)
        .map((bar, column) => (levels[column]! < 8 * row ? " " : bar))
        .join(""),
    ),
  );
}

function isSorted(data: Float64Array): boolean {
  return data.every((value, index) => index === 0 || data[index - 1]! <= value);
}

function sum(data: Float64Array): number {
  return data.reduce((total, value) => total + value, 0);
}
