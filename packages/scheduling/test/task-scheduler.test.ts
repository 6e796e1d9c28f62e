/* oxlint-disable promise/always-return -- what is tested is when a callback runs, not what it gives. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  InvalidOperationError,
  ManualScheduler,
  TaskCompletionSource,
  TaskScheduler,
  TaskSchedulerError,
} from "../src/index.ts";
import type { ScheduledItem } from "../src/index.ts";

class Refusing extends TaskScheduler {
  readonly failure: Error = new Error("no room");
  queueTask(): void {
    throw this.failure;
  }
}

describe("TaskScheduler", () => {
  it("A10.1 current is the scheduler whose item runs, otherwise the default", () => {
    const scheduler = new ManualScheduler();
    const source = new TaskCompletionSource<void>({ continuations: scheduler });
    let inside: TaskScheduler | undefined;
    void source.task.then(() => (inside = TaskScheduler.current));
    source.setResult();
    expect(inside).toBeUndefined();
    scheduler.runAll();
    expect(inside).toBe(scheduler);
    expect(TaskScheduler.current).toBe(TaskScheduler.default);
  });

  it("the default one runs continuations as policy asynchronous does", async () => {
    const source = new TaskCompletionSource<number>({ continuations: TaskScheduler.default });
    let ran = false;
    const done = source.task.then(() => (ran = true));
    source.setResult(1);
    expect(ran).toBe(false);
    expect(await done).toBe(true);
    expect(await source.task).toBe(1);
  });

  it.each([
    ["then", (source: TaskCompletionSource<number>) => source.task.then(() => "ran")],
    ["a native await", async (source: TaskCompletionSource<number>) => await source.task],
    [
      "continueWith",
      (source: TaskCompletionSource<number>) =>
        source.task.continueWith(() => "ran", { policy: new Refusing() }),
    ],
  ])("A4.10 A10.2 an error from queueTask fails %s, not the completer", async (_, attach) => {
    const scheduler = new Refusing();
    const source = new TaskCompletionSource<number>({ continuations: scheduler });
    const derived = Promise.resolve(attach(source));
    // A native await attaches in a microtask.
    await turn();
    expect(() => source.setResult(1)).not.toThrow();
    const error = await derived.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(TaskSchedulerError);
    expect(error).toMatchObject({
      code: "ERR_SKEIN_TASK_SCHEDULER",
      cause: expect.objectContaining({ message: "no room" }),
    });
    expect(source.task.status).toBe("succeeded");
  });

  it("A10.2 a wait on a completed task with a throwing scheduler does not hang", async () => {
    const source = new TaskCompletionSource<number>({ continuations: new Refusing() });
    source.setResult(1);
    await expect(source.task.then((value) => value)).rejects.toBeInstanceOf(TaskSchedulerError);
  });

  it("A10.3 accepting inline without running is an error of the scheduler", async () => {
    class Lying extends ManualScheduler {
      override tryExecuteInline(): boolean {
        return true;
      }
    }
    const scheduler = new Lying();
    const start = new TaskCompletionSource<void>({ continuations: scheduler });
    const source = new TaskCompletionSource<void>({ continuations: "inline" });
    const seen = new TaskCompletionSource<unknown>();
    void start.task.then(() => {
      void source.task.configureAwait({ policy: scheduler }).then(
        () => seen.setResult("ran"),
        (error: unknown) => seen.setResult(error),
      );
      source.setResult();
    });
    start.setResult();
    scheduler.runAll();
    expect(await seen.task).toMatchObject({
      code: "ERR_SKEIN_TASK_SCHEDULER",
      cause: expect.any(InvalidOperationError),
    });
  });

  it("A10.4 an item runs at most once however often it is executed", () => {
    const results: boolean[] = [];
    class Twice extends TaskScheduler {
      queueTask(item: ScheduledItem): void {
        results.push(this.tryExecuteTask(item), this.tryExecuteTask(item));
      }
    }
    const source = new TaskCompletionSource<void>({ continuations: new Twice() });
    let runs = 0;
    void source.task.then(() => runs++);
    source.setResult();
    expect(results).toEqual([true, false]);
    expect(runs).toBe(1);
  });

  it("a chain of thens stays on the scheduler of its beginning", () => {
    const scheduler = new ManualScheduler();
    const source = new TaskCompletionSource<number>({ continuations: scheduler });
    const last = source.task.then((value) => value + 1).then((value) => value + 1);
    source.setResult(1);
    expect(scheduler.runOne()).toBe(true);
    expect(last.status).toBe("pending");
    expect(scheduler.runOne()).toBe(true);
    expect(last.result).toBe(3);
    expect(scheduler.runOne()).toBe(false);
  });
});

describe("ManualScheduler", () => {
  it("counts what is pending and runs it in order", () => {
    const scheduler = new ManualScheduler();
    const source = new TaskCompletionSource<void>({ continuations: scheduler });
    const log: string[] = [];
    void source.task.then(() => log.push("a"));
    void source.task.then(() => log.push("b"));
    source.setResult();
    expect(scheduler.pending).toBe(2);
    expect(scheduler.runAll()).toBe(2);
    expect(log).toEqual(["a", "b"]);
  });

  it("advance stops at each delay that becomes due, in order of time", () => {
    const scheduler = new ManualScheduler();
    const log: string[] = [];
    void scheduler.delay(20).then(() => log.push(`b ${scheduler.now}`));
    void scheduler.delay(10).then(() => {
      log.push(`a ${scheduler.now}`);
      void scheduler.delay(5).then(() => log.push(`c ${scheduler.now}`));
    });
    void scheduler.delay(40).then(() => log.push("too late"));
    scheduler.advance(30);
    expect(log).toEqual(["a 10", "c 15", "b 20"]);
    expect(scheduler.now).toBe(30);
    expect(() => scheduler.delay(-5)).toThrow(RangeError);
  });
});
