import { AsyncLocal, ExecutionContext } from "@skein/context";
import { describe, expect, it } from "vitest";
import {
  InvalidOperationError,
  ManualScheduler,
  MessageLoop,
  SynchronizationContext,
  Task,
  TaskCompletionSource,
  TaskScheduler,
  TaskSchedulerError,
} from "../../src/index.ts";
import { untyped } from "../untyped.ts";

const failure = new Error("failure");
const inline = { continuations: "inline" } as const;

/** Keeps what is posted, to be run by hand. */
class Posts extends SynchronizationContext {
  readonly posted: (() => void)[] = [];
  readonly operations: string[] = [];

  override post<S>(callback: (state: S) => void, state: S): void {
    this.posted.push(() => callback(state));
  }

  override operationStarted(): void {
    this.operations.push("started");
  }

  override operationCompleted(): void {
    this.operations.push("completed");
  }

  runAll(): void {
    for (let run = this.posted.shift(); run !== undefined; run = this.posted.shift()) run();
  }
}

describe("the current context", () => {
  it("is null at first, set by run, put back also after a throw", () => {
    expect(SynchronizationContext.current).toBeNull();
    const context = new Posts();
    expect(() =>
      SynchronizationContext.run(context, () => {
        expect(SynchronizationContext.current).toBe(context);
        throw failure;
      }),
    ).toThrow(failure);
    expect(SynchronizationContext.current).toBeNull();
    expect(() => SynchronizationContext.setCurrent(untyped({}))).toThrow(TypeError);
  });

  it("A2.2 A2.3 ExecutionContext.run keeps it on entry and undoes a change made inside", () => {
    const context = new Posts();
    SynchronizationContext.run(context, () => {
      const execution = ExecutionContext.capture();
      if (execution === null) throw new Error("flow is not suppressed here");
      ExecutionContext.run(execution, () => {
        expect(SynchronizationContext.current).toBe(context);
        SynchronizationContext.setCurrent(null);
      });
      expect(SynchronizationContext.current).toBe(context);
      ExecutionContext.isolate(() => SynchronizationContext.setCurrent(null));
      expect(SynchronizationContext.current).toBe(context);
    });
  });

  it("A8.5 does not flow into fresh work, and what one item leaves does not reach the next", async () => {
    const seen: unknown[] = [];
    await SynchronizationContext.run(new Posts(), () =>
      Task.whenAll([
        Task.run(() => {
          seen.push(SynchronizationContext.current);
          SynchronizationContext.setCurrent(new Posts());
        }),
        Task.run(() => seen.push(SynchronizationContext.current)),
      ]),
    ).configureAwait({ continueOnCapturedContext: false });
    expect(seen).toEqual([null, null]);
  });

  it("A8.4 an instance of the base class counts as none; its post runs later without a context, its send now", async () => {
    const base = new SynchronizationContext();
    const source = new TaskCompletionSource<number>(inline);
    const local = new AsyncLocal<string>();
    const seen: unknown[] = [];
    SynchronizationContext.run(base, () => {
      Task.async(function* () {
        yield* source.task;
        seen.push("resumed");
      })();
      local.run("poster", () =>
        base.post((state) => seen.push([state, local.value, SynchronizationContext.current]), "state"),
      );
      base.send((state) => seen.push(state), "sent");
    });
    source.setResult(1);
    expect(seen).toEqual(["sent", "resumed"]);
    await Promise.resolve();
    expect(seen[2]).toEqual(["state", "poster", null]);
    expect(base.createCopy()).toBeInstanceOf(SynchronizationContext);
  });
});

