import { describe, expect, it } from "vitest";
import { OperationCanceledError, Task, TaskCompletionSource, TimeoutError } from "../src/index.ts";
import { untyped } from "./untyped.ts";

const failure = new Error("failure");

describe("waitAsync", () => {
  it.each([-2, Number.NaN, 2 ** 31, -Infinity])(
    "A12.1 timeoutMs %s is a RangeError, synchronously, even on a completed task",
    (timeoutMs) => {
      expect(() => Task.fromResult(1).waitAsync({ timeoutMs })).toThrow(RangeError);
      expect(() =>
        Task.fromError(failure)
          .catch(() => {})
          .waitAsync({ timeoutMs }),
      ).toThrow(RangeError);
    },
  );

  it("A12.1 refuses what is not a number or a signal", () => {
    expect(() => Task.fromResult(1).waitAsync({ timeoutMs: untyped("5") })).toThrow(TypeError);
    expect(() => Task.fromResult(1).waitAsync({ signal: untyped({}) })).toThrow(TypeError);
  });

  it("A12.1 a completed task is returned itself: its outcome goes before token and time", async () => {
    for (const task of [Task.fromResult(1), Task.fromError<number>(failure), Task.fromCanceled<number>()]) {
      expect(task.waitAsync({ signal: AbortSignal.abort(), timeoutMs: 0 })).toBe(task);
      await task.configureAwait({ suppressThrowing: true });
    }
  });

  it.each([{}, { timeoutMs: -1 }, { timeoutMs: Infinity }, { signal: undefined }])(
    "A12.1 without an end, %j, it is the task itself",
    (options) => {
      const { task } = new TaskCompletionSource<number>();
      expect(task.waitAsync(options)).toBe(task);
    },
  );

  it("A12.1 a fired token cancels at once, with its reason", async () => {
    const { task } = new TaskCompletionSource<number>();
    const wait = task.waitAsync({ signal: AbortSignal.abort(failure), timeoutMs: 0 });
    expect(wait.status).toBe("canceled");
    await expect(wait).rejects.toBe(failure);
    await expect(task.waitAsync({ signal: AbortSignal.abort("why") })).rejects.toMatchObject({
      name: "AbortError",
      reason: "why",
    });
  });

  it("A12.1 no time left is a TimeoutError at once", async () => {
    const wait = new TaskCompletionSource<number>().task.waitAsync({ timeoutMs: 0 });
    expect(wait.status).toBe("faulted");
    await expect(wait).rejects.toMatchObject({ name: "TimeoutError", code: "ERR_SKEIN_TIMEOUT" });
  });

  it("A12.1 the first of task, timer and token decides; the task goes on", async () => {
    const source = new TaskCompletionSource<number>();
    const controller = new AbortController();
    const timed = source.task.waitAsync({ timeoutMs: 1 });
    const aborted = source.task.waitAsync({ signal: controller.signal, timeoutMs: 10_000 });
    const patient = source.task.waitAsync({ signal: new AbortController().signal, timeoutMs: 10_000 });
    await expect(timed).rejects.toBeInstanceOf(TimeoutError);
    controller.abort(failure);
    await expect(aborted).rejects.toBe(failure);
    expect(source.task.status).toBe("pending");
    source.setResult(1);
    expect(await patient).toBe(1);
    expect(aborted.status).toBe("canceled");
  });

  it("0.11 a fault of the task reaches the wait and releases its hooks", async () => {
    const source = new TaskCompletionSource<number>();
    const wait = source.task.waitAsync({ signal: new AbortController().signal, timeoutMs: 10_000 });
    source.setError([failure, new Error("second")]);
    await expect(wait).rejects.toBe(failure);
    expect(wait.errors).toHaveLength(2);
  });

  it("a waiter's callback does not run inside abort()", async () => {
    const controller = new AbortController();
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    let ran = false;
    const done = source.task.waitAsync({ signal: controller.signal }).catch(() => (ran = true));
    controller.abort();
    expect(ran).toBe(false);
    expect(await done).toBe(true);
  });
});

describe("Task.delay", () => {
  it("A12.2 delay(0) is completed, delay(0) with a fired token is cancelled", async () => {
    expect(Task.delay(0).status).toBe("succeeded");
    const canceled = Task.delay(0, { signal: AbortSignal.abort(failure) });
    expect(canceled.status).toBe("canceled");
    await expect(canceled).rejects.toBe(failure);
  });

  it("A12.2 completes after its time, and -1 never, but can be cancelled", async () => {
    const controller = new AbortController();
    const forever = Task.delay(-1, { signal: controller.signal });
    await Task.delay(1);
    expect(forever.status).toBe("pending");
    controller.abort("enough");
    await expect(forever).rejects.toMatchObject({ reason: "enough", token: controller.signal });
    await expect(forever).rejects.toBeInstanceOf(OperationCanceledError);
    expect(forever.status).toBe("canceled");
  });

  it("A12.2 a time that is none is refused synchronously", () => {
    expect(() => Task.delay(-2)).toThrow(RangeError);
    expect(() => Task.delay(untyped("1"))).toThrow(TypeError);
  });
});
