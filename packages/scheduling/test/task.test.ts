import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  CancellationTokenSource,
  InvalidOperationError,
  OperationCanceledError,
  Task,
  TaskCompletionSource,
  awaiter,
} from "../src/index.ts";
import { untyped } from "./untyped.ts";

const failure = new Error("failure");

describe("Task", () => {
  it("is taken for a Promise by the type system and by await", async () => {
    const task = Task.fromResult(1);
    expectTypeOf(task).toExtend<Promise<number>>();
    expectTypeOf(task).toExtend<PromiseLike<number>>();
    const promise: Promise<number> = task;
    const viaAsync = (async (): Promise<number> => await promise)();
    expect(await promise).toBe(1);
    expect(await viaAsync).toBe(1);
    expect(await Promise.all([task, Promise.resolve("x")])).toEqual([1, "x"]);
    expect(Object.prototype.toString.call(task)).toBe("[object Task]");
  });

  it("result throws InvalidOperationError while pending, the error when failed", () => {
    const source = new TaskCompletionSource<number>();
    expect(() => source.task.result).toThrow(InvalidOperationError);
    expect(source.task.error).toBeUndefined();
    expect(source.task.errors).toEqual([]);
    source.setError(failure);
    expect(() => source.task.result).toThrow(failure);
    expect(source.task.error).toBe(failure);
    expect(source.task.errors).toEqual([failure]);
  });

  it("a cancelled task gives its cancellation as the error", () => {
    const task = Task.fromCanceled<number>();
    expect(task.status).toBe("canceled");
    expect(task.error).toBeInstanceOf(OperationCanceledError);
    expect(() => task.result).toThrow(OperationCanceledError);
  });

  it("then passes the outcome on where there is no callback, a cancellation as such", async () => {
    const canceled = Task.fromCanceled<number>().then((value) => value + 1);
    await expect(canceled).rejects.toBeInstanceOf(OperationCanceledError);
    expect(canceled.status).toBe("canceled");
    expect(await Task.fromResult(1).then(undefined, () => 2)).toBe(1);
    expect(await Task.fromResult(1).then(null)).toBe(1);
    await expect(Task.fromError(failure).then(() => 1)).rejects.toBe(failure);
  });

  it("then unwraps tasks, promises and thenables that a callback returns", async () => {
    const start = Task.fromResult(1);
    const thenable: PromiseLike<number> = untyped({ then: (resolve: (value: number) => void) => resolve(4) });
    expect(await start.then(() => Task.fromResult(2))).toBe(2);
    expect(await start.then(() => Promise.resolve(3))).toBe(3);
    expect(await start.then(() => thenable)).toBe(4);
    await expect(start.then(() => Promise.reject(failure))).rejects.toBe(failure);
    await expect(start.then(() => Task.fromError(failure))).rejects.toBe(failure);
  });

  it("a thenable that throws, or decides twice, counts once", async () => {
    const twice: PromiseLike<number> = untyped({
      then(resolve: (value: number) => void, reject: (error: unknown) => void) {
        resolve(1);
        reject(failure);
        throw failure;
      },
    });
    expect(await Task.from(twice)).toBe(1);
    const throwing: PromiseLike<number> = untyped({
      get then(): never {
        throw failure;
      },
    });
    await expect(Task.from(throwing)).rejects.toBe(failure);
  });

  it("A12.6 of nested tasks an outer failure wins, an inner one passes through, null is a value", async () => {
    const inner = Task.fromCanceled<number>();
    const unwrapped = Task.fromResult(0).continueWith(() => inner);
    await expect(unwrapped).rejects.toBe(inner.error);
    expect(unwrapped.status).toBe("canceled");
    const outer = Task.fromError<number>(failure).then(() => inner);
    await expect(outer).rejects.toBe(failure);
    expect(outer.status).toBe("faulted");
    expect(await Task.fromResult(0).continueWith(() => null)).toBeNull();
  });

  it("a task that would wait for itself is a TypeError", async () => {
    const source = new TaskCompletionSource<number>();
    const own: Task<unknown> = source.task.then((): unknown => own);
    source.setResult(1);
    await expect(own).rejects.toThrow(TypeError);
  });

  it("catch handles faults and cancellations", async () => {
    expect(await Task.fromError<number>(failure).catch(() => 1)).toBe(1);
    expect(await Task.fromCanceled<number>().catch(() => 2)).toBe(2);
    expect(await Task.fromResult(3).catch(() => 4)).toBe(3);
  });

  it("finally passes the outcome through, waits for what it returns, and fails if that fails", async () => {
    const log: string[] = [];
    expect(
      await Task.fromResult(1).finally(async () => {
        await turn();
        log.push("cleaned");
      }),
    ).toBe(1);
    expect(log).toEqual(["cleaned"]);
    const canceled = Task.fromCanceled<number>().finally(() => {});
    await expect(canceled).rejects.toBeInstanceOf(OperationCanceledError);
    expect(canceled.status).toBe("canceled");
    const source = new TaskCompletionSource<number>();
    source.setError([failure, new Error("second")]);
    const several = source.task.finally(() => {});
    await expect(several).rejects.toBe(failure);
    expect(several.errors).toHaveLength(2);
    const other = new Error("cleanup");
    await expect(
      Task.fromResult(1).finally(() => {
        throw other;
      }),
    ).rejects.toBe(other);
  });

  it("finally waits for an awaitable that has no then", async () => {
    const cleanup = new TaskCompletionSource<void>();
    const awaitable = { [awaiter]: () => cleanup.task[awaiter]() };
    const task = Task.fromResult(1).finally(() => awaitable);
    await turn();
    expect(task.status).toBe("pending");
    cleanup.setResult();
    expect(await task).toBe(1);
  });

  it("from gives a Task back as itself, and follows a promise", async () => {
    const task = Task.fromResult(1);
    expect(Task.from(task)).toBe(task);
    expect(await Task.from(Promise.resolve(2))).toBe(2);
    expect(Task.from(3).result).toBe(3);
    const canceled = Task.from(Promise.reject(new OperationCanceledError()));
    await expect(canceled).rejects.toBeInstanceOf(OperationCanceledError);
    expect(canceled.status).toBe("canceled");
  });

  it("fromError and fromCanceled refuse what they cannot take", () => {
    expect(() => Task.fromError(null)).toThrow(TypeError);
    expect(() => Task.fromCanceled(untyped("x"))).toThrow(TypeError);
  });
});

