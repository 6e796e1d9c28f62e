/** Real consumers under everything that programs put in place of timers, clocks and built-ins. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MultiProducerConcurrentConsumer } from "../src/index.ts";
import type { BatchingOptions } from "../src/index.ts";
import { timeLimit } from "../../../test/support/time-limit.ts";

const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };

afterEach(() => {
  vi.useRealTimers();
  mock.timers.reset();
  Object.assign(globalThis, real);
});

class Trial {
  readonly batches: (readonly number[])[] = [];
  readonly consumer: MultiProducerConcurrentConsumer<number>;
  #onBatch: (() => void) | undefined;

  constructor(options: Partial<BatchingOptions<number>> = {}) {
    this.consumer = new MultiProducerConcurrentConsumer<number>({
      batchSize: 3,
      pushIntervalMs: 100,
      maxConcurrency: 1,
      slots: 3,
      ...options,
    });
    this.consumer.start((items) => {
      this.batches.push([...items]);
      this.#onBatch?.();
    });
  }

  /** Resolves with the `count`th batch. */
  async until(count: number): Promise<void> {
    while (this.batches.length < count) await new Promise<void>((resolve) => (this.#onBatch = resolve));
  }
}

describe("fake timers", { timeout: timeLimit(120_000) }, () => {
  it("advanced in one go, on their own stack", () => {
    vi.useFakeTimers();
    const { consumer, batches } = new Trial();
    consumer.push(1, 0);
    vi.advanceTimersByTime(60);
    consumer.push(2, 1);
    vi.advanceTimersByTime(39);
    expect(batches).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(batches).toEqual([[1]]);
    vi.advanceTimersByTime(60);
    expect(batches).toEqual([[1], [2]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("with a clock of their own or with none: setTimeout alone, with Date, with all there is", () => {
    for (const apis of [["setTimeout"], ["setTimeout", "Date"], undefined] as const) {
      mock.timers.enable(apis === undefined ? undefined : { apis: [...apis] });
      const { consumer, batches } = new Trial();
      for (const slot of [0, 1, 2]) {
        consumer.push(slot, slot);
        mock.timers.tick(99);
        expect(batches).toHaveLength(slot);
        mock.timers.tick(1);
        expect(batches).toHaveLength(slot + 1);
      }
      mock.timers.reset();
    }
  });

  it("microtasks faked as well: what is full is pumped all the same", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "setImmediate", "queueMicrotask", "performance"] });
    const { consumer, batches } = new Trial();
    for (const item of [1, 2, 3]) consumer.push(item, 0);
    await turn();
    expect(batches).toEqual([[1, 2, 3]]);
    await consumer.complete();
  });

  it("a fake clock that is set back delays nothing", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { consumer, batches } = new Trial();
    consumer.push(1, 0);
    vi.setSystemTime(0);
    vi.advanceTimersByTime(100);
    consumer.push(2, 0);
    vi.advanceTimersByTime(100);
    expect(batches).toEqual([[1], [2]]);
  });

  it("gone before they fired: what waits is pumped without another push", async () => {
    const trial = new Trial();
    vi.useFakeTimers();
    trial.consumer.push(1, 0);
    vi.advanceTimersByTime(50);
    vi.useRealTimers();
    // The consumer's own look keeps no process alive.
    const alive = real.setTimeout(() => {}, 2 ** 31 - 1);
    await trial.until(1);
    real.clearTimeout(alive);
    expect(trial.batches).toEqual([[1]]);
  });

  it("gone before they fired: the next push sets a real timer", async () => {
    const trial = new Trial({ pushIntervalMs: 20 });
    for (const enable of [() => void vi.useFakeTimers(), () => mock.timers.enable()]) {
      enable();
      trial.consumer.push(1, 0);
      vi.useRealTimers();
      mock.timers.reset();
      trial.consumer.push(2, 1);
      await trial.until(2);
      expect(trial.batches.splice(0)).toEqual([[1], [2]]);
    }
    await trial.consumer.complete();
  });

  it("gone and still ticking: what they fire later is not heard", async () => {
    const calls: (() => void)[] = [];
    Object.assign(globalThis, { setTimeout: (callback: () => void) => calls.push(callback) });
    const { consumer, batches } = new Trial({ pushIntervalMs: 2 ** 30 });
    consumer.push(1, 0);
    Object.assign(globalThis, real);
    consumer.push(2, 1);
    calls[0]!();
    await turn();
    expect(batches).toEqual([]);
    await consumer.complete();
    expect(batches).toEqual([[1], [2]]);
  });

  it("come while a real timer runs: it fires", async () => {
    const trial = new Trial({ pushIntervalMs: 20 });
    trial.consumer.push(1, 0);
    vi.useFakeTimers();
    await trial.until(1);
    trial.consumer.push(2, 0);
    vi.advanceTimersByTime(20);
    expect(trial.batches).toEqual([[1], [2]]);
  });

  it("that nobody advances: complete() drains, and tries again what failed", async () => {
    vi.useFakeTimers();
    let attempts = 0;
    const consumer = new MultiProducerConcurrentConsumer<number>({
      batchSize: 3,
      pushIntervalMs: 100,
      maxConcurrency: 1,
      slots: 1,
      onError: () => "retry",
    });
    consumer.start(() => {
      if (++attempts < 4) throw new Error("not yet");
    });
    consumer.push(1, 0);
    expect(await consumer.complete()).toEqual({ discarded: [], failed: [], failedItemsDropped: 0 });
    expect(attempts).toBe(4);
  });

  it("that nobody advances: what other threads push arrives", async () => {
    vi.useFakeTimers();
    const trial = new Trial({ batchSize: 1 });
    const producer = trial.consumer.producer(0);
    for (let i = 1; i <= 3; i++) {
      producer.push(i);
      await trial.until(i);
    }
    expect(trial.batches).toEqual([[1], [2], [3]]);
    await trial.consumer.complete();
  });

  it("advanced by the pump: no batch starts inside another", async () => {
    vi.useFakeTimers();
    const consumer = new MultiProducerConcurrentConsumer<number>({
      batchSize: 3,
      pushIntervalMs: 100,
      maxConcurrency: 5,
      slots: 3,
    });
    let depth = 0;
    const seen: string[] = [];
    consumer.start((items, slot) => {
      seen.push(`${slot}: ${items.join()} at depth ${++depth}`);
      vi.advanceTimersByTime(100);
      depth--;
    });
    consumer.push(9, 2);
    for (const item of [1, 2, 3, 4]) consumer.push(item, 0);
    await turn();
    expect(seen).toEqual(["0: 1,2,3 at depth 1", "2: 9 at depth 1", "0: 4 at depth 1"]);
    await consumer.complete();
  });

  it("advanced by onError: the batch that is tried again stays first", async () => {
    vi.useFakeTimers();
    const seen: string[] = [];
    const consumer = new MultiProducerConcurrentConsumer<number>({
      batchSize: 2,
      pushIntervalMs: 100,
      maxConcurrency: 1,
      slots: 1,
      onError: () => {
        vi.advanceTimersByTime(1000);
        return "retry";
      },
    });
    consumer.start((items) => {
      seen.push(items.join());
      return seen.length === 1 ? Promise.reject(new Error("once")) : Promise.resolve();
    });
    for (const item of [1, 2, 3]) consumer.push(item, 0);
    await turn();
    await consumer.complete();
    expect(seen).toEqual(["1,2", "1,2", "3"]);
  });
});

