/**
 * Values of every shape, with texts and bytes of the lengths at which something begins to go another way, arrive as structured clone has them, whichever
 * way they go. SKEIN_SEED and SKEIN_STRESS_MS take other values, and more.
 */
import { isDeepStrictEqual } from "node:util";
import { MultiProducerConcurrentConsumer } from "@skein/batching";
import { afterAll, expect, it } from "vitest";
import { move, stream, ThreadPool } from "@skein/pool";
import { eventually } from "../support/eventually.ts";
import { timeLimit } from "../support/time-limit.ts";
import { BufferStandIn } from "../../packages/pool/test/codec/arbitrary-value.ts";
import { edgeValue, memoryIn, textOf } from "./edge-value.ts";
import * as Jobs from "./edge-values.jobs.ts";
import { seededRandom } from "../../packages/pool/test/shared/seeded-random.ts";

const url = new URL("./edge-values.jobs.ts", import.meta.url);
const stressMs = Number(process.env["SKEIN_STRESS_MS"] ?? 0);
const ROUNDS = 4;
const firstSeed = Number(process.env["SKEIN_SEED"] ?? 1);
const pool = new ThreadPool({ minThreads: 2, maxThreads: 2, jobsPerThread: 2 });
const jobs = pool.module<typeof Jobs>(url);
afterAll(async () => {
  await consumer.complete();
  await pool.close();
});

const { check } = Jobs;

interface Holder {
  readonly value: unknown;
}

function held(seed: number): Holder {
  return { value: edgeValue(seed) };
}

function movedHolder(seed: number): Holder {
  const holder = held(seed);
  return move(holder, memoryIn(holder));
}

async function errorOf(task: PromiseLike<unknown>): Promise<unknown> {
  return await task.then(
    () => "resolved",
    (error: unknown) => error,
  );
}