describe("resuming on a captured context", () => {
  const ways: [string, (task: Task<number>, done: () => void) => void][] = [
    [
      "yield*",
      (task, done) =>
        void Task.async(function* () {
          yield* task;
          done();
        })(),
    ],
    [
      "yield of a promise",
      (task, done) =>
        void Task.async(function* () {
          yield Promise.resolve(task.then(() => {}));
          done();
        })(),
    ],
    ["then", (task, done) => void task.then(done)], // oxlint-disable-line promise/no-callback-in-promise -- it is a recorder.
  ];

  it.each(ways)("A4.5 %s: completed elsewhere, one post", async (name, wait) => {
    const context = new Posts();
    const source = new TaskCompletionSource<number>(inline);
    const seen: unknown[] = [];
    SynchronizationContext.run(context, () =>
      wait(source.task, () => seen.push(SynchronizationContext.current)),
    );
    source.setResult(1);
    context.runAll();
    for (let i = 0; i < 10; i++) {
      await Promise.resolve();
      context.runAll();
    }
    expect(seen).toEqual([name === "then" || name.startsWith("yield") ? context : null]);
  });

  it("0.5 A4.5 completed on that very context, inline and without a post", () => {
    const context = new Posts();
    const source = new TaskCompletionSource<number>(inline);
    let resumed = 0;
    SynchronizationContext.run(context, () => {
      Task.async(function* () {
        yield* source.task;
        resumed++;
      })();
      source.setResult(1);
    });
    expect([resumed, context.posted.length]).toEqual([1, 0]);
  });

  it("A4.5 an asynchronous source posts also on that very context", () => {
    const context = new Posts();
    const source = new TaskCompletionSource<number>();
    SynchronizationContext.run(context, () => {
      void source.task.then(() => {});
      source.setResult(1);
    });
    expect(context.posted).toHaveLength(1);
  });

  it("A4.4 A8.8 a wait without a context is not resumed on a completer's context", async () => {
    const source = new TaskCompletionSource<number>(inline);
    const seen: unknown[] = [];
    const task = Task.async(function* () {
      yield* source.task;
      seen.push(SynchronizationContext.current, TaskScheduler.current);
    })();
    SynchronizationContext.run(new Posts(), () => source.setResult(1));
    expect(seen).toEqual([]);
    await task;
    expect(seen).toEqual([null, TaskScheduler.default]);
  });

  it("a context that invokes a post twice is told so", () => {
    const context = new Posts();
    const source = new TaskCompletionSource<number>(inline);
    SynchronizationContext.run(context, () => void source.task.then(() => {}));
    source.setResult(1);
    const [run] = context.posted;
    run?.();
    expect(run).toThrow(InvalidOperationError);
  });

  it("a context whose post throws fails the waiting method, not the completer", async () => {
    class Broken extends SynchronizationContext {
      override post(): void {
        throw failure;
      }
    }
    const source = new TaskCompletionSource<number>(inline);
    const task = SynchronizationContext.run(new Broken(), () =>
      Task.async(function* () {
        yield* source.task;
      })(),
    );
    source.setResult(1);
    await task.continueWith(() => {});
    expect(task.error).toBeInstanceOf(TaskSchedulerError);
    expect(task.error).toMatchObject({ cause: failure });
  });
});

describe("Task.asyncVoid", () => {
  it("A9.6 counts as an operation, and posts its error to the context of the call", () => {
    const context = new Posts();
    const source = new TaskCompletionSource<number>(inline);
    const method = Task.asyncVoid(function* (fails: boolean) {
      yield* source.task;
      if (fails) throw failure;
    });
    SynchronizationContext.run(context, () => {
      expect(method(false)).toBeUndefined();
      method(true);
    });
    expect(context.operations).toEqual(["started", "started"]);
    source.setResult(1);
    expect(context.operations).toEqual(["started", "started"]);
    context.posted.shift()?.();
    context.posted.shift()?.();
    expect(context.operations).toEqual(["started", "started", "completed", "completed"]);
    expect(context.posted).toHaveLength(1);
    expect(() => context.runAll()).toThrow(failure);
  });

  it("A9.6 task methods never touch the context's operations", () => {
    const context = new Posts();
    SynchronizationContext.run(context, () => {
      Task.async(function* () {})();
    });
    expect(context.operations).toEqual([]);
  });
});

