/**
 * Streams of jobs next to what one would write by hand on a MessagePort or with a transferred ReadableStream, on one thread. From the built
 * package.
 *
 *   pnpm build && node packages/pool/bench/streams.ts [--rounds 7] [--numbers 1000000] [--megabytes 256] [--highWaterMark 16]
 *
 * The ways take turns; each number is the median of the rounds, with the best of them.
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
/** One message an item is slow: a part of the numbers says how slow. */
const SINGLE_SHARE = 20;
const CALLS = 2000;

await using pool = new ThreadPool({ minThreads: 1, maxThreads: 1 });
const jobs = pool.module<typeof Jobs>(new URL("./streams.jobs.ts", import.meta.url), {
  highWaterMark: Number(values.highWaterMark),
});

interface Way {
  readonly name: string;
  /** What it gives is to be compared with what was sent. */
  readonly run: () => Promise<number>;
  readonly items: number;
  readonly expected: number;
}

const single = Math.ceil(numbers / SINGLE_SHARE);
const sections: Record<string, readonly Way[]> = {
  "numbers, us an item": [
    { name: "stream", run: () => countOf(jobs.numbers(numbers)), items: numbers, expected: numbers },
    {
      name: "MessagePort, arrays of 64",
      run: () => overPort(numbers, 64),
      items: numbers,
      expected: numbers,
    },
    {
      name: "MessagePort, one message an item",
      run: () => overPort(single, 1),
      items: single,
      expected: single,
    },
  ],
  "chunks of 64 KB, us a chunk": [
    bytesWay("stream, copied", () => jobs.chunks(chunks, CHUNK_BYTES)),
    bytesWay("stream, moved", () => jobs.movedChunks(chunks, CHUNK_BYTES)),
    {
      name: "MessagePort, transferred",
      run: () =>
        readPort((port) => pool.run(jobs.postChunks, [port, chunks, CHUNK_BYTES], { transfer: [port] })),
      items: chunks,
      expected: chunks,
    },
    {
      name: "ReadableStream, transferred",
      run: async () => countOf(await jobs.readable(chunks, CHUNK_BYTES)),
      items: chunks,
      expected: chunks,
    },
  ],
  "first item, us": [
    { name: "round trip", run: () => repeat(() => jobs.one()), items: CALLS, expected: CALLS },
    {
      name: "first item of a stream",
      run: () => repeat(() => jobs.numbers(1).next()),
      items: CALLS,
      expected: CALLS,
    },
  ],
};

for (const [title, ways] of Object.entries(sections)) {
  const samples = new Map(ways.map(({ name }) => [name, [] as number[]]));
  // The first round is not optimized yet.
  for (let round = -1; round < rounds; round++) {
    for (const { name, run, items, expected } of ways) {
      const startedAt = performance.now();
      const count = await run();
      if (count !== expected) throw new Error(`${name}: ${count} items came, not ${expected}`);
      if (round >= 0) samples.get(name)!.push(((performance.now() - startedAt) * 1000) / items);
    }
  }
  console.log(`\n${title}: median (best)`);
  for (const [name, us] of samples) {
    const sorted = us.toSorted((a, b) => a - b);
    console.log(`  ${name.padEnd(36)}${sorted[sorted.length >> 1]!.toFixed(3)} (${sorted[0]!.toFixed(3)})`);
  }
}
console.log(`\nresident at the end: ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB`);

function bytesWay(name: string, stream: () => AsyncIterable<Uint8Array>): Way {
  return { name, run: () => countOf(stream()), items: chunks, expected: chunks };
}

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of items) count++;
  return count;
}

async function repeat(call: () => PromiseLike<unknown>): Promise<number> {
  for (let i = 0; i < CALLS; i++) await call();
  return CALLS;
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
