/**
 * A call after a pause, next to the barest ways to wake a thread that sleeps and to be told by it: what sleeping costs, and what a call does
 * besides. From the built package.
 *
 *   pnpm build && node packages/pool/bench/pauses.ts [--rounds 8] [--calls 50] [--pauseMs 5] [--warmUps 20]
 *
 * Medians in microseconds: until the call returns; until the job runs; from there until who awaits it goes on; all together.
 */
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { ThreadPool } from "@skein/pool";
import * as Jobs from "./pauses.jobs.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "8" },
    calls: { type: "string", default: "50" },
    pauseMs: { type: "string", default: "5" },
    warmUps: { type: "string", default: "20" },
  },
});
const rounds = Number(values.rounds);
const calls = Number(values.calls);
const pauseMs = Number(values.pauseMs);

interface Way {
  readonly name: string;
  /** @returns when it ran on the other thread. */
  readonly call: () => PromiseLike<number>;
  readonly end: () => PromiseLike<unknown>;
  readonly times: number[][];
}

function bare(way: "message" | "wait" | "waitAsync"): Way {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./pauses.worker.ts", import.meta.url), { workerData: { way, words } });
  let answered: (ranAt: number) => void = () => {};
  worker.on("message", (ranAt: number) => answered(ranAt));
  return {
    name: `bare, ${way}`,
    call: () =>
      new Promise((resolve) => {
        answered = resolve;
        if (way === "message") {
          worker.postMessage(null);
          return;
        }
        Atomics.store(words, 0, 1);
        Atomics.notify(words, 0);
      }),
    end: () => worker.terminate(),
    times: [],
  };
}

function pooled(): Way {
  const pool = new ThreadPool({ maxThreads: 1 });
  const jobs = pool.module<typeof Jobs>(new URL("./pauses.jobs.ts", import.meta.url));
  return { name: "pool", call: () => jobs.stamp(), end: () => pool.close(), times: [] };
}

const ways = [bare("message"), bare("wait"), bare("waitAsync"), pooled()];
for (const { call } of ways) for (let i = 0; i < Number(values.warmUps); i++) await call();
for (let round = 0; round < rounds; round++) {
  for (const { call, times } of ways) {
    for (let i = 0; i < calls; i++) {
      await sleep(pauseMs);
      const from = Jobs.stamp();
      const called = call();
      const returned = Jobs.stamp();
      const ran = await called;
      const until = Jobs.stamp();
      times.push([returned - from, ran - from, until - ran, until - from]);
    }
  }
}

console.log(
  `${"".padEnd(18)}${["call", "to job", "back", "all"].map((title) => title.padStart(8)).join("")}`,
);
for (const { name, times } of ways) {
  const medians = [0, 1, 2, 3].map((leg) => median(times.map((each) => each[leg]!)) / 1000);
  console.log(`${name.padEnd(18)}${medians.map((us) => us.toFixed(0).padStart(8)).join("")}`);
}
for (const { end } of ways) await end();

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}
