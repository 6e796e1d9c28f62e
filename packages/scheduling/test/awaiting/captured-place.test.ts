import { describe, expect, it } from "vitest";
import {
  type Awaiter,
  CustomAwaitable,
  ManualResetValueTaskSource,
  ManualScheduler,
  type ScheduledItem,
  SynchronizationContext,
  Task,
  TaskCompletionSource,
  TaskScheduler,
  ValueTask,
  type ValueTaskSource,
  awaiter,
} from "../../src/index.ts";

/** What calls back on the stack of `complete`, wherever that is. */
class Bare extends CustomAwaitable<number> implements Awaiter<number>, ValueTaskSource<number> {
  isCompleted = false;
  #call: (() => void) | undefined;

  [awaiter](): Awaiter<number> {
    return this;
  }

  getStatus(): "succeeded" | "pending" {
    return this.isCompleted ? "succeeded" : "pending";
  }

  getResult(): number {
    return 1;
  }

  onCompleted<S>(continuation: (state: S) => void, state: S): void {
    this.#call = () => continuation(state);
  }

  complete(): void {
    this.isCompleted = true;
    this.#call?.();
  }
}

class CountingScheduler extends ManualScheduler {
  queued = 0;

  override queueTask(item: ScheduledItem): void {
    this.queued++;
    super.queueTask(item);
  }
}

/** What to wait for, and how to complete it. */
type Way = () => { wait: object; complete: () => void };

const bare = (use: (source: Bare) => object): Way => {
  return () => {
    const source = new Bare();
    return { wait: use(source), complete: () => source.complete() };
  };
};
const resettable = (use: (task: ValueTask<number>) => object): Way => {
  return () => {
    const source = new ManualResetValueTaskSource<number>();
    return { wait: use(source.valueTask()), complete: () => source.setResult(1) };
  };
};
const delegating: Way = () => {
  const source = new TaskCompletionSource<number>({ continuations: "inline" });
  class Delegating extends CustomAwaitable<number> {
    [awaiter](): Awaiter<number> {
      const inner = source.task[awaiter]();
      return {
        get isCompleted() {
          return inner.isCompleted;
        },
        getResult: () => inner.getResult(),
        onCompleted: (continuation, state) => inner.onCompleted(continuation, state),
      };
    }
  }
  return { wait: new Delegating(), complete: () => source.setResult(1) };
};
const configuredTask: Way = () => {
  const source = new TaskCompletionSource<number>({ continuations: "inline" });
  return { wait: source.task.configureAwait({}), complete: () => source.setResult(1) };
};

const ways: [string, Way][] = [
  ["an awaiter that calls back anywhere", bare((source) => source)],
  ["an awaiter that delegates to a task's", delegating],
  ["a ValueTaskSource that ignores its flags", bare((source) => ValueTask.fromSource(source, 0))],
  ["the same, configureAwait({})", bare((source) => ValueTask.fromSource(source, 0).configureAwait({}))],
  [
    "the same, forced to yield",
    bare((source) => ValueTask.fromSource(source, 0).configureAwait({ forceYielding: true })),
  ],
  ["a ManualResetValueTaskSource", resettable((task) => task)],
  ["the same, configureAwait({})", resettable((task) => task.configureAwait({}))],
  ["the same, forced to yield", resettable((task) => task.configureAwait({ forceYielding: true }))],
  ["a task, configureAwait({})", configuredTask],
];

describe("a generator method stays where it waits", () => {
  it.each(ways)("A4.5 A7.8 on its TaskScheduler, by one item, after %s", (_, make) => {
    const scheduler = new CountingScheduler();
    const other = new ManualScheduler();
    const { wait, complete } = make();
    const seen: TaskScheduler[] = [];
    const method = Task.async(function* () {
      yield wait;
      seen.push(TaskScheduler.current);
      yield* Task.yield();
      seen.push(TaskScheduler.current);
    });
    const start = new TaskCompletionSource<void>({ continuations: scheduler });
    const task = start.task.then(() => method());
    start.setResult();
    scheduler.runAll();
    const before = scheduler.queued;
    // Completed from another scheduler's item, which must not be where it goes on.
    const completer = new TaskCompletionSource<void>({ continuations: other });
    void completer.task.then(complete);
    completer.setResult();
    other.runAll();
    expect([seen, scheduler.queued]).toEqual([[], before + 1]);
    scheduler.runAll();
    expect(seen).toEqual([scheduler, scheduler]);
    expect(task.status).toBe("succeeded");
    expect([TaskScheduler.current, SynchronizationContext.current]).toEqual([TaskScheduler.default, null]);
  });

  it.each(ways)("A4.5 A7.8 on its SynchronizationContext, by one post, after %s", (_, make) => {
    const scheduler = new CountingScheduler();
    const context = scheduler.synchronizationContext;
    const { wait, complete } = make();
    const task = SynchronizationContext.run(context, () =>
      Task.async(function* () {
        yield wait;
        return SynchronizationContext.current;
      })(),
    );
    complete();
    expect([task.status, scheduler.queued]).toEqual(["pending", 1]);
    scheduler.runAll();
    expect(task.result).toBe(context);
    expect(SynchronizationContext.current).toBeNull();
  });

  it("without one it goes on where a custom awaiter calls back, as in .NET", () => {
    const source = new Bare();
    const task = Task.async(function* () {
      yield* source;
      return TaskScheduler.current;
    })();
    source.complete();
    expect(task.result).toBe(TaskScheduler.default);
  });
});

