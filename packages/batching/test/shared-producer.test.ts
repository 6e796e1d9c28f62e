import { AsyncLocalStorage } from "node:async_hooks";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { AsyncLocal, flow } from "@skein/context";
import { describe, expect, it } from "vitest";
import { contextOf, MultiProducerConcurrentConsumer, SharedProducer } from "../src/index.ts";
import type { BatchingOptions, ProducerHandle } from "../src/index.ts";
import { ended, progressFor, startPusher } from "./start-pusher.ts";
import type { Pushed } from "./start-pusher.ts";
import { timeLimit } from "../../../test/support/time-limit.ts";

const tenant = new AsyncLocal<string>({ name: "test.tenant", flow: "thread" });

function setUp<T = Pushed>(options: Partial<BatchingOptions<T>> = {}): MultiProducerConcurrentConsumer<T> {
  return new MultiProducerConcurrentConsumer<T>({
    batchSize: 10,
    pushIntervalMs: 5,
    maxConcurrency: 1,
    slots: 2,
    ...options,
  });
}

/** Collects what is pumped, and says when there are so many. */
class Sink<T> {
  readonly items: T[] = [];
  #wanted = Infinity;
  #reached = Promise.withResolvers<void>();

  readonly pump = (items: readonly T[]): void => {
    this.items.push(...items);
    if (this.items.length >= this.#wanted) this.#reached.resolve();
  };

  async count(wanted: number): Promise<void> {
    this.#wanted = wanted;
    if (this.items.length < wanted) await this.#reached.promise;
    this.#reached = Promise.withResolvers<void>();
  }
}

describe("SharedProducer", { timeout: timeLimit(120_000) }, () => {
  it("pushes from another thread, in order, into its slot", async () => {
    const consumer = setUp();
    const slots = new Set<number>();
    const items: Pushed[] = [];
    consumer.start((batch, slot) => {
      slots.add(slot);
      items.push(...batch);
    });
    const { handle } = consumer.producer(1);
    await ended(startPusher({ handles: [handle], count: 1000, progress: progressFor(1) }));
    await consumer.complete();
    expect(items.map(({ number }) => number)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(items.every(({ number, text, sum }) => sum === number + text.length)).toBe(true);
    expect(slots).toEqual(new Set([1]));
  });

  it("wakes an owner that has nothing else to do, one item at a time", async () => {
    const consumer = setUp<number>({ batchSize: 1 });
    const sink = new Sink<number>();
    consumer.start(sink.pump);
    const producer = consumer.producer(0);
    for (let i = 1; i <= 20; i++) {
      producer.push(i);
      await sink.count(i);
    }
    expect(sink.items).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    await consumer.complete();
  });

  it("works while the owner's event loop is busy", async () => {
    const consumer = setUp();
    const sink = new Sink<Pushed>();
    consumer.start(sink.pump);
    const progress = progressFor(1);
    const counters = new Int32Array(progress);
    const gate = new SharedArrayBuffer(4);
    const worker = startPusher({ handles: [consumer.producer(0).handle], count: 500, progress, gate });
    const exit = ended(worker);
    // The worker's start needs this thread's event loop; its pushes do not.
    await once(worker, "message");
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    for (let seen = 0; seen < 500; seen = Atomics.load(counters, 0)) Atomics.wait(counters, 0, seen, 5000);
    expect(Atomics.load(counters, 0)).toBe(500);
    expect(consumer.stats().pushed).toBe(0);
    await sink.count(500);
    await exit;
    await consumer.complete();
  });

  it("carries everything that v8.serialize does, of any size that fits, and copies it", async () => {
    const consumer = setUp<unknown>({ batchSize: 1, maxConcurrency: 100 });
    const sink = new Sink<unknown>();
    consumer.start(sink.pump);
    const producer = consumer.producer(0);
    const cyclic: { self?: unknown; list: number[] } = { list: [1, 2] };
    cyclic.self = cyclic;
    const values = [
      undefined,
      0,
      "é".repeat(5000),
      new Map([[1, new Date(5)]]),
      new Uint16Array([1, 2, 3]),
      10n,
      cyclic,
    ];
    for (const value of values) producer.push(value);
    cyclic.list.push(3);
    for (const length of [0, 200, 250, 256, 260, 512, 100_000]) producer.push(Buffer.alloc(length, 7));
    await consumer.complete();
    expect(sink.items.slice(0, 6)).toEqual(values.slice(0, 6));
    const copy = sink.items[6] as typeof cyclic;
    expect(copy.self).toBe(copy);
    expect(copy.list).toEqual([1, 2]);
    expect(sink.items.slice(7).map((value) => (value as Buffer).length)).toEqual([
      0, 200, 250, 256, 260, 512, 100_000,
    ]);
    expect(sink.items.slice(7).every((value) => (value as Buffer).every((byte) => byte === 7))).toBe(true);
  });

  it("full: tryPush is false, push throws, and nothing that was accepted is lost", async () => {
    const consumer = setUp<number>({ sharedBytes: 8192 });
    const producer = consumer.producer(0);
    let accepted = 0;
    while (producer.tryPush(accepted)) accepted++;
    expect(accepted).toBe(32);
    expect(() => producer.push(-1)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_CAPACITY_EXCEEDED", slot: 0 }),
    );
    expect(consumer.producer(1).tryPush(-2)).toBe(true);
    const sink = new Sink<number>();
    consumer.start(sink.pump);
    await sink.count(33);
    expect(producer.tryPush(100)).toBe(true);
    await consumer.complete();
    expect(sink.items.filter((item) => item >= 0)).toEqual([...Array.from({ length: 32 }, (_, i) => i), 100]);
  });

  it("capacity leaves items in shared memory, and a slot that is full holds up no other", async () => {
    const consumer = setUp<number>({ batchSize: 1, capacity: 2, sharedBytes: 8192 });
    const gate = Promise.withResolvers<void>();
    const seen: number[][] = [[], []];
    consumer.start((items, slot) => {
      seen[slot]!.push(...items);
      return slot === 0 ? gate.promise : undefined;
    });
    const slow = consumer.producer(0);
    const quick = consumer.producer(1);
    let slowCount = 0;
    // One in the pump, two in the slot, the rest in memory.
    for (const all = 1 + 2 + 32; slowCount < all; await turn()) if (slow.tryPush(slowCount)) slowCount++;
    for (let i = 0; i < 300; i++) while (!quick.tryPush(i)) await turn();
    while (seen[1]!.length < 300) await turn();
    expect(slow.tryPush(slowCount)).toBe(false);
    expect(consumer.stats().slots[0]).toEqual({ pending: 2, running: 1 });
    expect(seen[1]).toEqual(Array.from({ length: 300 }, (_, i) => i));
    gate.resolve();
    await consumer.complete();
    expect(seen[0]).toEqual(Array.from({ length: slowCount }, (_, i) => i));
  });

  it("local pushes that wait and items from memory take turns for room", async () => {
    const consumer = setUp<string>({ batchSize: 1, capacity: 1 });
    const seen: string[] = [];
    const producer = consumer.producer(0);
    for (let i = 0; i < 3; i++) producer.push(`shared ${i}`);
    const pushes = [0, 1, 2].map((i) => consumer.pushAsync(`local ${i}`, 0));
    consumer.start(async ([item]) => {
      seen.push(item!);
      await Promise.resolve();
    });
    await Promise.all(pushes);
    await consumer.complete();
    expect(seen.filter((item) => item.startsWith("local"))).toEqual(["local 0", "local 1", "local 2"]);
    expect(seen.filter((item) => item.startsWith("shared"))).toEqual(["shared 0", "shared 1", "shared 2"]);
    expect(seen.indexOf("shared 0")).toBeLessThan(seen.indexOf("local 2"));
  });

  it("refuses what can never fit or be copied, at once", async () => {
    const consumer = setUp<unknown>({ sharedBytes: 8192 });
    const producer = consumer.producer(0);
    const tooLarge = expect.objectContaining({ code: "ERR_SKEIN_ITEM_TOO_LARGE", limitBytes: 8192 });
    expect(() => producer.push(Buffer.alloc(10_000))).toThrow(tooLarge);
    expect(() => producer.tryPush(Buffer.alloc(10_000))).toThrow(tooLarge);
    // More often than there is room: a refused push holds nothing.
    for (let i = 0; i < 100; i++) {
      const refused = expect.objectContaining({ code: "ERR_SKEIN_NOT_CLONEABLE", path: "item[1]" });
      expect(() => producer.push([i, () => {}])).toThrow(refused);
      expect(() => producer.tryPush([i, () => {}])).toThrow(refused);
    }
    producer.push(Buffer.alloc(8192 - 200));
    expect((await consumer.complete()).discarded).toHaveLength(1);
  });

  it("E12 complete gives back what was pushed and not pumped, then refuses; a new start takes again", async () => {
    const consumer = setUp<number>();
    const producer = consumer.producer(0);
    producer.push(1);
    const { discarded } = await consumer.complete({ drain: false });
    expect(discarded).toEqual([1]);
    expect(producer.tryPush(2)).toBe(false);
    expect(() => producer.push(2)).toThrow(expect.objectContaining({ code: "ERR_SKEIN_INVALID_OPERATION" }));
    expect(consumer.producer(1).tryPush(2)).toBe(false);
    const sink = new Sink<number>();
    consumer.start(sink.pump);
    producer.push(3);
    consumer.producer(1).push(4);
    await sink.count(2);
    producer.push(5);
    await consumer.complete();
    expect(sink.items).toEqual([3, 4, 5]);
    expect(consumer.stats()).toMatchObject({ pushed: 4, pumped: 3, discarded: 1 });
  });

  it("the context of a push comes along when it is asked for", async () => {
    const consumer = setUp({ flowContext: true });
    const seen: unknown[] = [];
    consumer.start((items) => {
      for (const [index, { number }] of items.entries()) {
        seen.push([number, tenant.value, contextOf(items, index).run(() => tenant.value)]);
      }
    });
    const producer = consumer.producer(0);
    tenant.run("here", () => producer.push({ id: 0, number: 7, text: "", sum: 7 }));
    producer.push({ id: 0, number: 8, text: "", sum: 8 });
    await ended(
      startPusher({ handles: [producer.handle], count: 1, progress: progressFor(1), tenant: "there" }),
    );
    await consumer.complete();
    expect(seen).toEqual([
      [7, undefined, "here"],
      [8, undefined, undefined],
      [0, undefined, "there"],
    ]);
  });

  it("the stores that flow come along with a push, and are entered when the pump asks", async () => {
    const storage = new AsyncLocalStorage<{ user: string }>();
    let entered = 0;
    using _ = flow<{ user: string }>({
      name: "test.user",
      capture: () => storage.getStore(),
      enter(value, fn) {
        entered++;
        return storage.run(value, fn);
      },
    });
    const consumer = setUp<number>({ flowContext: true });
    const seen: unknown[] = [];
    consumer.start((items) => {
      seen.push(entered);
      for (const [index, item] of items.entries()) {
        seen.push([item, contextOf(items, index).run(() => storage.getStore()?.user)]);
      }
      seen.push(storage.getStore(), entered);
    });
    const producer = consumer.producer(0);
    storage.run({ user: "ann" }, () => [1, 2].map((item) => producer.push(item)));
    producer.push(3);
    await consumer.complete();
    expect(seen).toEqual([0, [1, "ann"], [2, "ann"], [3, undefined], undefined, 1]);
  });

  it("the consumer may live on any thread, and this one push to it", async () => {
    const owner = new Worker(new URL("./fixtures/owner.worker.ts", import.meta.url));
    const exit = ended(owner);
    const [handle] = (await once(owner, "message")) as [ProducerHandle];
    const producer = SharedProducer.attach<number>(handle);
    const numbers = Array.from({ length: 500 }, (_, i) => i);
    for (const number of numbers) producer.push(number);
    const answer = once(owner, "message");
    owner.postMessage("complete");
    expect(await answer).toEqual([numbers]);
    expect(producer.tryPush(500)).toBe(false);
    await exit;
  });

  it("a handle is plain data; anything else is refused", () => {
    const { handle } = setUp<number>().producer(0);
    expect(() => SharedProducer.attach(structuredClone(handle)).tryPush(1)).not.toThrow();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what callers without types may pass
    for (const other of [null, {}, "handle", JSON.parse(JSON.stringify(handle))] as never[]) {
      expect(() => SharedProducer.attach(other)).toThrow(TypeError);
    }
  });

  it("an item that was linked by a thread that died before it rang is found within a second or two", async () => {
    const consumer = setUp<number>({ batchSize: 1 });
    const sink = new Sink<number>();
    consumer.start(sink.pump);
    const { handle } = consumer.producer(0);
    await new Promise((resolve) => setImmediate(resolve));
    // Somebody else's bell: what is pushed is linked, and nobody is told.
    SharedProducer.attach<number>({ ...handle, bell: new SharedArrayBuffer(64) }).push(1);
    await sink.count(1);
    expect(sink.items).toEqual([1]);
    await consumer.complete();
  });

  it.each(["rung", "unrung"])(
    "does not keep the process alive, and what was pushed before its end is pumped (%s)",
    async (how) => {
      const script = join(import.meta.dirname, "fixtures", "last-words.ts");
      const { stdout } = await promisify(execFile)(process.execPath, [script, how]);
      expect(stdout).toBe("pumped 100\n");
    },
  );
});
