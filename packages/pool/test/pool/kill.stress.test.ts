/**
 * Threads are ended at random instants under load: nothing is lost, nothing settles twice, nothing comes out wrong.
 * SKEIN_STRESS_MS sets the time; SKEIN_SEED repeats a run as far as threads can be repeated.
 */
import type { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { move, ThreadPool } from "../../src/index.ts";
import type * as ForkJoin from "../fixtures/fork-join.jobs.ts";
import type * as Nested from "../fixtures/nested.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import type * as Streams from "../fixtures/stream.jobs.ts";
import type * as Transfer from "../fixtures/transfer.jobs.ts";

const stressMs = Number(process.env["SKEIN_STRESS_MS"] ?? 1000);
const seed = Number(process.env["SKEIN_SEED"] ?? Date.now() % 1_000_000);

function randomFrom(start: number): () => number {
  let state = start | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

it(
  "threads killed at random: every job settles once, with its result or with ThreadCrashedError",
  async () => {
    console.log(`seed ${seed}`);
    const random = randomFrom(seed);
    const workers = new Set<Worker>();
    const onWorker = (worker: Worker): void => {
      worker.on("online", () => workers.add(worker));
      worker.on("exit", () => workers.delete(worker));
    };
    process.on("worker", onWorker);
    const pool = new ThreadPool({ maxThreads: 3 });
    const sample = pool.module<typeof Sample>(new URL("../fixtures/sample.jobs.ts", import.meta.url));
    const nested = pool.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url));
    const forkJoin = pool.module<typeof ForkJoin>(new URL("../fixtures/fork-join.jobs.ts", import.meta.url));
    const transfer = pool.module<typeof Transfer>(new URL("../fixtures/transfer.jobs.ts", import.meta.url));
    const streams = pool.module<typeof Streams>(new URL("../fixtures/stream.jobs.ts", import.meta.url));
    const text = "x".repeat(5000);

    const sumOfItems = async (items: AsyncIterable<number>, last = Infinity): Promise<number> => {
      let sum = 0;
      for await (const item of items) {
        sum += item;
        if (item === last) break;
      }
      return sum;
    };

    const filled = (length: number): Uint8Array<ArrayBuffer> => {
      const bytes = new Uint8Array(length).fill(4);
      return move(bytes, [bytes.buffer]);
    };
    const sumOf = (bytes: Uint8Array): number => bytes.length + bytes.at(-1)!;
    const moved = (length: number): { task: PromiseLike<unknown>; expected: unknown } => ({
      task: transfer.increment(filled(length)).then(sumOf),
      expected: length + 5,
    });

    const makers: (() => { task: PromiseLike<unknown>; expected: unknown })[] = [
      () => ({ task: sample.add(1, 2), expected: 3 }),
      () => ({ task: sample.echo(text), expected: text }),
      () => ({ task: sample.echoLater("later"), expected: "later" }),
      () => ({ task: nested.sumOfSquares(6), expected: 55 }),
      () => ({ task: nested.nest(5), expected: 5 }),
      () => ({ task: forkJoin.fibonacci(9), expected: 34 }),
      () => moved(3000),
      () => moved(30_000),
      () => moved(30_000),
      () => moved(30_000),
      () => ({ task: transfer.incrementLater(filled(30_000)).then(sumOf), expected: 30_005 }),
      () => ({ task: transfer.nestedMany(4), expected: 10 }),
      () => ({ task: transfer.blobText(new Blob(["blob"])), expected: "blob" }),
      () => ({ task: pool.run(sample.add, [2, 2], { priority: "high" }), expected: 4 }),
      () => ({ task: sumOfItems(streams.count(40)), expected: 780 }),
      () => ({ task: sumOfItems(streams.doubled(20)), expected: 380 }),
      () => ({ task: sumOfItems(streams.countLater(1_000_000), 20), expected: 210 }),
      () => {
        const controller = new AbortController();
        const task = pool.run(sample.echo, [1], { signal: controller.signal });
        if (random() < 0.5) controller.abort();
        else setImmediate(() => controller.abort());
        return { task, expected: 1 };
      },
    ];

    let outstanding = 0;
    const counts = { submitted: 0, ok: 0, crashed: 0, cancelled: 0, killed: 0 };
    const wrong: unknown[] = [];
    const submit = (): void => {
      const { task, expected } = makers[Math.floor(random() * makers.length)]!();
      counts.submitted++;
      outstanding++;
      let settled = false;
      const settle = (check: () => boolean, outcome: unknown): void => {
        if (settled || !check()) wrong.push(outcome);
        settled = true;
        outstanding--;
      };
      task.then(
        (value) => {
          counts.ok++;
          settle(() => value === expected, value);
        },
        (error: { code?: string; name?: string }) => {
          const crashed = error.code === "ERR_SKEIN_THREAD_CRASHED";
          if (crashed) counts.crashed++;
          else counts.cancelled++;
          settle(() => crashed || error.name === "AbortError", error);
        },
      );
    };

    const end = performance.now() + stressMs;
    let nextKill = 0;
    while (performance.now() < end) {
      for (let free = 300 - outstanding; free > 0; free--) submit();
      await new Promise((resolve) => setImmediate(resolve));
      // Between two kills the pool gets something done: threads that die before they are ready are given up.
      if (counts.ok < nextKill || workers.size === 0) continue;
      nextKill = counts.ok + 100 + random() * 500;
      counts.killed++;
      void [...workers][Math.floor(random() * workers.size)]!.terminate();
    }
    process.off("worker", onWorker);
    await pool.close({ timeoutMs: 300_000 });
    console.log(JSON.stringify(counts));
    expect(wrong).toEqual([]);
    expect(outstanding).toBe(0);
    expect(counts.ok).toBeGreaterThan(counts.crashed);
  },
  stressMs + 600_000,
);
