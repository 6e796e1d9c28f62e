import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CancellationTokenSource,
  ConcurrentExclusiveSchedulerPair,
  EventLoopScheduler,
  InvalidOperationError,
  ManualScheduler,
  type ScheduledItem,
  Task,
  TaskCompletionSource,
  TaskScheduler,
  TaskSchedulerError,
} from "../../src/index.ts";
import { untyped } from "../untyped.ts";

const done = Task.fromResult(1);

function queue(policy: TaskScheduler, fn: () => unknown): Task<unknown> {
  return done.continueWith(fn, { policy });
}

describe("ConcurrentExclusiveSchedulerPair", () => {
  it("A10.7 exclusive items go first and overlap nothing, also when an item runs a nested loop", () => {
    const manual = new ManualScheduler();
    const pair = new ConcurrentExclusiveSchedulerPair({ scheduler: manual });
    const log: string[] = [];
    void queue(pair.concurrentScheduler, () => {
      log.push("concurrent 1 begins");
      void queue(pair.exclusiveScheduler, () => log.push("exclusive"));
      manual.runAll();
      log.push("concurrent 1 ends");
    });
    void queue(pair.concurrentScheduler, () => log.push("concurrent 2"));
    manual.runAll();
    expect(log.indexOf("exclusive")).toBeGreaterThan(log.indexOf("concurrent 1 ends"));
    expect(log).toHaveLength(4);
  });

  it.each([1, 2, 3])("A10.7 at most %s concurrent items are under way", (maxConcurrencyLevel) => {
    const manual = new ManualScheduler();
    const pair = new ConcurrentExclusiveSchedulerPair({ scheduler: manual, maxConcurrencyLevel });
    expect(pair.concurrentScheduler.maximumConcurrencyLevel).toBe(maxConcurrencyLevel);
    expect(pair.exclusiveScheduler.maximumConcurrencyLevel).toBe(1);
    let running = 0;
    let most = 0;
    for (let i = 0; i < 8; i++) {
      void queue(pair.concurrentScheduler, () => {
        most = Math.max(most, ++running);
        manual.runOne();
        running--;
      });
    }
    manual.runAll();
    expect(most).toBe(maxConcurrencyLevel);
  });

  it("A10.7 a turn on the underlying scheduler ends after maxItemsPerTask", () => {
    const manual = new ManualScheduler();
    const pair = new ConcurrentExclusiveSchedulerPair({ scheduler: manual, maxItemsPerTask: 2 });
    let ran = 0;
    for (let i = 0; i < 5; i++) void queue(pair.exclusiveScheduler, () => ran++);
    const counts: number[] = [];
    while (manual.runOne()) counts.push(ran);
    expect(counts).toEqual([2, 4, 5]);
  });

  it("A10.7 completion comes when all that was queued has run; later items are refused", async () => {
    const manual = new ManualScheduler();
    const pair = new ConcurrentExclusiveSchedulerPair({ scheduler: manual });
    const last = queue(pair.exclusiveScheduler, () => "ran");
    pair.complete();
    pair.complete();
    expect(pair.completion.status).toBe("pending");
    manual.runAll();
    await pair.completion;
    expect(last.result).toBe("ran");
    const late = queue(pair.concurrentScheduler, () => 1);
    await late.continueWith(() => {});
    expect(late.error).toBeInstanceOf(TaskSchedulerError);
    const empty = new ConcurrentExclusiveSchedulerPair();
    empty.complete();
    await empty.completion;
    expect(empty.completion.status).toBe("succeeded");
  });

  it("A10.2 an underlying scheduler that fails hangs nobody", async () => {
    class Broken extends TaskScheduler {
      queueTask(): void {
        throw new Error("broken");
      }
    }
    const pair = new ConcurrentExclusiveSchedulerPair({ scheduler: new Broken() });
    expect(await queue(pair.exclusiveScheduler, () => "ran")).toBe("ran");
  });

  it("A10.7 an underlying scheduler that runs a turn at once: an exclusive item that comes of it has its turn", () => {
    class AtOnce extends TaskScheduler {
      turns = 0;
      queueTask(item: ScheduledItem): void {
        // Without end the test would have none either.
        if (++this.turns > 100) throw new Error("too many turns");
        this.tryExecuteTask(item);
      }
    }
    const pair = new ConcurrentExclusiveSchedulerPair({ scheduler: new AtOnce() });
    const log: string[] = [];
    const concurrent = (fn: () => void): void => void queue(pair.concurrentScheduler, fn);
    concurrent(() => {
      concurrent(() => {
        void queue(pair.exclusiveScheduler, () => log.push("exclusive"));
        concurrent(() => log.push("concurrent"));
      });
      log.push("first ends");
    });
    expect(log).toEqual(["first ends", "exclusive", "concurrent"]);
  });

  it.each([
    [{ scheduler: {} }, TypeError],
    [{ maxConcurrencyLevel: 0 }, RangeError],
    [{ maxItemsPerTask: 1.5 }, RangeError],
    [{ maxItemsPerTask: "1" }, TypeError],
  ])("refuses %j", (options, error) => {
    expect(() => new ConcurrentExclusiveSchedulerPair(untyped(options))).toThrow(error);
  });

  it("A10.7 any mix runs every item once, exclusive ones alone", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ exclusive: fc.boolean(), nested: fc.boolean() }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        (items, maxConcurrencyLevel, maxItemsPerTask) => {
          const manual = new ManualScheduler();
          const pair = new ConcurrentExclusiveSchedulerPair({
            scheduler: manual,
            maxConcurrencyLevel,
            maxItemsPerTask,
          });
          let concurrent = 0;
          let exclusive = 0;
          let ran = 0;
          for (const item of items) {
            const scheduler = item.exclusive ? pair.exclusiveScheduler : pair.concurrentScheduler;
            void queue(scheduler, () => {
              ran++;
              if (item.exclusive) exclusive++;
              else concurrent++;
              expect(exclusive).toBeLessThanOrEqual(1);
              expect(exclusive === 1 ? concurrent : 0).toBe(0);
              expect(concurrent).toBeLessThanOrEqual(maxConcurrencyLevel);
              if (item.nested) manual.runOne();
              if (item.exclusive) exclusive--;
              else concurrent--;
            });
          }
          manual.runAll();
          expect(ran).toBe(items.length);
        },
      ),
    );
  });
});