async function problemOfItems(seeds: number[], items: AsyncIterable<unknown>): Promise<string | null> {
  let i = 0;
  for await (const item of items) {
    const problem = check(seeds[i++]!, (item as Holder).value);
    if (problem !== null) return `item ${i - 1}: ${problem}`;
  }
  return i === seeds.length ? null : `only ${i} items`;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const consumer = new MultiProducerConcurrentConsumer<Holder & { seed: number }>({
  batchSize: 1,
  pushIntervalMs: 1,
  maxConcurrency: 1,
  slots: 1,
  sharedBytes: 32 << 20,
});
const pushed = new Map<number, unknown>();
consumer.start((batch) => {
  for (const { seed, value } of batch) pushed.set(seed, value);
});

/** At the edges of what lies beside arguments in a slot, and of a run. */
const CONTEXT_LENGTHS = [0, 1, 100, 150, 160, 170, 180, 192, 1000, 4095, 4096, 4097, 5400, 8000, 16_300];

/** Each says what is wrong with the value of this number, if it has gone this way; null: nothing. */
const ways: Record<string, (seed: number, more: number[]) => Promise<string | null>> = {
  async argument(seed) {
    return await jobs.check(seed, edgeValue(seed));
  },
  async "two arguments"(seed, [other]) {
    const problem = await jobs.bothAre(seed, edgeValue(seed), other!, edgeValue(other!));
    return problem;
  },
  async "argument whose getter submits"(seed, more) {
    const others = [...more];
    const checks: PromiseLike<string | null>[] = [];
    const getting = (): void => {
      const other = others.pop();
      if (other !== undefined) checks.push(jobs.check(other, edgeValue(other)));
    };
    const problem = await jobs.check(seed, edgeValue(seed, { getting }));
    return problem ?? (await Promise.all(checks)).find((each) => each !== null) ?? null;
  },
  async "moved argument"(seed) {
    return await jobs.checkMoved(seed, movedHolder(seed));
  },
  async "argument with a transfer list"(seed) {
    const holder = held(seed);
    const transfer = memoryIn(holder);
    const problem = await pool.run(jobs.checkMoved, [seed, holder], { transfer });
    return transfer.every((buffer) => buffer.detached) ? problem : "something was not moved";
  },
  async result(seed) {
    return check(seed, await jobs.make(seed));
  },
  async "result later"(seed) {
    return check(seed, await jobs.makeLater(seed));
  },
  async "moved result"(seed) {
    return check(seed, ((await jobs.moved(seed)) as Holder).value);
  },
  async "there and back"(seed) {
    return check(seed, await jobs.echo(edgeValue(seed)));
  },
  async "result whose getter submits"(seed, more) {
    const { arrived, problem, value } = (await jobs.makeWhileSubmitting(seed, more)) as Record<
      string,
      unknown
    >;
    return (problem as string | null) ?? check(seed, arrived) ?? check(seed, value);
  },
  async error(seed) {
    const error = (await errorOf(jobs.fail(seed))) as Error & Holder & { list: unknown[] };
    if (!(error instanceof RangeError) || error.message !== `${seed}`) return String(error);
    return check(seed, error.value) ?? (Object.is(error.list[0], error.value) ? null : "the aliases differ");
  },
  async "thrown value"(seed) {
    const thrown = await errorOf(jobs.throwValue(seed));
    const right = edgeValue(seed);
    if (right === undefined || right === null || right instanceof Error) return null;
    return check(seed, thrown);
  },
  async progress(seed) {
    let problem: string | null = "nothing was reported";
    const right = structuredClone(edgeValue(seed, { buffer: (bytes) => new BufferStandIn(bytes) }));
    const onProgress = (value: unknown): void => {
      problem = isDeepStrictEqual(value, right) ? null : `${seed}: the value that was reported differs`;
    };
    await pool.run(jobs.report, [seed], { onProgress });
    return problem;
  },
  async items(seed, more) {
    const seeds = [seed, ...more];
    const stream = jobs.items(seeds, false);
    return (await problemOfItems(seeds, stream)) ?? check(seed, await stream.completion);
  },
  async "moved items"(seed, more) {
    const seeds = [seed, ...more];
    return await problemOfItems(seeds, jobs.itemsLater(seeds, true));
  },
  async "items of an argument"(seed, more) {
    const seeds = [seed, ...more];
    return await jobs.read(seeds, stream(seeds.map(held)));
  },
  async "moved items of an argument"(seed, more) {
    const seeds = [seed, ...more];
    return await jobs.read(seeds, stream(seeds.map(held), { move: memoryIn }));
  },
  async "items through a job"(seed, more) {
    const seeds = [seed, ...more];
    const source = stream(seeds.map(seed % 3 === 0 ? held : movedHolder), { highWaterMark: 2 });
    return await problemOfItems(seeds, jobs.through(source, seed % 2 === 0));
  },
  async broadcast(seed) {
    const problems = await pool.broadcast(jobs.check, [seed, edgeValue(seed)]);
    return problems.find((problem) => problem !== null) ?? null;
  },
  async "map in chunks"(seed, more) {
    const seeds = [seed, ...more, ...more];
    const problems = await collect(
      pool.map(
        jobs.checkOne,
        seeds.map((each) => [each, edgeValue(each)]),
        { chunkSize: 3 },
      ),
    );
    return problems.find((problem) => problem !== null) ?? null;
  },
  async "results of map in chunks"(seed, more) {
    const seeds = [seed, ...more, ...more];
    const results = await collect(
      pool.map(seed % 2 === 0 ? jobs.moved : jobs.holder, seeds, { chunkSize: 3 }),
    );
    return (
      results.map((result, i) => check(seeds[i]!, (result as Holder).value)).find((each) => each !== null) ??
      null
    );
  },
  async "fork and join"(seed) {
    return await jobs.forked(seed, seed % 2 === 0);
  },
  async "jobs of jobs"(seed, more) {
    return await jobs.nested(seed, [seed, ...more]);
  },
  async retries(seed) {
    if (seed % 4 !== 0) return null;
    const calls = new Int32Array(new SharedArrayBuffer(4));
    const other = new ThreadPool({ maxThreads: 1 });
    try {
      return await other.run(jobs.checkAgain, [calls, seed, edgeValue(seed)], { retries: 1 });
    } finally {
      await other.close();
    }
  },
  async SharedProducer(seed) {
    const right = edgeValue(seed, { isAlone: true });
    while (!(await jobs.push(consumer.producer(0).handle, seed)))
      await new Promise((resolve) => setTimeout(resolve, 1));
    await eventually("the item has come", () => pushed.has(seed));
    const value = pushed.get(seed);
    pushed.delete(seed);
    return isDeepStrictEqual(value, right) ? null : `${seed}: the item differs`;
  },
  async "context value"(seed) {
    const random = seededRandom(seed);
    const text = textOf(random, CONTEXT_LENGTHS[seed % CONTEXT_LENGTHS.length]!).toWellFormed();
    // It travels as JSON.
    if (Buffer.byteLength(JSON.stringify(text)) > 16_300) return null;
    const results = await Jobs.local.run(text, () =>
      Promise.all([jobs.contextIs(text), jobs.contextIs(text, edgeValue(seed)), jobs.contextIs(text)]),
    );
    return results.every((is) => is) ? null : `${seed}: the context differs`;
  },
};

it(
  "arrive as structured clone has them",
  async () => {
    const random = seededRandom(firstSeed);
    const names = Object.keys(ways);
    const until = performance.now() + stressMs;
    let rounds = 0;
    do {
      const problems = await Promise.all(
        names.map(async (name) => {
          const [seed, ...more] = Array.from({ length: 4 }, () => Math.floor(random() * 2 ** 31)) as [
            number,
            ...number[],
          ];
          try {
            const problem = await ways[name]!(seed, more);
            return problem === null ? null : `${name}(${seed}, [${more.join()}]): ${problem}`;
          } catch (error) {
            return `${name}(${seed}, [${more.join()}]): ${String((error as Error)?.stack ?? error).slice(0, 1000)}`;
          }
        }),
      );
      expect(
        problems.filter((problem) => problem !== null),
        `SKEIN_SEED=${firstSeed}, round ${rounds}`,
      ).toEqual([]);
      rounds++;
    } while (rounds < ROUNDS || performance.now() < until);
    if (stressMs > 0) console.log(`${rounds} rounds, seed ${firstSeed}`);
  },
  stressMs + timeLimit(120_000),
);
