import { AsyncLocalStorage } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
import { AsyncLocal } from "@skein/context";
import { describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { contextOf, MultiProducerConcurrentConsumer, type TracedBatch } from "../src/index.ts";

const tenant = new AsyncLocal<string>();
const storage = new AsyncLocalStorage<string>();

function setUp(flowContext: boolean): MultiProducerConcurrentConsumer<string> {
  return new MultiProducerConcurrentConsumer({
    batchSize: 2,
    pushIntervalMs: 1,
    maxConcurrency: 1,
    slots: 1,
    flowContext,
  });
}

describe("context", () => {
  it("the pump and what it awaits run under the empty context, not under that of start or of a push", async () => {
    const consumer = setUp(false);
    const seen: unknown[] = [];
    const note = (): void => void seen.push([tenant.value, storage.getStore()]);
    const pump = async (): Promise<void> => {
      note();
      await Promise.resolve();
      note();
    };
    const push = (): void => {
      consumer.push("a", 0);
      consumer.push("b", 0);
      consumer.push("c", 0);
    };
    storage.run("starter", () => tenant.run("starter", () => consumer.start(pump)));
    storage.run("pusher", () => tenant.run("pusher", push));
    await eventually("the first batch", () => seen.length >= 2);
    await storage.run("completer", () => tenant.run("completer", () => consumer.complete()));
    expect(seen).toEqual(Array.from({ length: 4 }, () => [undefined, undefined]));
  });

  it("what one pump call sets, the next does not see", async () => {
    const consumer = setUp(false);
    const seen: unknown[] = [];
    consumer.start(() => {
      seen.push(tenant.value, storage.getStore());
      tenant.value = "left over";
      storage.enterWith("left over");
    });
    for (const item of ["a", "b", "c", "d"]) consumer.push(item, 0);
    await consumer.complete();
    expect(seen).toEqual([undefined, undefined, undefined, undefined]);
    expect(tenant.value).toBeUndefined();
  });

  it("onError and listeners to the signal run under the empty context, whatever the pump has entered", async () => {
    const seen: unknown[] = [];
    const consumer = new MultiProducerConcurrentConsumer<string>({
      batchSize: 1,
      pushIntervalMs: 1,
      maxConcurrency: 1,
      slots: 1,
      flowContext: true,
      onError: (error, items) => {
        seen.push(`${String(error)} ${tenant.value} ${storage.getStore()}`);
        seen.push(contextOf(items, 0).run(() => `of the push: ${storage.getStore()}`));
        return "drop";
      },
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    consumer.start(([item], _slot, _state, signal) => {
      tenant.value = "left over";
      storage.enterWith("left over");
      // oxlint-disable-next-line typescript/only-throw-error -- the text is enough here
      if (item === "throws") throw item;
      if (item === "rejects") return Promise.reject(item);
      signal.addEventListener("abort", () => {
        seen.push(`aborted ${tenant.value} ${storage.getStore()}`);
        resolve();
      });
      started.resolve();
      return promise;
    });
    storage.run("pusher", () => {
      for (const item of ["throws", "rejects", "waits"]) consumer.push(item, 0);
    });
    await started.promise;
    await storage.run("completer", () => tenant.run("completer", () => consumer.complete({ drain: false })));
    expect(seen).toEqual([
      "throws undefined undefined",
      "of the push: pusher",
      "rejects undefined undefined",
      "of the push: pusher",
      "aborted undefined undefined",
    ]);
  });

  it("contextOf gives each item the context of its push, in full and in partial batches", async () => {
    const consumer = setUp(true);
    const seen: string[] = [];
    consumer.start((items) => {
      for (const [index, item] of items.entries()) {
        const of = contextOf(items, index).run(() => `${tenant.value}/${storage.getStore()}`);
        seen.push(`${item} ${of}`);
      }
    });
    for (const name of ["a", "b", "c"]) {
      tenant.run(name, () => storage.run(name.toUpperCase(), () => consumer.push(name, 0)));
    }
    await consumer.complete();
    expect(seen).toEqual(["a a/A", "b b/B", "c c/C"]);
  });

  it("contextOf works after an await of the pump, and for pushAsync that had to wait", async () => {
    const consumer = new MultiProducerConcurrentConsumer<string>({
      batchSize: 1,
      pushIntervalMs: 1,
      maxConcurrency: 1,
      slots: 1,
      capacity: 1,
      flowContext: true,
    });
    const seen: unknown[] = [];
    const pushes = ["a", "b", "c"].map((name) => tenant.run(name, () => consumer.pushAsync(name, 0)));
    consumer.start(async (items) => {
      await Promise.resolve();
      seen.push([items[0], contextOf(items, 0).run(() => tenant.value)]);
    });
    await Promise.all(pushes);
    await consumer.complete();
    expect(seen).toEqual([
      ["a", "a"],
      ["b", "b"],
      ["c", "c"],
    ]);
  });

  it("contextOf refuses other lists, other indexes, and consumers that capture nothing", async () => {
    const plain = setUp(false);
    const flowing = setUp(true);
    const errors: unknown[] = [];
    const attempt = (fn: () => unknown): void => {
      try {
        fn();
      } catch (error) {
        errors.push(error);
      }
    };
    plain.start((items) => attempt(() => contextOf(items, 0)));
    flowing.start((items) => {
      attempt(() => contextOf([...items], 0));
      attempt(() => contextOf(items, items.length));
    });
    for (const consumer of [plain, flowing]) {
      consumer.push("a", 0);
      await consumer.complete();
    }
    expect(errors).toMatchObject([
      { code: "ERR_SKEIN_INVALID_OPERATION" },
      { code: "ERR_SKEIN_INVALID_OPERATION" },
      { code: "ERR_SKEIN_OUT_OF_RANGE" },
    ]);
  });
});

describe("the TracingChannel skein:batch", () => {
  it("each batch is one operation, ended before its contexts go; a bound store is there throughout", async () => {
    const channel = tracingChannel<string, TracedBatch>("skein:batch");
    const bound = new AsyncLocalStorage<string>();
    const log: unknown[] = [];
    const note =
      (event: string) =>
      (message: unknown): void => {
        const { name, slot, size, attempt, outcome, contextOf: of } = message as TracedBatch;
        const pushed = [...Array(size).keys()].map((i) => of!(i).run(() => storage.getStore()));
        log.push([event, name, slot, attempt, outcome, pushed.join()]);
      };
    const listeners = {
      start: note("start"),
      end: note("end"),
      asyncStart: note("asyncStart"),
      asyncEnd: note("asyncEnd"),
      error: note("error"),
    };
    channel.subscribe(listeners);
    channel.start.bindStore(bound, ({ attempt }) => `attempt ${attempt}`);
    const consumer = new MultiProducerConcurrentConsumer<string>({
      batchSize: 2,
      pushIntervalMs: Infinity,
      maxConcurrency: 1,
      slots: 1,
      flowContext: true,
      name: "rows",
      onError: () => "retry",
    });
    let calls = 0;
    consumer.start(async () => {
      await Promise.resolve();
      log.push(bound.getStore());
      if (calls++ === 0) throw new Error("once");
    });
    for (const user of ["ann", "bob"]) storage.run(user, () => consumer.push(user, 0));
    await consumer.complete();
    channel.unsubscribe(listeners);
    channel.start.unbindStore(bound);
    const of = (attempt: number, events: string[], outcome: string | null): unknown[] =>
      events.map((event) => [event, "rows", 0, attempt, outcome, "ann,bob"]);
    expect(log).toEqual([
      ...of(1, ["start", "end"], null),
      "attempt 1",
      ...of(1, ["error", "asyncStart", "asyncEnd"], "failed"),
      ...of(2, ["start", "end"], null),
      "attempt 2",
      ...of(2, ["asyncStart", "asyncEnd"], "completed"),
    ]);
  });
});
