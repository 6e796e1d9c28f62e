/**
 * Streams of jobs next to what one would write by hand on a MessagePort or with a transferred ReadableStream, on one thread. From the built
 * package.
 *
 *   pnpm build && node packages/pool/bench/streams.ts [--rounds 7] [--numbers 1000000] [--megabytes 256] [--highWaterMark 16]
 *
 * The ways take turns, and each measurement is printed when it is made. Then come the medians, with the best round of each, and the median of
 * its time relative to the first way, round by round.
 */
import { parseArgs } from "node:util";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { ThreadPool } from "@skein/pool";
import type * as Jobs from "./streams.jobs.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    numbers: { type: "string", default: "1000000" },
    megabytes: { type: "string", default: "256" },
    highWaterMark: { type: "string", default: "16" },
  },
});
const rounds = Number(values.rounds);
const numbers = Number(values.numbers);
const CHUNK_BYTES = 64 << 10;
const chunks = Math.ceil((Number(values.megabytes) << 20) / CHUNK_BYTES);
/** Ways that are slow show that with a part of the items. */
const BATCHED_SHARE = 10;
const SINGLE_SHARE = 200;
const READABLE_SHARE = 4;
/** Before the first round: so much of it, to be optimized. */
const WARM_UP_SHARE = 10;
const CALLS = 20_000;

await using pool = new ThreadPool({ minThreads: 1, maxThreads: 1 });
const jobs = pool.module<typeof Jobs>(new URL("./streams.jobs.ts", import.meta.url), {
  highWaterMark: Number(values.highWaterMark),
});

interface Way {
  readonly name: string;
  readonly items: number;
  /** @returns how many items have come. */
  readonly run: (items: number) => Promise<number>;
}

const sections: Record<string, readonly Way[]> = {
  "numbers, us an item": [
    { name: "stream", items: numbers, run: (count) => countOf(jobs.numbers(count)) },
    {
      name: "MessagePort, arrays of 64",
      items: Math.ceil(numbers / BATCHED_SHARE),
      run: (count) => overPort(count, 64),
    },
    {
      name: "MessagePort, one message an item",
      items: Math.ceil(numbers / SINGLE_SHARE),
      run: (count) => overPort(count, 1),
    },
  ],
  "chunks of 64 KB, us a chunk": [
    {
      name: "stream, moved",
      items: chunks,
      run: (count) => countOf(jobs.movedChunks(count, CHUNK_BYTES)),
    },
    { name: "stream, copied", items: chunks, run: (count) => countOf(jobs.chunks(count, CHUNK_BYTES)) },
    {
      name: "MessagePort, transferred",
      items: chunks,
      run: (count) =>
        readPort((port) => pool.run(jobs.postChunks, [port, count, CHUNK_BYTES], { transfer: [port] })),
    },
    {
      name: "ReadableStream, transferred",
      items: Math.ceil(chunks / READABLE_SHARE),
      run: async (count) => countOf(await jobs.readable(count, CHUNK_BYTES)),
    },
  ],
  "first item, us": [
    {
      name: "first item of a stream",
      items: CALLS,
      run: (calls) => repeat(calls, () => jobs.numbers(1).next()),
    },
    { name: "round trip", items: CALLS, run: (calls) => repeat(calls, () => jobs.one()) },
  ],
};

for (const [title, ways] of Object.entries(sections)) {
  console.log(`\n${title}`);
  const samples = ways.map((): number[] => []);
  for (const { run, items } of ways) await run(Math.ceil(items / WARM_UP_SHARE));
  for (let round = 0; round < rounds; round++) {
    for (const [i, way] of ways.entries()) {
      samples[i]!.push(await measure(way));
      console.log(`  round ${round + 1}  ${way.name.padEnd(36)}${samples[i]!.at(-1)!.toFixed(3)}`);
    }
  }
  for (const [i, { name }] of ways.entries()) {
    const us = samples[i]!;
    const speed = median(us.map((each, round) => each / samples[0]![round]!));
    const best = Math.min(...us).toFixed(3);
    console.log(
      `  median   ${name.padEnd(36)}${median(us).toFixed(3)} (${best})  ${speed.toFixed(2)} of the first`,
    );
  }
}
console.log(`\nresident at the end: ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB`);

/** @returns microseconds an item. */
async function measure({ name, run, items }: Way): Promise<number> {
  const startedAt = performance.now();
  const count = await run(items);
  if (count !== items) throw new Error(`${name}: ${count} items came, not ${items}`);
  return ((performance.now() - startedAt) * 1000) / items;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of items) count++;
  return count;
}

async function repeat(calls: number, call: () => PromiseLike<unknown>): Promise<number> {
  for (let i = 0; i < calls; i++) await call();
  return calls;
}

function overPort(count: number, perMessage: number): Promise<number> {
  return readPort((port) => pool.run(jobs.postNumbers, [port, count, perMessage], { transfer: [port] }));
}

async function readPort(send: (port: MessagePort) => PromiseLike<void>): Promise<number> {
  const { port1, port2 } = new MessageChannel();
  let count = 0;
  const read = new Promise<void>((resolve) => {
    port1.on("message", (message: unknown) => {
      if (message === null) return resolve();
      count += Array.isArray(message) ? message.length : 1;
      port1.postMessage(0);
    });
  });
  await Promise.all([send(port2), read]);
  port1.close();
  return count;
}
