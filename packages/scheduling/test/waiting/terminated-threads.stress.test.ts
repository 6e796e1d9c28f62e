import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { SharedBlockingCollection, Task } from "../../src/index.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const STRESS_MS = Number(process.env["SKEIN_STRESS_MS"] ?? 400);
const CAPACITY = 4;

type Items = SharedBlockingCollection<Uint8Array>;

const entry = JSON.stringify(new URL("../../dist/index.js", import.meta.url).href);
const workers = new Set<Worker>();

/** A thread that says when it begins, and then does `body` without end. */
async function startThread(items: Items, body: string): Promise<Worker> {
  const source = `
    import { parentPort, workerData } from "node:worker_threads";
    import { SharedBlockingCollection } from ${entry};
    const items = SharedBlockingCollection.from(workerData);
    parentPort.postMessage("begins");
    for (let n = 0; ; n++) { ${body} }`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: items.buffer,
  });
  workers.add(worker);
  await once(worker, "message");
  return worker;
}

async function end(worker: Worker): Promise<void> {
  workers.delete(worker);
  await worker.terminate();
}

afterEach(async () => {
  await Promise.all([...workers].map(end));
});

/** As many as there is time for, one at least. */
function* rounds(): Generator<number, void, undefined> {
  const started = performance.now();
  let round = 0;
  do yield round++;
  while (performance.now() - started < STRESS_MS);
}

/** Takes all there is, and checks that each item is whole. */
function takeAll(items: Items): number {
  let count = 0;
  for (let item = items.tryTake(); item !== undefined; item = items.tryTake(), count++)
    expect(Buffer.from(item).equals(Buffer.alloc(item.length, item[0]))).toBe(true);
  return count;
}

describe("threads that are terminated, wherever they are", { timeout: timeLimit(120_000) }, () => {
  it.each([
    ["small items", 64, 32],
    ["items whose copy takes long", 1 << 20, 1_000_000],
  ])(
    "hold up nobody: it goes on at its full capacity, and can be completed; %s",
    async (_, itemBytes, size) => {
      const items: Items = new SharedBlockingCollection({ boundedCapacity: CAPACITY, itemBytes });
      const mix = `items.tryAdd(new Uint8Array(${size}).fill(n)); items.tryTake();`;
      for (const round of rounds()) {
        const victims = await Promise.all([startThread(items, mix), startThread(items, mix)]);
        for (let turns = round * 7; turns > 0; turns--) await Task.yield();
        await Promise.all(victims.map(end));
        expect(takeAll(items)).toBeLessThanOrEqual(CAPACITY);
        const value = new Uint8Array(size).fill(round);
        for (let n = 0; n < CAPACITY; n++) expect(items.tryAdd(value)).toBe(true);
        expect([items.tryAdd(value), items.count]).toEqual([false, CAPACITY]);
        expect(takeAll(items)).toBe(CAPACITY);
      }
      items.completeAdding();
      expect([items.isAddingCompleted, items.isCompleted]).toEqual([true, true]);
      expect(() => items.tryAdd(new Uint8Array(1))).toThrow("completed");
    },
  );

  it("leave nobody waiting: who sleeps looks again", async () => {
    const items: Items = new SharedBlockingCollection({ boundedCapacity: CAPACITY, itemBytes: 64 });
    for (const _round of rounds()) {
      const taken = items.take();
      const taker = await startThread(items, `items.takeSync();`);
      const adder = await startThread(items, `items.addSync(new Uint8Array(8).fill(n));`);
      await Promise.all([end(adder), end(taker)]);
      if (!taken.isCompleted) await items.add(new Uint8Array(8));
      expect((await taken).length).toBe(8);
      takeAll(items);
    }
  });

  it("do not keep completeAdding() from returning, nor add anything after it", async () => {
    for (const _round of rounds()) {
      const items: Items = new SharedBlockingCollection({ boundedCapacity: CAPACITY, itemBytes: 1 << 20 });
      const mix = `try { items.tryAdd(new Uint8Array(1_000_000).fill(n)); } catch {} items.tryTake();`;
      const victim = await startThread(items, mix);
      const ended = end(victim);
      items.completeAdding();
      const { count } = items;
      await ended;
      items.completeAdding();
      expect(takeAll(items)).toBeLessThanOrEqual(count);
      expect([items.isAddingCompleted, items.isCompleted]).toEqual([true, true]);
    }
  });
});
