/* oxlint-disable promise/always-return -- what is tested is when a callback runs, not what it gives. */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { AsyncLocal, ExecutionContext } from "@skein/context";
import { describe, expect, it } from "vitest";
import {
  ManualScheduler,
  SynchronizationContext,
  Task,
  TaskCompletionSource,
  TaskScheduler,
} from "../src/index.ts";
import type { ContinuationPolicy, ScheduledItem } from "../src/index.ts";

const policies: ContinuationPolicy[] = ["inline", "asynchronous", "yield"];

describe("continuations of a task", () => {
  it.each(policies)("A4.1 see the final state, policy %s", async (policy) => {
    const source = new TaskCompletionSource<number>({ continuations: policy });
    const seen = source.task.then(() => [source.task.status, source.task.result]);
    source.setResult(4);
    expect(await seen).toEqual(["succeeded", 4]);
  });

  it.each(policies)("A4.1 attached after completion never run on then's stack, policy %s", async (policy) => {
    const source = new TaskCompletionSource<number>({ continuations: policy });
    source.setResult(1);
    const log: string[] = [];
    const done = source.task.then(() => log.push("continuation"));
    log.push("after then");
    await done;
    expect(log).toEqual(["after then", "continuation"]);
  });

  it("A4.1 attached after completion keep their turn among what is queued before and after them", async () => {
    const log: number[] = [];
    const done = Task.fromResult(0);
    const sources = Array.from({ length: 3 }, () => new TaskCompletionSource<number>());
    const queued = sources.map(({ task }, i) => task.then(() => log.push(2 * i + 1)));
    const attached = [done.then(() => log.push(0))];
    for (const [i, source] of sources.entries()) {
      source.setResult(i);
      attached.push(done.then(() => log.push(2 * i + 2)));
    }
    await Task.whenAll([...queued, ...attached]);
    expect(log).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("A5.8, A8.5 attached after completion run in the context of the call, on no SynchronizationContext", async () => {
    const storage = new AsyncLocalStorage<string>();
    const local = new AsyncLocal<string>();
    const done = Task.fromResult(0);
    const seen = (): unknown[] => [storage.getStore(), local.value, SynchronizationContext.current];
    const first = storage.run("theirs", () =>
      local.run("ours", () =>
        done.then(() => {
          const before = seen();
          local.value = "changed";
          SynchronizationContext.setCurrent(new (class extends SynchronizationContext {})());
          return before;
        }),
      ),
    );
    const second = done.then(seen);
    expect(await first).toEqual(["theirs", "ours", null]);
    expect(await second).toEqual([undefined, undefined, null]);
    const control = ExecutionContext.suppressFlow();
    const suppressed = local.run("ours", () => done.then(seen));
    control.undo();
    expect(await suppressed).toEqual([undefined, undefined, null]);
  });

  it("A4.2 nobody can ask to run inside a completer that did not allow it", async () => {
    const source = new TaskCompletionSource<number>();
    const log: string[] = [];
    const all = Task.whenAll([
      source.task.configureAwait({ policy: "inline" }).then(() => log.push("await")),
      source.task.continueWith(() => log.push("continueWith"), { policy: "inline" }),
    ]);
    source.setResult(1);
    log.push("set");
    await all;
    expect(log).toEqual(["set", "await", "continueWith"]);
  });

  it("A4.3 of several awaits the first runs inline, the others were queued before it", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    const log: string[] = [];
    const queuedByFirst: Task<unknown>[] = [];
    const second = source.task.then(() => {
      log.push("first");
      queuedByFirst.push(Task.fromResult(0).then(() => log.push("queued by first")));
    });
    const others = [source.task.then(() => log.push("second")), source.task.then(() => log.push("third"))];
    source.setResult(1);
    log.push("set");
    await Task.whenAll([second, ...others, ...queuedByFirst]);
    expect(log).toEqual(["first", "set", "second", "third", "queued by first"]);
  });

  it("A4.3 every continueWith that asked for inline runs inline, in order with the first await", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    const log: string[] = [];
    const all = [
      source.task.continueWith(() => log.push("queued continueWith")),
      source.task.continueWith(() => log.push("inline 1"), { policy: "inline" }),
      source.task.then(() => log.push("await 1")),
      source.task.then(() => log.push("await 2")),
      source.task.continueWith(() => log.push("inline 2"), { policy: "inline" }),
    ];
    source.setResult(1);
    log.push("set");
    await Task.whenAll(all);
    expect(log).toEqual(["inline 1", "await 1", "inline 2", "set", "queued continueWith", "await 2"]);
  });

  it("A4.3 a single continuation that is removed and a later one: the later runs inline", () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    const controller = new AbortController();
    const wait = source.task.waitAsync({ signal: controller.signal });
    controller.abort();
    let ran = false;
    void source.task.then(() => (ran = true));
    source.setResult(1);
    expect(wait.status).toBe("canceled");
    expect(ran).toBe(true);
  });

  it("A4.4 an await is not resumed inline on a foreign scheduler's stack", async () => {
    const scheduler = new ManualScheduler();
    const outer = new TaskCompletionSource<void>({ continuations: scheduler });
    const inner = new TaskCompletionSource<void>({ continuations: "inline" });
    const log: string[] = [];
    const done = inner.task.then(() =>
      log.push(TaskScheduler.current === TaskScheduler.default ? "default" : "scheduler"),
    );
    void outer.task.then(() => {
      inner.setResult();
      log.push("set");
    });
    outer.setResult();
    scheduler.runAll();
    await done;
    expect(log).toEqual(["set", "default"]);
  });

  it("A4.5 an await that begins on a scheduler resumes on it", () => {
    const scheduler = new ManualScheduler();
    const start = new TaskCompletionSource<void>({ continuations: scheduler });
    const source = new TaskCompletionSource<void>({ continuations: "inline" });
    let resumedOn: TaskScheduler | undefined;
    let freeOn: TaskScheduler | undefined;
    void start.task.then(() => {
      void source.task
        .configureAwait({ continueOnCapturedContext: false })
        .then(() => (freeOn = TaskScheduler.current));
      void source.task.then(() => (resumedOn = TaskScheduler.current));
    });
    start.setResult();
    scheduler.runAll();
    source.setResult();
    expect(freeOn).toBe(TaskScheduler.default);
    expect(resumedOn).toBeUndefined();
    scheduler.runAll();
    expect(resumedOn).toBe(scheduler);
  });

  it("A4.5 a completion on the captured scheduler resumes inline if that accepts", () => {
    class Eager extends ManualScheduler {
      asked = 0;
      override tryExecuteInline(item: ScheduledItem): boolean {
        this.asked++;
        return this.tryExecuteTask(item);
      }
    }
    const scheduler = new Eager();
    const start = new TaskCompletionSource<void>({ continuations: scheduler });
    const source = new TaskCompletionSource<void>({ continuations: "inline" });
    const log: string[] = [];
    void start.task.then(() => {
      void source.task.then(() => log.push("resumed"));
      source.setResult();
      log.push("set");
    });
    start.setResult();
    expect(scheduler.asked).toBe(0);
    scheduler.runAll();
    expect(scheduler.asked).toBe(1);
    expect(log).toEqual(["resumed", "set"]);
  });

  it("A4.6 an inline continuation does not see the completer's scheduler", () => {
    const scheduler = new ManualScheduler();
    const start = new TaskCompletionSource<void>({ continuations: scheduler });
    const source = new TaskCompletionSource<void>({ continuations: "inline" });
    let seen: TaskScheduler | undefined;
    void source.task.continueWith(() => (seen = TaskScheduler.current), { policy: "inline" });
    void start.task.then(() => source.setResult());
    start.setResult();
    scheduler.runAll();
    expect(seen).toBe(TaskScheduler.default);
  });

  it.each(policies)(
    "A4.7 a callback that throws reaches neither the completer nor its siblings, policy %s",
    async (policy) => {
      const source = new TaskCompletionSource<number>({ continuations: policy });
      const failure = new Error("failure");
      const failed = source.task.then(() => {
        throw failure;
      });
      const sibling = source.task.then((value) => value);
      expect(() => source.setResult(1)).not.toThrow();
      await expect(failed).rejects.toBe(failure);
      expect(await sibling).toBe(1);
    },
  );

  it.each([
    ["whenAll", (task: Task<number>) => Task.whenAll([task])],
    ["whenAny", (task: Task<number>) => Task.whenAny([task])],
    ["waitAsync", (task: Task<number>) => task.waitAsync({ timeoutMs: 10_000 })],
    ["unwrapping", (task: Task<number>) => Task.fromResult(0).continueWith(() => task)],
  ] as const)("A4.8 %s completes inline, unless the task's own policy queues it", async (_, combine) => {
    for (const policy of ["inline", "asynchronous"] as const) {
      const source = new TaskCompletionSource<number>({ continuations: policy });
      const combined: Task<unknown> = combine(source.task);
      await turn();
      let ran = false;
      const done = combined.then(() => (ran = true));
      source.setResult(1);
      expect(ran).toBe(policy === "inline");
      expect(await done).toBe(true);
    }
  });

  it("A4.12 awaiting throws the first original error, or the original cancellation", async () => {
    const first = new Error("first");
    const source = new TaskCompletionSource<number>();
    source.setError([first, new Error("second")]);
    const awaited = async (task: Task<number>): Promise<number> => await task;
    await expect(awaited(source.task)).rejects.toBe(first);
    expect(() => source.task.result).toThrow(first);
    const reason = new Error("reason");
    await expect(awaited(Task.fromCanceled<number>(AbortSignal.abort(reason)))).rejects.toBe(reason);
  });

  it.each([
    ["inline", ["awaited 1", "turn"]],
    ["asynchronous", ["awaited 1", "turn"]],
    ["yield", ["turn", "awaited 1"]],
  ] as const)("policy %s governs native await as well: %j", async (policy, order) => {
    const source = new TaskCompletionSource<number>({ continuations: policy });
    const log: string[] = [];
    const consumer = (async () => {
      log.push(`awaited ${await source.task}`);
    })();
    await turn();
    const nextTurn = turn();
    const observed = nextTurn.then(() => log.push("turn"));
    source.setResult(1);
    await Promise.all([consumer, observed]);
    expect(log).toEqual(order);
  });

  it.each<ContinuationPolicy>(["inline", "asynchronous", "yield"])(
    "A5.8 callbacks run in the context of then's caller, ours and others', policy %s",
    async (policy) => {
      const theirs = new AsyncLocalStorage<string>();
      const ours = new AsyncLocal<string>();
      const source = new TaskCompletionSource<number>({ continuations: policy });
      const read = (): string => `${ours.value} ${theirs.getStore()}`;
      const attach = (name: string): Task<string>[] =>
        ours.run(name, () =>
          theirs.run(name, () => [
            source.task.then(read),
            source.task.then(() => Task.fromResult(0).then(read)),
            source.task.then((value) => value).then(read),
            source.task.continueWith(read, { policy }),
            source.task.finally(() => expect(read()).toBe(`${name} ${name}`)).then(read),
          ]),
        );
      const awaiting = (name: string): Promise<string> =>
        ours.run(name, () =>
          theirs.run(name, async () => {
            await source.task;
            return read();
          }),
        );
      const all = [...attach("a"), ...attach("b")];
      const awaited = [awaiting("c"), awaiting("d")];
      await turn();
      ours.run("completer", () => theirs.run("completer", () => source.setResult(1)));
      expect(await Task.whenAll(all)).toEqual([
        ...Array<string>(5).fill("a a"),
        ...Array<string>(5).fill("b b"),
      ]);
      expect(await Promise.all(awaited)).toEqual(["c c", "d d"]);
    },
  );
});