describe("EventLoopScheduler", () => {
  it("runs items in order, in later turns, under itself", async () => {
    const scheduler = new EventLoopScheduler({ budgetMs: 2 });
    const seen: unknown[] = [];
    const tasks = [1, 2, 3].map((n) =>
      queue(scheduler, () => seen.push([n, TaskScheduler.current === scheduler])),
    );
    expect([scheduler.pending, scheduler.maximumConcurrencyLevel]).toEqual([3, 1]);
    await Promise.resolve();
    expect(seen).toEqual([]);
    await Task.whenAll(tasks);
    expect(seen).toEqual([
      [1, true],
      [2, true],
      [3, true],
    ]);
    expect(() => new EventLoopScheduler({ budgetMs: -1 })).toThrow(RangeError);
  });

  it("A4.5 a generator method that waits under a scheduler resumes under it", async () => {
    const scheduler = new EventLoopScheduler();
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    const started = queue(scheduler, () =>
      Task.async(function* () {
        yield* source.task;
        return TaskScheduler.current === scheduler;
      })(),
    );
    await Task.yield();
    source.setResult(1);
    expect(await started).toBe(true);
  });
});

describe("ManualScheduler, virtual time", () => {
  it("runUntil goes from delay to delay and gives the result, or throws the error", () => {
    const scheduler = new ManualScheduler();
    const method = Task.async(function* (fails: boolean) {
      for (let i = 0; i < 3; i++) yield* scheduler.delay(1000);
      if (fails) throw new RangeError("late");
      return scheduler.now;
    });
    expect(scheduler.runUntil(method(false))).toBe(3000);
    expect(() => scheduler.runUntil(method(true))).toThrow(RangeError);
    expect(scheduler.now).toBe(6000);
  });

  it("runUntil says so when nothing is left that could complete the task", () => {
    expect(() => new ManualScheduler().runUntil(new TaskCompletionSource<number>().task)).toThrow(
      InvalidOperationError,
    );
  });

  it.each([-1, -0.5, Number.NaN, Infinity, -Infinity])("advance refuses %s, and nothing runs", (ms) => {
    const scheduler = new ManualScheduler();
    void queue(scheduler, () => {});
    expect(() => scheduler.advance(ms)).toThrow(RangeError);
    expect([scheduler.now, scheduler.pending]).toEqual([0, 1]);
    expect(() => scheduler.advance(untyped("5"))).toThrow(TypeError);
    expect([scheduler.advance(0), scheduler.advance(1.5), scheduler.now]).toEqual([1, 0, 1.5]);
  });

  it("a delay without end can be cancelled, and is nothing that runUntil could move the clock to", () => {
    const scheduler = new ManualScheduler();
    const source = new CancellationTokenSource();
    const delay = scheduler.delay(-1, { signal: source.token });
    expect(() => scheduler.runUntil(delay)).toThrow(InvalidOperationError);
    source.cancel();
    expect([delay.status, scheduler.now]).toEqual(["canceled", 0]);
  });

  it("the clock never goes back, also when an item moves it further than the one that runs it", () => {
    const scheduler = new ManualScheduler();
    const seen: number[] = [];
    void scheduler.delay(5).then(() => {
      scheduler.runUntil(scheduler.delay(20));
      seen.push(scheduler.now);
    });
    void scheduler.delay(8).then(() => seen.push(scheduler.now));
    scheduler.advance(10);
    expect([seen, scheduler.now]).toEqual([[8, 25], 25]);
  });

  it("A12.2 a cancelled delay is gone", () => {
    const scheduler = new ManualScheduler();
    const source = new CancellationTokenSource();
    const delay = scheduler.delay(10, { signal: source.token });
    source.cancel();
    expect(delay.status).toBe("canceled");
    expect(scheduler.delay(1, { signal: source.token }).status).toBe("canceled");
    scheduler.advance(100);
    expect(delay.status).toBe("canceled");
    const kept = new CancellationTokenSource();
    const elapsed = scheduler.delay(10, { signal: kept.token });
    scheduler.advance(10);
    kept.cancel();
    expect(elapsed.status).toBe("succeeded");
  });
});

describe("buggy schedulers", () => {
  class Buggy extends TaskScheduler {
    readonly how: "throws" | "lies";

    constructor(how: "throws" | "lies") {
      super();
      this.how = how;
    }

    queueTask(item: ScheduledItem): void {
      if (this.how === "throws") throw new Error("no");
      void item;
    }
  }

  it("A10.2 a generator method that waits under one learns it where it waits", async () => {
    const source = new TaskCompletionSource<number>({ continuations: new Buggy("throws") });
    const task = Task.async(function* () {
      try {
        return yield* source.task;
      } catch (error) {
        return error;
      }
    })();
    source.setResult(1);
    expect(await task).toBeInstanceOf(TaskSchedulerError);
  });
});
