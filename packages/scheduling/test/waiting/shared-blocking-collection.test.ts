import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import {
  CancellationTokenSource,
  InvalidOperationError,
  SharedBlockingCollection,
  Task,
} from "../../src/index.ts";
import { untyped } from "../untyped.ts";

const entry = JSON.stringify(new URL("../../dist/index.js", import.meta.url).href);
const workers: Worker[] = [];

/** A thread that opens the collection `items`, runs `body`, and posts what that returns. */
function inWorker(items: SharedBlockingCollection<unknown>, body: string): Promise<unknown> {
  const source = `
    import { parentPort, workerData } from "node:worker_threads";
    import { SharedBlockingCollection } from ${entry};
    const items = SharedBlockingCollection.from(workerData);
    const run = async () => { ${body} };
    parentPort.postMessage(await run().catch((error) => "failed: " + (error.code ?? error.name)));`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const worker = new Worker(url, {
    workerData: items.buffer,
  });
  workers.push(worker);
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

describe("on one thread", () => {
  it("A14.3 first in, first out, up to its capacity, values cloned", () => {
    const items = new SharedBlockingCollection<{ n: number }>({ boundedCapacity: 4 });
    const original = { n: 1 };
    for (let n = 1; n <= 4; n++) expect(items.tryAdd(n === 1 ? original : { n })).toBe(true);
    expect([items.tryAdd({ n: 5 }), items.count, items.boundedCapacity]).toEqual([false, 4, 4]);
    const first = items.tryTake();
    expect(first).toEqual(original);
    expect(first).not.toBe(original);
    expect([2, 3, 4].map(() => items.tryTake()?.n)).toEqual([2, 3, 4]);
    expect(items.tryTake()).toBeUndefined();
  });

  it("typed arrays arrive in memory of their own, Buffers as Buffers", () => {
    const items = new SharedBlockingCollection<Uint8Array[]>();
    const bytes = new Uint8Array([1, 2, 3, 4]);
    items.tryAdd([bytes, Buffer.from("text"), bytes.subarray(1, 3)]);
    const taken = items.tryTake()!;
    expect(taken).toEqual([bytes, Buffer.from("text"), bytes.subarray(1, 3)]);
    expect(taken.map((view) => view.buffer.byteLength)).toEqual([4, 4, 2]);
    expect(new Int32Array(taken[0]!.buffer)).toHaveLength(1);
  });

  it.each([1, 2, 3, 5])("wraps many times at capacity %s", (boundedCapacity) => {
    const items = new SharedBlockingCollection<number>({ boundedCapacity, itemBytes: 32 });
    for (let n = 0; n < 1000; n += 2) {
      expect([items.tryAdd(n), items.tryAdd(n + 1)]).toEqual([true, true]);
      expect([items.tryTake(), items.tryTake()]).toEqual([n, n + 1]);
    }
  });

  it("A14.2 A14.3 completing: adds are refused, what is left can be taken, then takes are refused", async () => {
    const items = new SharedBlockingCollection<number>({ boundedCapacity: 2 });
    items.tryAdd(1);
    items.completeAdding();
    items.completeAdding();
    expect(() => items.tryAdd(2)).toThrow(InvalidOperationError);
    expect([items.isAddingCompleted, items.isCompleted]).toEqual([true, false]);
    expect(await items.take()).toBe(1);
    expect(items.isCompleted).toBe(true);
    await expect(async () => await items.take()).rejects.toThrow(InvalidOperationError);
    await expect(async () => await items.add(3)).rejects.toThrow(InvalidOperationError);
  });

  it("take and add wait without blocking, and can be cancelled", async () => {
    const items = new SharedBlockingCollection<number>({ boundedCapacity: 2 });
    const source = new CancellationTokenSource();
    const canceled = items.take({ signal: source.token });
    const waiting = items.take();
    source.cancel();
    expect(canceled.status).toBe("canceled");
    items.tryAdd(1);
    expect(await waiting).toBe(1);
    for (const n of [2, 3]) items.tryAdd(n);
    const adding = items.add(4);
    expect(adding.status).toBe("pending");
    expect([items.tryTake(), items.tryTake()]).toEqual([2, 3]);
    await adding;
    expect(items.tryTake()).toBe(4);
    expect(items.take({ signal: source.token }).status).toBe("canceled");
    const last = items.take();
    items.completeAdding();
    await last.continueWith(() => {});
    expect(last.error).toBeInstanceOf(InvalidOperationError);
  });

  it("refuses to block the main thread, values that are too large or cannot be cloned, wrong options", () => {
    const items = new SharedBlockingCollection<unknown>({ itemBytes: 16 });
    expect(() => items.takeSync()).toThrow(InvalidOperationError);
    expect(() => items.addSync(1)).toThrow(InvalidOperationError);
    expect(() => items.tryAdd("x".repeat(100))).toThrow(RangeError);
    for (const wrong of [() => {}, [Symbol("x")], Promise.resolve(), Task.fromResult(1)])
      expect(() => items.tryAdd(wrong)).toThrow(
        expect.objectContaining({ name: "NotCloneableError", code: "ERR_SKEIN_NOT_CLONEABLE", path: "item" }),
      );
    const failure = new Error("a getter's own");
    const throwing = {
      get value(): never {
        throw failure;
      },
    };
    expect(() => items.tryAdd(throwing)).toThrow(failure);
    expect(items.count).toBe(0);
    expect(() => new SharedBlockingCollection({ boundedCapacity: 0 })).toThrow(RangeError);
    expect(() => new SharedBlockingCollection({ itemBytes: untyped("1") })).toThrow(TypeError);
    expect(() => new SharedBlockingCollection({ boundedCapacity: 2 ** 25 })).toThrow(RangeError);
    expect(() => SharedBlockingCollection.from(untyped(new ArrayBuffer(100)))).toThrow(TypeError);
  });
});

describe("between threads", () => {
  it("A14.1 takeSync blocks until an item comes, and is woken by completeAdding", async () => {
    const items = new SharedBlockingCollection<number>();
    const consumer = inWorker(
      items,
      `let sum = 0; for (;;) { try { sum += items.takeSync(); } catch (error) { return sum + " " + error.code; } }`,
    );
    for (let n = 1; n <= 100; n++) await items.add(n);
    items.completeAdding();
    expect(await consumer).toBe("5050 ERR_SKEIN_INVALID_OPERATION");
  });

  it("addSync blocks while it is full, takeSync gives up after its time", async () => {
    const items = new SharedBlockingCollection<number>({ boundedCapacity: 2 });
    const producer = inWorker(items, `for (let n = 0; n < 50; n++) items.addSync(n); return "done";`);
    for (let n = 0; n < 50; n++) expect(await items.take()).toBe(n);
    expect(await producer).toBe("done");
    expect(await inWorker(items, `return items.takeSync({ timeoutMs: 1 });`)).toBe(
      "failed: ERR_SKEIN_TIMEOUT",
    );
  });

  it("A14.2 A14.3 several producers and consumers: every item once, in order per producer, none after completion", async () => {
    const items = new SharedBlockingCollection<[producer: number, n: number]>({
      boundedCapacity: 8,
      itemBytes: 64,
    });
    const consumers = [1, 2].map(() => inWorker(items, `return [...items.consumeSync()];`));
    const producers = [1, 2].map((id) =>
      inWorker(items, `for (let n = 0; n < 2000; n++) items.addSync([${id}, n]); return "done";`),
    );
    expect(await Promise.all(producers)).toEqual(["done", "done"]);
    items.completeAdding();
    const taken = (await Promise.all(consumers)) as [number, number][][];
    for (const list of taken) {
      for (const id of [1, 2]) {
        const numbers = list.filter(([producer]) => producer === id).map(([, n]) => n);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }
    }
    expect(taken.flat()).toHaveLength(4000);
    expect(new Set(taken.flat().map(String)).size).toBe(4000);
  });

  it("A14.2 adds that race completeAdding are refused or come out, never lost", async () => {
    for (let round = 0; round < 5; round++) {
      const items = new SharedBlockingCollection<number>({ boundedCapacity: 1024, itemBytes: 32 });
      const producer = inWorker(
        items,
        `let n = 0; try { for (;;) if (items.tryAdd(n)) n++; } catch { return n; }`,
      );
      while (items.count < 10 + round * 50) await Task.yield();
      items.completeAdding();
      const count = items.count;
      expect(await producer).toBe(count);
    }
  });
});