describe("Task.run", () => {
  it("runs later, and unwraps what fn returns", async () => {
    const log: string[] = [];
    const task = Task.run(() => {
      log.push("body");
      return Task.fromResult(1);
    });
    log.push("after run");
    expect(await task).toBe(1);
    expect(log).toEqual(["after run", "body"]);
    await expect(
      Task.run(() => {
        throw failure;
      }),
    ).rejects.toBe(failure);
  });

  it("A10.6 cancelled before it starts, the body never runs", async () => {
    const controller = new AbortController();
    let ran = false;
    const task = Task.run(() => (ran = true), { signal: controller.signal });
    controller.abort(failure);
    await expect(task).rejects.toBe(failure);
    expect(task.status).toBe("canceled");
    expect(ran).toBe(false);
  });

  it("an error cancels only if it obeys the task's own signal", async () => {
    const controller = new AbortController();
    const other = AbortSignal.abort();
    const throwing = (makeError: () => unknown): Task<never> =>
      Task.run(
        () => {
          controller.abort(failure);
          throw makeError();
        },
        { signal: controller.signal },
      );
    const byReason = throwing(() => failure);
    await expect(byReason).rejects.toBe(failure);
    expect(byReason.status).toBe("canceled");
    const late = Task.run(
      () => {
        throw new OperationCanceledError(undefined, { token: other });
      },
      { signal: new AbortController().signal },
    );
    await expect(late).rejects.toBeInstanceOf(OperationCanceledError);
    expect(late.status).toBe("faulted");
  });
});

/** What the user gave is a reason whatever it is. */
describe.each([["stop"], [0], [null], [false], [{ code: 7 }]])(
  "a signal's reason that is no Error: %j",
  (reason) => {
    const ways: [string, (signal: AbortSignal, obey: () => void) => Task<unknown>][] = [
      ["Task.run", (signal, obey) => Task.run(obey, { signal })],
      ["Task.run of an async function", (signal, obey) => Task.run(async () => obey(), { signal })],
      [
        "Task.run of a generator function",
        (signal, obey) =>
          Task.run(
            function* () {
              yield* Task.yield();
              obey();
            },
            { signal },
          ),
      ],
      ["continueWith", (signal, obey) => Task.fromResult(1).continueWith(obey, { signal })],
    ];

    it.each(ways)("cancels %s that throws it", async (_, start) => {
      const controller = new AbortController();
      const task = start(controller.signal, () => {
        controller.abort(reason);
        controller.signal.throwIfAborted();
      });
      const error: unknown = await task.then(undefined, (thrown: unknown) => thrown);
      expect(task.status).toBe("canceled");
      expect(error).toBeInstanceOf(OperationCanceledError);
      expect(error).toMatchObject({ token: controller.signal, reason });
    });

    it("faults a task whose signal it is not", async () => {
      const task = Task.run(
        () => {
          // oxlint-disable-next-line typescript/only-throw-error -- that is what throwIfAborted does
          throw reason;
        },
        { signal: new AbortController().signal },
      );
      await task.catch(() => {});
      expect(task.status).toBe("faulted");
    });
  },
);

it("undefined is no reason: a token that was cancelled without one is not obeyed by throwing it", async () => {
  const source = new CancellationTokenSource();
  const task = Task.run(
    () => {
      source.cancel();
      throw undefined;
    },
    { signal: source.token },
  );
  await task.catch(() => {});
  expect(task.status).toBe("faulted");
});

