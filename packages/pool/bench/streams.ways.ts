/** The ways that streams.ts compares, and the measurement of one of them. */
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { ThreadPool } from "@skein/pool";
import type * as Jobs from "./streams.jobs.ts";

const CHUNK_BYTES = 64 << 10;
/** Ways that are slow show that with a part of the items. */
const BATCHED_SHARE = 10;
const SINGLE_SHARE = 200;
const READABLE_SHARE = 4;
const CALLS = 20_000;
/** The last of so many is the warm one. */
const RUNS = 8;

export interface Amounts {
  readonly numbers: number;
  readonly megabytes: number;
  readonly highWaterMark: number;
}

interface Surroundings extends Amounts {
  readonly pool: ThreadPool;
  readonly jobs: ReturnType<typeof jobsOf>;
}

interface Way {
  readonly items: (amounts: Amounts) => number;
  /** @returns how many items have come. */
  readonly run: (items: number, surroundings: Surroundings) => Promise<number>;
}

const chunks = ({ megabytes }: Amounts): number => Math.ceil((megabytes << 20) / CHUNK_BYTES);

export const sections: Record<string, Record<string, Way>> = {
  "numbers, us an item": {
    stream: { items: ({ numbers }) => numbers, run: (count, { jobs }) => countOf(jobs.numbers(count)) },
    "MessagePort, arrays of 64": {
      items: ({ numbers }) => Math.ceil(numbers / BATCHED_SHARE),
      run: (count, each) => overPort(count, 64, each),
    },
    "MessagePort, one message an item": {
      items: ({ numbers }) => Math.ceil(numbers / SINGLE_SHARE),
      run: (count, each) => overPort(count, 1, each),
    },
  },
  "chunks of 64 KB, us a chunk": {
    "stream, moved": {
      items: chunks,
      run: (count, { jobs }) => countOf(jobs.movedChunks(count, CHUNK_BYTES)),
    },
    "stream, copied": { items: chunks, run: (count, { jobs }) => countOf(jobs.chunks(count, CHUNK_BYTES)) },
    "MessagePort, transferred": {
      items: chunks,
      run: (count, { pool, jobs }) =>
        readPort((port) => pool.run(jobs.postChunks, [port, count, CHUNK_BYTES], { transfer: [port] })),
    },
    "ReadableStream, transferred": {
      items: (amounts) => Math.ceil(chunks(amounts) / READABLE_SHARE),
      run: async (count, { jobs }) => countOf(await jobs.readable(count, CHUNK_BYTES)),
    },
  },
  "first item, us": {
    "round trip": { items: () => CALLS, run: (calls, { jobs }) => repeat(calls, () => jobs.one()) },
    "first item of a stream": {
      items: () => CALLS,
      run: (calls, { jobs }) => repeat(calls, () => jobs.numbers(1).next()),
    },
  },
};

/** Microseconds an item, and what the process holds at the end. */
export interface Measured {
  readonly first: number;
  readonly warm: number;
  readonly megabytes: number;
}

export async function measureWay(name: string, amounts: Amounts): Promise<Measured> {
  const way = Object.values(sections).find((ways) => name in ways)![name]!;
  await using pool = new ThreadPool({ minThreads: 1, maxThreads: 1 });
  const surroundings = { ...amounts, pool, jobs: jobsOf(pool, amounts) };
  await surroundings.jobs.one();
  const times: number[] = [];
  while (times.length < RUNS) times.push(await timeOf(name, way, surroundings));
  const megabytes = Math.round(process.memoryUsage.rss() / 2 ** 20);
  return { first: times[0]!, warm: times.at(-1)!, megabytes };
}

async function timeOf(name: string, { items, run }: Way, surroundings: Surroundings): Promise<number> {
  const expected = items(surroundings);
  const startedAt = performance.now();
  const count = await run(expected, surroundings);
  if (count !== expected) throw new Error(`${name}: ${count} items came, not ${expected}`);
  return ((performance.now() - startedAt) * 1000) / expected;
}

function jobsOf(pool: ThreadPool, { highWaterMark }: Amounts) {
  return pool.module<typeof Jobs>(new URL("./streams.jobs.ts", import.meta.url), { highWaterMark });
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

function overPort(count: number, perMessage: number, { pool, jobs }: Surroundings): Promise<number> {
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
