import { describe, expect, it } from "vitest";
import { InvalidOperationError, OperationCanceledError, Task, TaskCompletionSource } from "../src/index.ts";
import type { ContinuationPolicy } from "../src/index.ts";
import { untyped } from "./untyped.ts";

const failure = new Error("failure");
const canceled = new OperationCanceledError("canceled");

const outcomes = {
  result: {
    set: (source: TaskCompletionSource<number>) => source.setResult(1),
    trySet: (source: TaskCompletionSource<number>) => source.trySetResult(1),
    status: "succeeded",
    seen: 1,
  },
  error: {
    set: (source: TaskCompletionSource<number>) => source.setError(failure),
    trySet: (source: TaskCompletionSource<number>) => source.trySetError(failure),
    status: "faulted",
    seen: failure,
  },
  canceled: {
    set: (source: TaskCompletionSource<number>) => source.setCanceled(canceled),
    trySet: (source: TaskCompletionSource<number>) => source.trySetCanceled(canceled),
    status: "canceled",
    seen: canceled,
  },
  fromTask: {
    set: (source: TaskCompletionSource<number>) => source.setFromTask(Task.fromResult(2)),
    trySet: (source: TaskCompletionSource<number>) => source.trySetFromTask(Task.fromResult(2)),
    status: "succeeded",
    seen: 2,
  },
} as const;
const names = ["result", "error", "canceled", "fromTask"] as const;
const pairs = names.flatMap((first) => names.map((second) => ({ first, second })));

const outcomeOf = (task: Task<number>): Promise<unknown> =>
  Promise.resolve(
    task.then(
      (value) => value,
      (error: unknown) => error,
    ),
  );

