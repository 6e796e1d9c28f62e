import { describe, expect, it } from "vitest";
import {
  InvalidOperationError,
  ManualResetValueTaskSource,
  OperationCanceledError,
  Task,
  TaskCompletionSource,
  ValueTask,
  type ValueTaskSource,
  ValueTaskSourceOnCompletedFlags,
  awaiter,
} from "../../src/index.ts";
import { untyped } from "../untyped.ts";

const failure = new Error("failure");

/** Resets when its result is read, as sockets and channels do. */
class SingleUse extends ManualResetValueTaskSource<number> {
  override getResult(token: number): number {
    const result = super.getResult(token);
    this.reset();
    return result;
  }
}

function completed<T>(result: T): ValueTask<T> {
  const source = new ManualResetValueTaskSource<T>();
  source.setResult(result);
  return source.valueTask();
}

describe("what a ValueTask stands for", () => {
  const canceled = new OperationCanceledError();
  it.each([
    ["a result", () => ValueTask.fromResult(1), "succeeded"],
    ["completed", () => ValueTask.completed, "succeeded"],
    ["a pending task", () => ValueTask.fromTask(new TaskCompletionSource<number>().task), "pending"],
    ["a task", () => ValueTask.fromTask(Task.fromResult(1)), "succeeded"],
    ["an error", () => ValueTask.fromError(failure), "faulted"],
    ["a cancelled task", () => ValueTask.fromCanceled(), "canceled"],
    ["a pending operation", () => new ManualResetValueTaskSource().valueTask(), "pending"],
    ["an operation", () => completed(1), "succeeded"],
    [
      "a failed operation",
      () => {
        const source = new ManualResetValueTaskSource();
        source.setError(failure);
        return source.valueTask();
      },
      "faulted",
    ],
    [
      "a cancelled operation",
      () => {
        const source = new ManualResetValueTaskSource();
        source.setError(canceled);
        return source.valueTask();
      },
      "canceled",
    ],
  ] as const)("A6.1 A6.2 %s", (_, make, status) => {
    const valueTask: ValueTask<unknown> = make();
    expect(valueTask.status).toBe(status);
    expect(valueTask.isCompleted).toBe(status !== "pending");
    expect(valueTask.isCompletedSuccessfully).toBe(status === "succeeded");
    expect(valueTask.isFaulted).toBe(status === "faulted");
    expect(valueTask.isCanceled).toBe(status === "canceled");
    // oxlint-disable-next-line vitest/no-conditional-expect -- one column of the table.
    if (status === "faulted") expect(() => valueTask.getResult()).toThrow(failure);
    void valueTask.asTask().catch(() => {});
  });

  it.each([
    ["fromTask(null)", () => ValueTask.fromTask(untyped(null))],
    ["fromTask of a promise", () => ValueTask.fromTask(untyped(Promise.resolve()))],
    ["fromSource(null)", () => ValueTask.fromSource(untyped(null), 0)],
    [
      "fromSource of what has no status",
      () => ValueTask.fromSource(untyped({ getResult() {}, onCompleted() {} }), 0),
    ],
    ["fromSource without a token", () => ValueTask.fromSource(new SingleUse(), untyped(undefined))],
    ["fromError(null)", () => ValueTask.fromError(null)],
    ["equals(null)", () => ValueTask.completed.equals(untyped(null))],
    ["async of a plain function", () => ValueTask.async(untyped(() => 1))],
  ])("A6.1 refuses %s", (_, call) => {
    expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" }));
  });

  it("A6.7 equal means the same object and the same token", () => {
    const source = new ManualResetValueTaskSource<number>();
    const task = Task.fromResult(1);
    expect(ValueTask.fromTask(task).equals(ValueTask.fromTask(task))).toBe(true);
    expect(ValueTask.fromResult(1).equals(ValueTask.fromResult(1))).toBe(true);
    expect(ValueTask.fromResult(0).equals(ValueTask.fromResult(-0))).toBe(false);
    const first = ValueTask.fromSource(source, source.version);
    expect(first.equals(source.valueTask())).toBe(true);
    source.reset();
    expect(first.equals(source.valueTask())).toBe(false);
  });
});

