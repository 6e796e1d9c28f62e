import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  OperationCanceledError,
  Task,
  TaskCompletionSource,
  TaskScheduler,
  TaskSchedulerError,
  ValueTask,
} from "../src/index.ts";
import { untyped } from "./untyped.ts";

const failure = new Error("failure");

const sources = <T>(count: number): TaskCompletionSource<T>[] =>
  Array.from({ length: count }, () => new TaskCompletionSource<T>());
const tasksOf = <T>(list: TaskCompletionSource<T>[]): Task<T>[] => list.map((source) => source.task);

describe("Task.whenAll", () => {
  it("A12.3 never completes early, and gives results in argument order", async () => {
    const list = sources<number>(3);
    const all = Task.whenAll(tasksOf(list));
    list[2]?.setResult(3);
    list[0]?.setResult(1);
    await turn();
    expect(all.status).toBe("pending");
    list[1]?.setResult(2);
    expect(await all).toEqual([1, 2, 3]);
  });

  it("A12.3 any fault faults it with all errors of all, flattened one level", async () => {
    const list = sources<number>(4);
    const all = Task.whenAll(tasksOf(list));
    const errors = [new Error("a"), new Error("b"), new AggregateError([new Error("inner")])];
    list[3]?.setError(errors[2]);
    list[1]?.setCanceled();
    list[0]?.setError(errors.slice(0, 2));
    list[2]?.setResult(1);
    await expect(all).rejects.toBe(errors[0]);
    expect(all.status).toBe("faulted");
    expect(all.errors).toEqual(errors);
  });

  it("A12.3 without faults the first cancelled in order cancels it, with the same error", async () => {
    const list = sources<number>(3);
    const all = Task.whenAll(tasksOf(list));
    const [first, second] = [new OperationCanceledError("first"), new OperationCanceledError("second")];
    list[2]?.setCanceled(second);
    list[1]?.setCanceled(first);
    list[0]?.setResult(1);
    await expect(all).rejects.toBe(first);
    expect(all.status).toBe("canceled");
  });

  it("A12.3 empty completes, duplicates count, the input is copied, null is refused", async () => {
    expect(Task.whenAll([]).result).toEqual([]);
    const source = new TaskCompletionSource<number>();
    const input = [source.task, source.task];
    const all = Task.whenAll(input);
    input.length = 0;
    source.setResult(1);
    expect(await all).toEqual([1, 1]);
    expect(() => Task.whenAll([null])).toThrow(TypeError);
    expect(() => Task.whenAll([undefined])).toThrow(TypeError);
    expect(() => Task.whenAll(untyped(5))).toThrow(TypeError);
  });

  it.each<[string, () => unknown]>([
    ["a task", () => Task.fromResult(1)],
    ["a configured task", () => Task.fromResult(1).configureAwait({})],
    ["a ValueTask", () => ValueTask.fromResult(1)],
    ["a configured ValueTask", () => ValueTask.fromResult(1).configureAwait({})],
    ["Task.yield()", () => Task.yield()],
  ])("%s is no list, though yield* takes it", (_, create) => {
    const list = untyped(create());
    const refusal = "Expected `tasks` to be an iterable of tasks, got";
    expect(() => Task.whenAll(list)).toThrow(refusal);
    expect(() => Task.whenAny(list)).toThrow(refusal);
    expect(() => Task.whenEach(list)).toThrow(refusal);
  });

  it("A12.3 is not early where a scheduler refuses to tell it; in the end it has that error too", async () => {
    class Refuses extends TaskScheduler {
      override queueTask(): void {
        throw failure;
      }
    }
    const refused = new TaskCompletionSource<number>({ continuations: new Refuses() });
    const other = new TaskCompletionSource<number>();
    const all = Task.whenAll([refused.task, other.task]);
    refused.setResult(1);
    await Task.run(() => {});
    expect(all.status).toBe("pending");
    other.setError(new Error("other"));
    await all.catch(() => {});
    expect(all.errors).toEqual([new Error("other"), new TaskSchedulerError(failure)]);
  });

  it("takes promises and plain values, from any iterable", async () => {
    const all = await Task.whenAll([Task.fromResult(1), Promise.resolve("two"), 3]);
    expectTypeOf(all).toEqualTypeOf<[number, string, number]>();
    expect(all).toEqual([1, "two", 3]);
    expect(await Task.whenAll(new Set([Promise.resolve(1), Promise.resolve(2)]))).toEqual([1, 2]);
  });
});

