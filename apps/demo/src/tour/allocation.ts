/** How many bytes a way of doing something allocates each time. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Few enough not to fill V8's young generation: a collection within a round would hide what was allocated. */
const TIMES = 1000;
const WARM_UP_ROUNDS = 200;
const ROUNDS = 15;

/** The median of some rounds. @param way does the thing so many times. */
export async function bytesEach(way: (times: number) => PromiseLike<unknown> | void): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // Until V8 has optimised it, it allocates what it does not later. On this thread: on a busy machine that takes longer on another one.
  setFlagsFromString("--no-concurrent-recompilation");
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await way(TIMES);
  setFlagsFromString("--concurrent-recompilation");
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    collect();
    await way(TIMES);
    const before = process.memoryUsage().heapUsed;
    await way(TIMES);
    rounds.push((process.memoryUsage().heapUsed - before) / TIMES);
  }
  return Math.max(0, rounds.toSorted((a, b) => a - b)[ROUNDS >> 1]!);
}

/** A bar for each way, as long as it is heavy. */
export function bytesChart(
  bytes: Readonly<Record<string, number>>,
  width: number,
  paint: (bar: string) => string,
): string[] {
  const names = Object.keys(bytes);
  const label = Math.max(...names.map((name) => name.length));
  const room = Math.max(10, width - label - 14);
  const most = Math.max(1, ...Object.values(bytes));
  return names.map((name) => {
    const bar = "█".repeat(Math.round((bytes[name]! / most) * room));
    return `${name.padEnd(label)}  ${paint(bar)}${bar === "" ? "" : " "}${bytes[name]!.toFixed(0)} bytes`;
  });
}