describe("TaskCompletionSource", () => {
  it("A5.1 its task is pending until set, and stays the same task", () => {
    const source = new TaskCompletionSource<number>();
    const task = source.task;
    expect(task.status).toBe("pending");
    expect(task.isCompleted).toBe(false);
    source.setResult(1);
    expect(source.task).toBe(task);
    expect(task.isCompleted).toBe(true);
  });

  it.each(pairs)(
    "A5.2 after $first, set $second throws and trySet gives false, nothing changes",
    async ({ first, second }) => {
      const source = new TaskCompletionSource<number>();
      outcomes[first].set(source);
      expect(() => outcomes[second].set(source)).toThrow(InvalidOperationError);
      expect(outcomes[second].trySet(source)).toBe(false);
      expect(source.task.status).toBe(outcomes[first].status);
      expect(await outcomeOf(source.task)).toBe(outcomes[first].seen);
    },
  );

  it.each(names)("A5.2 the first trySet, %s, gives true", async (name) => {
    const source = new TaskCompletionSource<number>();
    expect(outcomes[name].trySet(source)).toBe(true);
    expect(await outcomeOf(source.task)).toBe(outcomes[name].seen);
  });

  it.each([{ error: null }, { error: undefined }, { error: [] }, { error: [new Error("one"), null] }])(
    "A5.3 setError with $error is a TypeError and leaves the task pending",
    ({ error }) => {
      const source = new TaskCompletionSource<number>();
      const refusal: unknown = expect.objectContaining({
        name: "TypeError",
        code: "ERR_SKEIN_INVALID_ARG_TYPE",
      });
      expect(() => source.setError(error)).toThrow(refusal);
      expect(() => source.trySetError(error)).toThrow(TypeError);
      expect(source.task.status).toBe("pending");
    },
  );

  it("A5.3 several errors keep their order; awaiting throws the first, error is the AggregateError", async () => {
    const source = new TaskCompletionSource<number>();
    const errors = [new Error("one"), new Error("two")];
    source.setError(errors);
    await expect(source.task).rejects.toBe(errors[0]);
    expect(source.task.errors).toEqual(errors);
    expect(source.task.error).toBeInstanceOf(AggregateError);
    expect(source.task.error).toBe(source.task.error);
    expect(source.task.error).toHaveProperty("errors", errors);
  });

  it("A5.3 a list of one error is that error", () => {
    const source = new TaskCompletionSource<number>();
    source.setError([failure]);
    expect(source.task.error).toBe(failure);
    expect(source.task.errors).toEqual([failure]);
  });

  it("A5.3 setError with an OperationCanceledError faults", async () => {
    const source = new TaskCompletionSource<number>();
    source.setError(canceled);
    expect(source.task.status).toBe("faulted");
    await expect(source.task).rejects.toBe(canceled);
  });

  it("A5.4 setCanceled() gives an OperationCanceledError without token", async () => {
    const source = new TaskCompletionSource<number>();
    source.setCanceled();
    await expect(source.task).rejects.toMatchObject({
      name: "AbortError",
      code: "ERR_SKEIN_OPERATION_CANCELED",
      token: undefined,
    });
  });

  it("A5.4 setCanceled(signal) carries the signal, which need not have fired", async () => {
    const { signal } = new AbortController();
    const source = new TaskCompletionSource<number>();
    source.setCanceled(signal);
    const error = await outcomeOf(source.task);
    expect(error).toBeInstanceOf(OperationCanceledError);
    expect(error).toHaveProperty("token", signal);
  });

  it("A5.4 a fired signal's reason is the error if it is an Error, else it is wrapped untouched", async () => {
    const withError = new TaskCompletionSource<number>();
    withError.setCanceled(AbortSignal.abort(failure));
    expect(await outcomeOf(withError.task)).toBe(failure);
    const withWord = new TaskCompletionSource<number>();
    withWord.setCanceled(AbortSignal.abort("why"));
    expect(await outcomeOf(withWord.task)).toMatchObject({ name: "AbortError", reason: "why" });
    expect(withWord.task.status).toBe("canceled");
  });

  it("A5.4 setCanceled takes nothing else", () => {
    expect(() => new TaskCompletionSource<number>().setCanceled(untyped("later"))).toThrow(TypeError);
  });

  it.each([
    ["null", null],
    ["a promise", Promise.resolve(1)],
    ["a pending task", new TaskCompletionSource<number>().task],
  ])("A5.6 setFromTask refuses %s, even when the source is done", (_, task) => {
    const source = new TaskCompletionSource<number>();
    source.setResult(1);
    expect(() => source.trySetFromTask(untyped(task))).toThrow(TypeError);
    expect(() => source.setFromTask(untyped(task))).toThrow(TypeError);
  });

  it("A5.6 setFromTask copies all errors, a cancellation, a result", () => {
    const errors = [new Error("one"), new Error("two")];
    const faulted = new TaskCompletionSource<number>();
    faulted.setError(errors);
    for (const [task, status, all] of [
      [faulted.task, "faulted", errors],
      [Task.fromCanceled<number>(AbortSignal.abort(failure)), "canceled", [failure]],
      [Task.fromResult(3), "succeeded", []],
    ] as const) {
      const source = new TaskCompletionSource<number>();
      source.setFromTask(task);
      expect(source.task.status).toBe(status);
      expect(source.task.errors).toEqual(all);
    }
  });

  it.each<[ContinuationPolicy | undefined, boolean]>([
    ["inline", true],
    ["asynchronous", false],
    ["yield", false],
    [undefined, false],
  ])("A5.7 with policy %s a continuation runs before setResult returns: %s", async (policy, isInline) => {
    const source = new TaskCompletionSource<number>({ continuations: policy });
    let seen = 0;
    const done = source.task.then((value) => (seen = value));
    source.setResult(5);
    expect(seen).toBe(isInline ? 5 : 0);
    expect(await done).toBe(5);
  });

  it("setResult refuses a task or promise as the result", () => {
    const source = new TaskCompletionSource<unknown>();
    expect(() => source.setResult(Task.fromResult(1))).toThrow(TypeError);
    expect(() => source.trySetResult(Promise.resolve(1))).toThrow(TypeError);
    expect(source.task.status).toBe("pending");
  });

  it("refuses a policy that is none, and does not read options from Object.prototype", () => {
    expect(() => new TaskCompletionSource({ continuations: untyped("later") })).toThrow(TypeError);
    // oxlint-disable-next-line no-extend-native -- the attack that is tested.
    Object.defineProperty(Object.prototype, "continuations", { value: "inline", configurable: true });
    try {
      const source = new TaskCompletionSource<number>({});
      let ran = false;
      void source.task.then(() => (ran = true));
      source.setResult(1);
      expect(ran).toBe(false);
    } finally {
      Reflect.deleteProperty(Object.prototype, "continuations");
    }
  });

  it("can be subclassed", async () => {
    class Pending<T> extends TaskCompletionSource<T> {
      readonly id: number;
      constructor(id: number) {
        super({ continuations: "inline" });
        this.id = id;
      }
    }
    const pending = new Pending<string>(7);
    pending.setResult("done");
    expect(await pending.task).toBe("done");
    expect(pending.id).toBe(7);
  });
});