describe("other timers", () => {
  it("that are numbers, as in a browser", async () => {
    const byNumber = new Map<number, NodeJS.Timeout>();
    let last = 0;
    Object.assign(globalThis, {
      setTimeout: (callback: () => void, ms: number): number => {
        byNumber.set(++last, real.setTimeout(callback, ms));
        return last;
      },
      clearTimeout: (timer: number): void => {
        real.clearTimeout(byNumber.get(timer));
        byNumber.delete(timer);
      },
    });
    const trial = new Trial({ pushIntervalMs: 10 });
    trial.consumer.push(1, 0);
    await trial.until(1);
    trial.consumer.push(2, 0);
    for (const item of [3, 4]) trial.consumer.push(item, 0);
    await trial.until(2);
    expect(trial.batches).toEqual([[1], [2, 3, 4]]);
    // The first one has fired, the second was stopped when its batch was full.
    expect(byNumber.size).toBe(1);
    await trial.consumer.complete();
  });

  it("that call back at once, and more than once: the pump is not called on the stack of a push", async () => {
    Object.assign(globalThis, {
      setTimeout: (callback: () => void): number => {
        callback();
        callback();
        return 1;
      },
    });
    const { consumer, batches } = new Trial();
    consumer.push(1, 0);
    consumer.push(2, 0);
    expect(batches).toEqual([]);
    await turn();
    expect(batches).toEqual([[1, 2]]);
    await consumer.complete();
  });

  it.each<[string, unknown]>([
    [
      "that throw",
      (): never => {
        throw new Error("no timers here");
      },
    ],
    [
      "that throw, having called back",
      (callback: () => void): never => {
        callback();
        throw new Error("no timers here");
      },
    ],
    ["that are not there", undefined],
  ])("%s: a push is accepted, and pumped in time", async (_, setTimeout) => {
    Object.assign(globalThis, { setTimeout });
    const trial = new Trial({ pushIntervalMs: 10 });
    trial.consumer.push(1, 0);
    await trial.until(1);
    Object.assign(globalThis, real);
    trial.consumer.push(2, 0);
    await trial.until(2);
    expect(trial.consumer.stats()).toMatchObject({ pushed: 2, pumped: 2 });
    await trial.consumer.complete();
  });
});

describe("built-ins", { timeout: timeLimit(120_000) }, () => {
  it.each(["frozen", "polluted", "replaced"])("%s: batches, failures and producers as ever", async (how) => {
    const script = join(import.meta.dirname, "fixtures", "hostile-surroundings.ts");
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, how]);
    expect(stdout).toBe("pumped 1,2,3,4,5 failed 6 context a/b warned SKEIN_BATCHES_FAILED\n");
    expect(stderr).toContain("BatchesFailedWarning: A batch of a consumer has failed with Error: down");
  });
});
