/** SharedArrayBuffers that jobs keep, and pass on when the caller has let them go. */
import { ThreadPool } from "@skein/pool";
import { afterEach, expect, it } from "vitest";
import type * as Jobs from "../fixtures/shared-memory.jobs.ts";
import { makeGate, open, opened } from "../gate.ts";

const collect = (globalThis as unknown as { gc: () => void }).gc;
const url = new URL("../fixtures/shared-memory.jobs.ts", import.meta.url);

let pool: ThreadPool;
afterEach(() => pool.close({ drain: false, timeoutMs: 1000 }));

function start(threads: number) {
  pool = new ThreadPool({ minThreads: threads, maxThreads: threads });
  return pool.module<typeof Jobs>(url);
}

function memoryOf(value: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(4);
  new Int32Array(memory)[0] = value;
  return memory;
}

/** The collector decides when: it is asked until it has, and the others have been told. */
async function collected(reference: WeakRef<object>): Promise<void> {
  let turns = 3;
  do {
    await new Promise((resolve) => setTimeout(resolve, 1));
    collect();
  } while (reference.deref() !== undefined || turns-- > 0);
}

async function valueIn(result: unknown): Promise<number> {
  if (typeof result === "number") return result;
  if (result instanceof SharedArrayBuffer) return new Int32Array(result)[0]!;
  let sum = 0;
  for await (const item of result as AsyncIterable<SharedArrayBuffer>) sum += new Int32Array(item)[0]!;
  return sum;
}

const ways = ["give", "items", "itemsThatWait", "passOn", "passOnAsItem", "forkIt"] as const;

it.each([1, 2].flatMap((threads) => ways.map((how) => [threads, how] as const)))(
  "%d threads, %s: what a job has kept arrives, though it was collected where it came from",
  async (threads, how) => {
    const jobs = start(threads);
    const reference = await (async () => {
      const memory = memoryOf(42);
      await pool.broadcast(jobs.keep, [memory]);
      return new WeakRef(memory);
    })();
    const gate = makeGate();
    const value = Promise.resolve(jobs[how](gate)).then(valueIn);
    await opened(gate, 1);
    await collected(reference);
    open(gate);
    expect(await value).toBe(42);
  },
);

it("a thread that has submitted nothing lets go what was collected where it came from", async () => {
  const jobs = start(1);
  const reference = await (async () => {
    const memory = memoryOf(1);
    await jobs.look(memory);
    return new WeakRef(memory);
  })();
  const there = jobs.collected();
  await collected(reference);
  expect(await there).toBe(true);
});

it("a result that waits for the output of its job keeps its memory", async () => {
  const jobs = start(1);
  await jobs.first(memoryOf(1));
  const task = jobs.printAndGive("printed");
  await new Promise((resolve) => setImmediate(resolve));
  Atomics.wait(makeGate(1), 0, 0, 200);
  expect(await valueIn(await task)).toBe(42);
});