describe("of several awaits on the completer's own place", () => {
  it("A4.3 the first runs inline, the others were posted before it: a SynchronizationContext", () => {
    const scheduler = new ManualScheduler();
    const source = new TaskCompletionSource<void>({ continuations: "inline" });
    const log: string[] = [];
    SynchronizationContext.run(scheduler.synchronizationContext, () => {
      for (const name of ["first", "second", "third"])
        void source.task.then(() => log.push(`${name}, ${scheduler.pending} posted`));
      source.setResult();
      log.push("set");
    });
    expect(log).toEqual(["first, 2 posted", "set"]);
    scheduler.runAll();
    expect(log.slice(2)).toEqual(["second, 1 posted", "third, 0 posted"]);
  });

  it.each([
    ["that accepts", true, ["first", "set", "second", "third"]],
    ["that refuses", false, ["set", "second", "third", "first"]],
  ])("A4.3 the first runs inline: a scheduler %s", (_, accepts, order) => {
    class Asked extends ManualScheduler {
      override tryExecuteInline(item: ScheduledItem): boolean {
        return accepts && this.tryExecuteTask(item);
      }
    }
    expect(awaitsOn(new Asked())).toEqual(order);
  });

  it("A4.3 a scheduler that never takes anything inline keeps their order", () => {
    expect(awaitsOn(new ManualScheduler())).toEqual(["set", "first", "second", "third"]);
  });

  it("A4.3 one on another place is posted, and the first that is at home runs inline", () => {
    const elsewhere = new ManualScheduler();
    const here = new ManualScheduler();
    const source = new TaskCompletionSource<void>({ continuations: "inline" });
    const log: string[] = [];
    SynchronizationContext.run(elsewhere.synchronizationContext, () =>
      source.task.then(() => log.push("elsewhere")),
    );
    SynchronizationContext.run(here.synchronizationContext, () => {
      void source.task.then(() => log.push("here"));
      source.setResult();
    });
    expect(log).toEqual(["here"]);
    elsewhere.runAll();
    expect(log).toEqual(["here", "elsewhere"]);
  });

  it("A4.2 a source that allows nothing inline posts all of them, in order", () => {
    const scheduler = new ManualScheduler();
    const source = new TaskCompletionSource<void>();
    const log: number[] = [];
    SynchronizationContext.run(scheduler.synchronizationContext, () => {
      for (const n of [1, 2, 3]) void source.task.then(() => log.push(n));
      source.setResult();
    });
    expect(log).toEqual([]);
    scheduler.runAll();
    expect(log).toEqual([1, 2, 3]);
  });
});

/** Three awaits that began on `scheduler`, completed on it. */
function awaitsOn(scheduler: ManualScheduler): string[] {
  const start = new TaskCompletionSource<void>({ continuations: scheduler });
  const source = new TaskCompletionSource<void>({ continuations: "inline" });
  const log: string[] = [];
  void start.task.then(() => {
    for (const name of ["first", "second", "third"]) void source.task.then(() => log.push(name));
    source.setResult();
    log.push("set");
  });
  start.setResult();
  scheduler.runAll();
  return log;
}

describe("a wait that has to yield", () => {
  it.each([
    ["Task.yield()", () => Task.yield()[awaiter]()],
    ["a task", () => Task.fromResult(1).configureAwait({ forceYielding: true })[awaiter]()],
    [
      "a source",
      () => {
        const source = new ManualResetValueTaskSource<number>();
        source.setResult(1);
        return source.valueTask().configureAwait({ forceYielding: true })[awaiter]();
      },
    ],
  ] as const)("A8.3 A8.7 has not completed before it ran: %s", async (_, make) => {
    const wait = make();
    expect(wait.isCompleted).toBe(false);
    const task = Task.async(function* () {
      yield wait;
    })();
    expect([wait.isCompleted, task.status]).toEqual([false, "pending"]);
    await task;
    expect(wait.isCompleted).toBe(true);
    const plain = make();
    const ran = new Promise<boolean>((resolve) => plain.onCompleted(resolve, true));
    expect(plain.isCompleted).toBe(false);
    expect(await ran).toBe(true);
  });
});