describe("Task.whenAny", () => {
  it.each(["succeeded", "faulted", "canceled"])(
    "A12.4 succeeds with the winner, a %s task",
    async (status) => {
      const list = sources<number>(3);
      const any = Task.whenAny(tasksOf(list));
      const winner = list[1];
      if (status === "succeeded") winner?.setResult(1);
      else if (status === "faulted") winner?.setError(new Error("failure"));
      else winner?.setCanceled();
      await any.continueWith(() => {});
      expect(any.status).toBe("succeeded");
      expect(any.result).toBe(winner?.task);
      expect(any.result.status).toBe(status);
    },
  );

  it("A12.4 of completed ones the first in argument order wins", () => {
    const pending = new TaskCompletionSource<number>().task;
    const [first, second] = [Task.fromResult(1), Task.fromResult(2)];
    expect(Task.whenAny([pending, first, second]).result).toBe(first);
  });

  it("A12.4 empty and null are refused", () => {
    expect(() => Task.whenAny([])).toThrow(TypeError);
    expect(() => Task.whenAny([Task.fromResult(1), null])).toThrow(TypeError);
  });

  it("native await unwraps the winner", async () => {
    const list = sources<number>(2);
    const any = Task.whenAny(tasksOf(list));
    list[1]?.setResult(5);
    const value: unknown = await any;
    expect(value).toBe(5);
  });
});

describe("Task.whenEach", () => {
  it("A12.5 gives the tasks in the order of completion, as tasks", async () => {
    const list = sources<number>(3);
    const each = Task.whenEach(tasksOf(list));
    const seen: unknown[] = [];
    const consumer = (async () => {
      for await (const task of each) seen.push(task);
    })();
    for (const index of [2, 0, 1]) {
      list[index]?.setResult(index);
      await turn();
    }
    await consumer;
    expect(seen).toEqual([list[2]?.task, list[0]?.task, list[1]?.task]);
  });

  it("A12.5 is attached at the call, not at the iteration", async () => {
    const list = sources<number>(2);
    const each = Task.whenEach(tasksOf(list));
    list[1]?.setResult(1);
    await turn();
    list[0]?.setError(new Error("failure"));
    await turn();
    const seen: string[] = [];
    for await (const task of each) seen.push(task.status);
    expect(seen).toEqual(["succeeded", "faulted"]);
  });

  it("A12.5 yields duplicates once per occurrence, and iterates only once", async () => {
    const source = new TaskCompletionSource<number>();
    const each = Task.whenEach([source.task, source.task, 7]);
    source.setResult(1);
    const seen: number[] = [];
    for await (const task of each) seen.push(task.result);
    expect(seen.toSorted((a, b) => a - b)).toEqual([1, 1, 7]);
    for await (const task of each) seen.push(task.result);
    expect(seen).toHaveLength(3);
  });

  it("A12.5 the signal ends the wait, not the tasks", async () => {
    const reason = new Error("reason");
    const source = new TaskCompletionSource<number>();
    const controller = new AbortController();
    const iterator = Task.whenEach([source.task, 1], { signal: controller.signal })[Symbol.asyncIterator]();
    expect((await iterator.next()).done).toBe(false);
    const next = iterator.next();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    await expect(iterator.next()).rejects.toBe(reason);
    source.setResult(1);
    expect(await source.task).toBe(1);
    const early = Task.whenEach([1], { signal: AbortSignal.abort(reason) })[Symbol.asyncIterator]();
    await expect(early.next()).rejects.toBe(reason);
  });

  it("A12.5 the completer never runs the consumer", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    let ran = false;
    const consumer = (async () => {
      for await (const task of Task.whenEach([source.task])) ran = task.isCompleted;
    })();
    await turn();
    source.setResult(1);
    expect(ran).toBe(false);
    await consumer;
    expect(ran).toBe(true);
  });

  it("several calls of next are answered in order, and those beyond the end are done", async () => {
    const list = sources<number>(2);
    const iterator = Task.whenEach(tasksOf(list))[Symbol.asyncIterator]();
    const steps = [iterator.next(), iterator.next(), iterator.next()];
    list[1]?.setResult(1);
    list[0]?.setResult(0);
    const [first, second, third] = await Promise.all(steps);
    expect([first?.value, second?.value, third?.done]).toEqual([list[1]?.task, list[0]?.task, true]);
  });

  it("leaving the loop early ends it", async () => {
    const list = sources<number>(2);
    list[0]?.setResult(1);
    const each = Task.whenEach(tasksOf(list));
    const iterator = each[Symbol.asyncIterator]();
    await iterator.next();
    const pending = iterator.next();
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});