describe("Task.yield", () => {
  it("A8.3 lets the event loop turn", async () => {
    const log: string[] = [];
    setImmediate(() => log.push("immediate"));
    await Task.yield();
    log.push("resumed");
    expect(log).toEqual(["immediate", "resumed"]);
  });
});

describe("configureAwait", () => {
  it("chooses the policy of one await", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    const log: string[] = [];
    const yielding = source.task.configureAwait({ policy: "yield" }).then(() => log.push("yield"));
    const queued = source.task
      .configureAwait({ policy: "asynchronous" })
      .then(() => log.push("asynchronous"));
    const inline = source.task.then(() => log.push("inline"));
    source.setResult(1);
    log.push("set");
    await Task.whenAll([yielding, queued, inline]);
    expect(log).toEqual(["inline", "set", "asynchronous", "yield"]);
  });

  it("A8.7 forceYielding never resumes on the completer's stack", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    let ran = false;
    const done = source.task.configureAwait({ forceYielding: true }).then(() => (ran = true));
    source.setResult(1);
    expect(ran).toBe(false);
    expect(await done).toBe(true);
  });

  it("A8.7 suppressThrowing yields undefined for a failed task", async () => {
    const suppressed = Task.fromError<number>(failure).configureAwait({ suppressThrowing: true });
    for (const none of [undefined, null, 5]) expect(await suppressed.then(untyped(none))).toBeUndefined();
    expect(await Task.fromError<number>(failure).configureAwait({ suppressThrowing: true })).toBeUndefined();
    expect(await Task.fromCanceled<number>().configureAwait({ suppressThrowing: true })).toBeUndefined();
    expect(await Task.fromResult(1).configureAwait({ suppressThrowing: true })).toBe(1);
    expectTypeOf(Task.fromResult(1).configureAwait({ suppressThrowing: true })).toExtend<
      PromiseLike<number | undefined>
    >();
  });

  it.each([
    { policy: "soon" },
    { forceYielding: 1 },
    { suppressThrowing: "yes" },
    { continueOnCapturedContext: null },
    null,
  ])("refuses %j", (options) => {
    expect(() => Task.fromResult(1).configureAwait(untyped(options))).toThrow(TypeError);
  });
});

describe("continueWith", () => {
  it("gets the task itself, whatever its outcome, and unwraps", async () => {
    expect(await Task.fromError(failure).continueWith((task) => task.error)).toBe(failure);
    expect(await Task.fromResult(1).continueWith((task) => Promise.resolve(task.result + 1))).toBe(2);
    expect(await Task.fromResult(1).continueWith(() => Task.fromResult("inner"))).toBe("inner");
  });

  it.each([
    ["success", "succeeded"],
    ["fault", "faulted"],
    ["cancel", "canceled"],
  ] as const)("A4.10 on: '%s' runs for %s tasks, and is cancelled for others", async (on, wanted) => {
    for (const task of [Task.fromResult(1), Task.fromError<number>(failure), Task.fromCanceled<number>()]) {
      task.catch(() => {});
      const continuation = task.continueWith(() => "ran", { on });
      await continuation.configureAwait({ suppressThrowing: true });
      expect(continuation.status).toBe(task.status === wanted ? "succeeded" : "canceled");
    }
  });

  it("a signal cancels it before it runs", async () => {
    const controller = new AbortController();
    const source = new TaskCompletionSource<number>();
    let runs = 0;
    const waiting = source.task.continueWith(() => runs++, { signal: controller.signal });
    const early = source.task.continueWith(() => runs++, { signal: AbortSignal.abort(failure) });
    controller.abort(failure);
    expect(waiting.status).toBe("canceled");
    expect(early.status).toBe("canceled");
    source.setResult(1);
    await expect(waiting).rejects.toBe(failure);
    expect(runs).toBe(0);
  });

  it("an OperationCanceledError faults it, unless its token is its own signal", async () => {
    const controller = new AbortController();
    const own = Task.fromResult(1).continueWith(
      () => {
        controller.abort();
        throw new OperationCanceledError(undefined, { token: controller.signal });
      },
      { signal: controller.signal },
    );
    const foreign = Task.fromResult(1).continueWith(() => {
      throw new OperationCanceledError();
    });
    await Promise.allSettled([own, foreign]);
    expect(own.status).toBe("canceled");
    expect(foreign.status).toBe("faulted");
  });

  it.each([
    [null, {}],
    [() => 1, { on: "never" }],
    [() => 1, { policy: "soon" }],
    [() => 1, { signal: {} }],
  ])("refuses (%s, %j)", (fn, options) => {
    expect(() => Task.fromResult(1).continueWith(untyped(fn), untyped(options))).toThrow(TypeError);
  });
});