describe("using a ValueTask", () => {
  it("A6.3 a source that resets in getResult refuses everything after the one use", async () => {
    const source = new SingleUse();
    source.setResult(7);
    const valueTask = ValueTask.fromSource(source, source.version);
    expect(await valueTask).toBe(7);
    expect(() => valueTask.isCompleted).toThrow(InvalidOperationError);
    expect(() => valueTask.getResult()).toThrow(InvalidOperationError);
    expect(() => valueTask.onCompleted(() => {}, undefined)).toThrow(InvalidOperationError);
    expect(() => valueTask.asTask()).toThrow(InvalidOperationError);
    await expect(async () => await valueTask).rejects.toThrow(InvalidOperationError);
  });

  it("A6.4 reading the result of a pending operation throws instead of blocking", () => {
    expect(() => new ManualResetValueTaskSource().valueTask().getResult()).toThrow(InvalidOperationError);
    expect(() => ValueTask.fromTask(new TaskCompletionSource().task).getResult()).toThrow(
      InvalidOperationError,
    );
  });

  it("A6.5 asTask gives the same task for a task, a new one for a result or an operation", async () => {
    const task = Task.fromResult(1);
    expect(ValueTask.fromTask(task).asTask()).toBe(task);
    const result = ValueTask.fromResult(2);
    expect(result.asTask()).not.toBe(result.asTask());
    const source = new ManualResetValueTaskSource<number>();
    const pending = source.valueTask().asTask();
    expect(pending.status).toBe("pending");
    source.setResult(3);
    expect(pending.result).toBe(3);
    expect(await completed(4).asTask()).toBe(4);
  });

  it("A6.5 a cancelled operation gives a cancelled task with the same error", () => {
    const source = new ManualResetValueTaskSource<number>();
    const task = source.valueTask().asTask();
    const error = new OperationCanceledError();
    source.setError(error);
    expect(task.status).toBe("canceled");
    expect(task.error).toBe(error);
  });

  it("A6.6 preserve gives one that can be used again and again", async () => {
    const result = ValueTask.fromResult(1);
    expect(result.preserve()).toBe(result);
    const source = new SingleUse();
    source.setResult(2);
    const preserved = ValueTask.fromSource(source, source.version).preserve();
    expect([await preserved, await preserved, preserved.getResult()]).toEqual([2, 2, 2]);
  });

  it("A6.8 an await asks for the scheduling context, and for the context only through onCompleted", () => {
    const seen: number[] = [];
    const source: ValueTaskSource<number> = {
      getStatus: () => "pending",
      getResult: () => 1,
      onCompleted: (_continuation, _state, _token, flags) => void seen.push(flags),
    };
    const valueTask = (): ValueTask<number> => ValueTask.fromSource(source, 0);
    const { none, useSchedulingContext, flowExecutionContext } = ValueTaskSourceOnCompletedFlags;
    valueTask().onCompleted(() => {}, undefined);
    valueTask().unsafeOnCompleted(() => {}, undefined);
    Task.async(function* () {
      yield* valueTask();
    })();
    Task.async(function* () {
      yield* valueTask().configureAwait({ continueOnCapturedContext: false });
    })();
    valueTask().asTask();
    expect(seen).toEqual([
      useSchedulingContext | flowExecutionContext,
      useSchedulingContext,
      useSchedulingContext,
      none,
      none,
    ]);
  });

  it("A6.9 asTask detects a source that calls back with the wrong state, or twice", () => {
    let call: ((state: unknown) => void) | undefined;
    let given: unknown;
    const source: ValueTaskSource<number> = {
      getStatus: () => "pending",
      getResult: () => 1,
      onCompleted: (continuation, state) => {
        call = continuation as (state: unknown) => void;
        given = state;
      },
    };
    const task = ValueTask.fromSource(source, 0).asTask();
    expect(() => call?.(undefined)).toThrow(RangeError);
    expect(() => call?.({})).toThrow(RangeError);
    call?.(given);
    expect(task.result).toBe(1);
    expect(() => call?.(given)).toThrow(RangeError);
  });

  it("A6.10 onCompleted on a completed one calls back later, once", async () => {
    for (const valueTask of [ValueTask.fromResult(1), completed(1), ValueTask.fromTask(Task.fromResult(1))]) {
      const calls: string[] = [];
      valueTask.onCompleted((state) => calls.push(state), "state");
      expect(calls).toEqual([]);
      await Promise.resolve();
      await Promise.resolve();
      expect(calls).toEqual(["state"]);
    }
  });

  it("native await, whenAll and Task.from take it", async () => {
    expect(await ValueTask.fromResult(1)).toBe(1);
    expect(await Task.whenAll([ValueTask.fromResult(1), completed(2)])).toEqual([1, 2]);
    expect(await Task.from(completed(3))).toBe(3);
    await expect(async () => await ValueTask.fromError(failure)).rejects.toBe(failure);
  });

  it("is its own awaiter", () => {
    const valueTask = ValueTask.fromResult(1);
    expect(valueTask[awaiter]()).toBe(valueTask);
  });
});

describe("ValueTask.configureAwait", () => {
  it("A8.7 suppressThrowing gives undefined, and still reads the source", async () => {
    const source = new SingleUse();
    const method = Task.async(function* () {
      return yield* source.valueTask().configureAwait({ suppressThrowing: true });
    });
    const task = method();
    source.setError(failure);
    expect(task.status).toBe("succeeded");
    expect(task.result).toBeUndefined();
    expect(await ValueTask.fromError(failure).configureAwait({ suppressThrowing: true })).toBeUndefined();
  });

  it("A8.7 forceYielding suspends although it has completed", async () => {
    for (const make of [() => completed(1), () => ValueTask.fromResult(1)]) {
      const task = Task.async(function* () {
        return yield* make().configureAwait({ forceYielding: true });
      })();
      expect(task.status).toBe("pending");
      expect(await task).toBe(1);
    }
  });

  it("a policy decides where the method resumes", async () => {
    const source = new ManualResetValueTaskSource<number>();
    const task = Task.async(function* () {
      return yield* source.valueTask().configureAwait({ policy: "asynchronous" });
    })();
    source.setResult(1);
    expect(task.status).toBe("pending");
    expect(await task).toBe(1);
  });
});
