import { describe, expect, it, vi } from "vitest";
import * as ours from "../src/index.ts";

vi.resetModules();
/** Another copy of the package, as a bundle or a second version brings it. */
const theirs = await import("../src/index.ts");

const failure = new Error("failure");

it("the other copy is another one", () => {
  expect(theirs.Task).not.toBe(ours.Task);
  expect(new theirs.TaskCompletionSource().task).not.toBeInstanceOf(ours.Task);
});

describe("what is current", () => {
  it("is one SynchronizationContext for both copies, and waits resume on it", () => {
    const scheduler = new theirs.ManualScheduler();
    const context = scheduler.synchronizationContext;
    const source = new ours.TaskCompletionSource<void>({ continuations: "inline" });
    const seen = theirs.SynchronizationContext.run(context, () => {
      expect(ours.SynchronizationContext.current).toBe(context);
      return ours.Task.async(function* () {
        yield* source.task;
        return ours.SynchronizationContext.current;
      })();
    });
    source.setResult();
    expect([seen.status, scheduler.runAll()]).toEqual(["pending", 1]);
    expect(seen.result).toBe(context);
    expect([ours.SynchronizationContext.current, theirs.SynchronizationContext.current]).toEqual([
      null,
      null,
    ]);
  });

  it("A8.4 an instance of the other copy's base class counts as none", async () => {
    const context = new theirs.SynchronizationContext();
    const source = new ours.TaskCompletionSource<void>({ continuations: "inline" });
    let ran = false;
    ours.SynchronizationContext.run(context, () => void source.task.then(() => (ran = true)));
    source.setResult();
    expect(ran).toBe(true);
  });

  it("is one TaskScheduler for both, which runs the items of both", () => {
    const scheduler = new theirs.ManualScheduler();
    const source = new ours.TaskCompletionSource<number>({ continuations: scheduler });
    const seen: unknown[] = [];
    void source.task.then(() => seen.push(ours.TaskScheduler.current, theirs.TaskScheduler.current));
    source.setResult(1);
    expect(scheduler.runAll()).toBe(1);
    expect(seen).toEqual([scheduler, scheduler]);
    expect(new ours.ConcurrentExclusiveSchedulerPair({ scheduler })).toBeDefined();
  });
});

describe("a Task of another copy", () => {
  it("is recognised as one", () => {
    const task = theirs.Task.fromResult(1);
    expect([ours.Task.isTask(task), ours.Task.isTask(Promise.resolve()), ours.Task.isTask(null)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(() => ours.Task.whenAll(task as never)).toThrow(TypeError);
    expect(() => new ours.TaskCompletionSource<unknown>().setResult(task)).toThrow(TypeError);
  });

  it("can be waited for with yield*, with its own outcome, pending and completed", async () => {
    const source = new theirs.TaskCompletionSource<number>({ continuations: "inline" });
    const task = ours.Task.async(function* () {
      const now: number = yield* theirs.Task.fromResult(1);
      return now + (yield* source.task);
    })();
    expect(task.status).toBe("pending");
    source.setResult(2);
    expect(task.result).toBe(3);
    const failed = ours.Task.async(function* () {
      yield* theirs.Task.fromError(failure);
    })();
    expect(failed.error).toBe(failure);
    await theirs.Task.yield();
  });

  it("is taken over with all its errors, or its cancellation", async () => {
    const source = new theirs.TaskCompletionSource<number>();
    const pending = ours.Task.from(source.task);
    source.setError([failure, new Error("second")]);
    await pending.continueWith(() => {});
    expect(pending.errors).toEqual([failure, new Error("second")]);
    const canceled = new ours.TaskCompletionSource<number>();
    canceled.setFromTask(theirs.Task.fromCanceled<number>());
    expect([canceled.task.status, ours.Task.from(theirs.Task.fromResult(5)).result]).toEqual(["canceled", 5]);
    expect(ours.ValueTask.fromTask(theirs.Task.fromResult(6) as never).getResult()).toBe(6);
    expect(await ours.Task.whenAll([theirs.Task.fromResult(1), 2])).toEqual([1, 2]);
    expect(() =>
      new ours.TaskCompletionSource().setFromTask(new theirs.TaskCompletionSource().task as never),
    ).toThrow(TypeError);
  });
});

it("a scheduler that fails to take the continuation of another copy's task fails whoever waits for it", async () => {
  class Full extends theirs.TaskScheduler {
    queueTask(): void {
      throw failure;
    }
  }
  const source = new theirs.TaskCompletionSource<number>({ continuations: new Full() });
  const waiting = ours.Task.from(source.task);
  source.setResult(1);
  await expect(waiting).rejects.toMatchObject({ code: "ERR_SKEIN_TASK_SCHEDULER", cause: failure });
});

describe("a CancellationToken of another copy", () => {
  it("is recognised as one, and has a signal", () => {
    const { token } = new theirs.CancellationTokenSource();
    expect([ours.CancellationToken.isToken(token), ours.CancellationToken.isToken(token.signal)]).toEqual([
      true,
      false,
    ]);
    expect(token.signal).toBeInstanceOf(AbortSignal);
  });

  it("cancels waits, with an error that both copies know", () => {
    const source = new theirs.CancellationTokenSource();
    const wait = new ours.TaskCompletionSource<number>().task.waitAsync({ signal: source.token });
    const linked = ours.CancellationTokenSource.linked(source.token);
    source.cancel("enough");
    expect([wait.status, linked.isCancellationRequested]).toEqual(["canceled", true]);
    expect(wait.error).toBeInstanceOf(theirs.OperationCanceledError);
    expect(wait.error).toMatchObject({ name: "AbortError", reason: "enough", token: source.token });
    const early = ours.Task.delay(1000, { signal: source.token as never });
    expect([
      early.status,
      ours.CancellationTokenSource.linked(source.token as never).isCancellationRequested,
    ]).toEqual(["canceled", true]);
  });

  it("leaves nothing behind when a wait ends before it", async () => {
    const source = new theirs.CancellationTokenSource();
    const task = new ours.TaskCompletionSource<number>();
    const wait = task.task.waitAsync({ signal: source.token });
    task.setResult(1);
    expect(await wait).toBe(1);
    source.cancel();
    expect(wait.result).toBe(1);
  });
});
