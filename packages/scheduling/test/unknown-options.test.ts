import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import {
  AsyncAutoResetEvent,
  AsyncManualResetEvent,
  AsyncSemaphore,
  BlockingCollection,
  CancellationTokenSource,
  ConcurrentExclusiveSchedulerPair,
  EventLoopScheduler,
  ManualResetValueTaskSource,
  ManualScheduler,
  MessageLoop,
  SharedBlockingCollection,
  Task,
  TaskCompletionSource,
  ValueTask,
} from "../src/index.ts";
import { untyped } from "./untyped.ts";

const task = Task.fromResult(1);
const collection = new BlockingCollection<number>();
const shared = new SharedBlockingCollection<number>();

const bags: [what: string, wrong: string, meant: string, use: (options: never) => unknown][] = [
  ["Task.run", "singal", "signal", (options) => Task.run(() => {}, options)],
  ["Task.delay", "signals", "signal", (options) => Task.delay(1, options)],
  ["Task.whenEach", "abortSignal", "signal", (options) => Task.whenEach([task], options)],
  [
    "Task.fromEvent",
    "errorevent",
    "errorEvent",
    (options) => Task.fromEvent(new EventEmitter(), "x", options),
  ],
  ["configureAwait", "polcy", "policy", (options) => task.configureAwait(options)],
  [
    "configureAwait of a ValueTask",
    "forceYield",
    "forceYielding",
    (options) => ValueTask.completed.configureAwait(options),
  ],
  ["continueWith", "policies", "policy", (options) => task.continueWith(() => {}, options)],
  ["waitAsync", "timeout", "timeoutMs", (options) => task.waitAsync(options)],
  ["TaskCompletionSource", "continuation", "continuations", (options) => new TaskCompletionSource(options)],
  [
    "ManualResetValueTaskSource",
    "version",
    "initialVersion",
    (options) => new ManualResetValueTaskSource(options),
  ],
  [
    "cancel",
    "throwOnFirst",
    "throwOnFirstError",
    (options) => new CancellationTokenSource().cancel(1, options),
  ],
  [
    "register",
    "useSyncContext",
    "useSynchronizationContext",
    (options) => new CancellationTokenSource().token.register(() => {}, 1, options),
  ],
  ["MessageLoop", "budget", "budgetMs", (options) => new MessageLoop(options)],
  ["EventLoopScheduler", "budgetMS", "budgetMs", (options) => new EventLoopScheduler(options)],
  [
    "ConcurrentExclusiveSchedulerPair",
    "maxConcurrency",
    "maxConcurrencyLevel",
    (options) => new ConcurrentExclusiveSchedulerPair(options),
  ],
  ["ManualScheduler.delay", "Signal", "signal", (options) => new ManualScheduler().delay(1, options)],
  ["AsyncSemaphore", "continuation", "continuations", (options) => new AsyncSemaphore(1, 1, options)],
  ["AsyncSemaphore.waitAsync", "sig", "signal", (options) => new AsyncSemaphore(1).waitAsync(options)],
  ["AsyncAutoResetEvent", "initialstate", "initialState", (options) => new AsyncAutoResetEvent(options)],
  [
    "AsyncAutoResetEvent.waitAsync",
    "signl",
    "signal",
    (options) => new AsyncAutoResetEvent().waitAsync(options),
  ],
  ["AsyncManualResetEvent", "initalState", "initialState", (options) => new AsyncManualResetEvent(options)],
  [
    "AsyncManualResetEvent.waitAsync",
    "signal_",
    "signal",
    (options) => new AsyncManualResetEvent().waitAsync(options),
  ],
  ["BlockingCollection", "boundCapacity", "boundedCapacity", (options) => new BlockingCollection(options)],
  ["BlockingCollection.add", "sgnal", "signal", (options) => collection.add(1, options)],
  ["BlockingCollection.take", "sgnal", "signal", (options) => collection.take(options)],
  ["takeFromAny", "sgnal", "signal", (options) => BlockingCollection.takeFromAny([collection], options)],
  ["addToAny", "sgnal", "signal", (options) => BlockingCollection.addToAny([collection], 1, options)],
  ["SharedBlockingCollection", "itemByte", "itemBytes", (options) => new SharedBlockingCollection(options)],
  ["SharedBlockingCollection.add", "sgnal", "signal", (options) => shared.add(1, options)],
  ["SharedBlockingCollection.take", "sgnal", "signal", (options) => shared.take(options)],
];

describe("an option that does not exist", () => {
  it.each(bags)("is refused with what was meant: %s, %s", (_, wrong, meant, use) => {
    expect(() => use(untyped({ [wrong]: undefined }))).toThrow(
      expect.objectContaining({
        name: "TypeError",
        code: "ERR_SKEIN_UNKNOWN_OPTION",
        message: expect.stringMatching(new RegExp(`\`${wrong}\`.*\\b${meant}\\b`)) as string,
      }),
    );
  });

  it.each(bags)("is no token in the place of the options either: %s", (_what, _wrong, _meant, use) => {
    expect(() => use(untyped(new CancellationTokenSource().token))).toThrow(
      expect.objectContaining({
        code: "ERR_SKEIN_INVALID_ARG_TYPE",
        message: expect.stringContaining("got an instance of CancellationToken") as string,
      }),
    );
  });

  it("is not one that somebody put on Object.prototype", () => {
    const inherited = Object.create({ timeout: 1, toString: null }) as object;
    expect(task.waitAsync(untyped(Object.assign(inherited, { timeoutMs: 5 })))).toBe(task);
  });

  it("changes nothing: the collections are as they were", () => {
    expect([collection.count, shared.count]).toEqual([0, 0]);
  });
});