describe("TaskScheduler.fromSynchronizationContext", () => {
  it("A10.5 needs a current context", () => {
    expect(() => TaskScheduler.fromSynchronizationContext()).toThrow(InvalidOperationError);
  });

  it("A10.5 one post per item, level 1, current while it runs", () => {
    const context = new Posts();
    const scheduler = SynchronizationContext.run(context, () => TaskScheduler.fromSynchronizationContext());
    expect(scheduler.maximumConcurrencyLevel).toBe(1);
    let current: TaskScheduler | undefined;
    void Task.fromResult(1).continueWith(() => (current = TaskScheduler.current), { policy: scheduler });
    expect(context.posted).toHaveLength(1);
    context.runAll();
    expect(current).toBe(scheduler);
  });
});

describe("MessageLoop", () => {
  it("runs posts in order, in later turns, one after the other, in the poster's context", async () => {
    const loop = new MessageLoop();
    const local = new AsyncLocal<number>();
    const seen: unknown[] = [];
    const done = new TaskCompletionSource<void>();
    for (const n of [1, 2]) {
      local.run(n, () =>
        loop.post((state) => {
          seen.push([state, local.value, SynchronizationContext.current === loop]);
          if (n === 1) loop.post(() => done.setResult(), undefined);
        }, `post ${n}`),
      );
    }
    expect([loop.pending, seen.length]).toEqual([2, 0]);
    await done.task;
    expect(seen).toEqual([
      ["post 1", 1, true],
      ["post 2", 2, true],
    ]);
    expect(loop.createCopy()).toBe(loop);
  });

  it("lets the event loop turn when its budget is used up", async () => {
    const loop = new MessageLoop({ budgetMs: 1 });
    let turns = 0;
    const count = (): void => {
      turns++;
      handle = setImmediate(count);
    };
    let handle = setImmediate(count);
    const done = new TaskCompletionSource<void>();
    for (let i = 0; i < 20; i++) {
      loop.post(() => {
        for (const end = performance.now() + 1; performance.now() < end;);
        if (i === 19) done.setResult();
      }, undefined);
    }
    await done.task;
    clearImmediate(handle);
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  it("gives errors to onError and goes on; counts operations; refuses wrong options", async () => {
    const errors: unknown[] = [];
    const loop = new MessageLoop({ onError: (error) => errors.push(error) });
    const done = new TaskCompletionSource<void>();
    const method = Task.asyncVoid(function* () {
      yield* Task.yield();
      throw failure;
    });
    SynchronizationContext.run(loop, () => method());
    expect(loop.operations).toBe(1);
    loop.post(() => loop.post(() => loop.post(() => done.setResult(), undefined), undefined), undefined);
    await done.task;
    expect([errors, loop.operations]).toEqual([[failure], 0]);
    expect(() => new MessageLoop({ budgetMs: 0 })).toThrow(RangeError);
    expect(() => new MessageLoop({ budgetMs: untyped("1") })).toThrow(TypeError);
    expect(() => new MessageLoop({ onError: untyped(1) })).toThrow(TypeError);
    for (const context of [loop, new SynchronizationContext(), new ManualScheduler().synchronizationContext])
      expect(() => context.post(untyped(null), undefined)).toThrow(TypeError);
  });
});

describe("ManualScheduler.synchronizationContext", () => {
  it("makes posts items of the scheduler, with the context current", () => {
    const scheduler = new ManualScheduler();
    const context = scheduler.synchronizationContext;
    expect(scheduler.synchronizationContext).toBe(context);
    const task = SynchronizationContext.run(context, () =>
      Task.async(function* () {
        yield* scheduler.delay(10);
        yield* Task.yield();
        return SynchronizationContext.current;
      })(),
    );
    expect(scheduler.runUntil(task)).toBe(context);
    expect(scheduler.now).toBe(10);
  });

  it("runs what is posted in the poster's ExecutionContext, as every context does", () => {
    const scheduler = new ManualScheduler();
    const local = new AsyncLocal<string>();
    const seen: unknown[] = [];
    local.run("poster", () =>
      scheduler.synchronizationContext.post((state) => seen.push(state, local.value), "state"),
    );
    local.run("runner", () => scheduler.runAll());
    expect(seen).toEqual(["state", "poster"]);
  });
});
