import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { EventEmitter, once } from "node:events";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TracedJob } from "@skein/pool";
import { eventually } from "../../../test/support/eventually.ts";
import { UncaughtErrors } from "../../pool/test/uncaught.ts";
import {
  type PiscinaTask,
  Piscina,
  type PiscinaOptions,
  type PiscinaWorker,
  type TaskQueue,
} from "../src/index.ts";
import { type QueuedTask, TaskInfo } from "../src/task-info.ts";
import { ArrayTaskQueue } from "../src/task-queues.ts";
import { requestId } from "./fixtures/request-id.ts";

const cjs = fileURLToPath(new URL("fixtures/tasks.cjs", import.meta.url));
const esm = new URL("fixtures/tasks.mjs", import.meta.url).href;

let open: Piscina[];
beforeEach(() => {
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((piscina) => piscina.destroy()));
});

function make(options: PiscinaOptions = {}): Piscina {
  const piscina = new Piscina({ filename: cjs, minThreads: 1, maxThreads: 1, ...options });
  open.push(piscina);
  return piscina;
}

function makeGate(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** Resolves when a task runs that `hold` was given this gate. */
async function isHeld(gate: Int32Array): Promise<void> {
  await eventually("the task runs", () => Atomics.load(gate, 1) === 1);
}

function openGate(gate: Int32Array): void {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
}

describe("task files", () => {
  it("are CommonJS: module.exports is the function, its properties are the others, also those that are promises", async () => {
    const piscina = make();
    await expect(piscina.run("x")).resolves.toMatchObject({ task: "x" });
    await expect(piscina.run(21, { name: "promised" })).resolves.toBe(42);
    await expect(piscina.run(1, { name: "absent" })).rejects.toThrow("No handler function exported from");
  });

  it("give promises of V8's class, whatever the program has put in its place", async () => {
    const piscina = make();
    const Native = Promise;
    vi.stubGlobal("Promise", undefined);
    const tasks = [piscina.run(21, { name: "promised" }), piscina.run(1, { filename: 1 as never })];
    vi.unstubAllGlobals();
    for (const task of tasks) expect(task).toBeInstanceOf(Native);
    await expect(tasks[1]).rejects.toThrow(TypeError);
    await expect(tasks[0]).resolves.toBe(42);
  });

  it("are ES modules, with the state of their thread", async () => {
    const piscina = make({ filename: esm, workerData: { from: "main" } });
    await expect(piscina.run({ a: 4, b: 6 })).resolves.toBe(10);
    await expect(piscina.run(null, { name: "where" })).resolves.toEqual({
      isWorkerThread: true,
      workerData: { from: "main" },
      inJob: undefined,
    });
    expect(Piscina.isWorkerThread).toBe(false);
  });

  it("are found as `require` finds them: without their extension, and in a folder", async () => {
    const folder = fileURLToPath(new URL("fixtures/folder", import.meta.url));
    for (const filename of [folder, `${folder}/index`])
      await expect(make({ filename }).run("x")).resolves.toEqual({ task: "x", from: "folder" });
    await expect(make({ filename: `${folder}/nothing` }).run("x")).rejects.toMatchObject({
      code: "ERR_MODULE_NOT_FOUND",
    });
  });

  it("see the context of the call, whether the task waited or not", async () => {
    const piscina = make({ filename: esm });
    const calls = [1, 2, 3].map((id) =>
      requestId.run(`request ${id}`, () => piscina.run(null, { name: "where" })),
    );
    const seen = await Promise.all(calls);
    expect(seen.map(({ inJob }) => inJob)).toEqual(["request 1", "request 2", "request 3"]);
  });

  it("are what spans and channels call their tasks", async () => {
    const started: unknown[] = [];
    const listener = (message: unknown): void => {
      const { url, name } = message as TracedJob;
      started.push([url, name]);
    };
    subscribe("tracing:skein:job:start", listener);
    const piscina = make({ filename: esm });
    await piscina.run({ a: 4, b: 6 });
    await piscina.run(null, { name: "where" });
    unsubscribe("tracing:skein:job:start", listener);
    expect(started).toEqual([
      [esm, "default"],
      [esm, "where"],
    ]);
  });

  it("reject with what they throw, as it was thrown", async () => {
    const error = await make()
      .run(null, { name: "fail" })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: "no such row", code: "ROW" });
  });

  it("are awaited, whatever thenable they return", async () => {
    const piscina = make();
    expect(await piscina.run(null, { name: "query" })).toEqual([1, 2]);
    expect(await piscina.run(null, { name: "callableQuery" })).toEqual([1, 2]);
    await expect(piscina.run(null, { name: "failingQuery" })).rejects.toThrow("no such table");
  });

  it("that have thrown when they were loaded are loaded anew for the next task", async () => {
    const filename = new URL("fixtures/outage.mjs", import.meta.url).href;
    const piscina = make({ filename, workerData: makeGate() });
    // A thread may have met the outage before there was a task.
    await Promise.allSettled([piscina.run(1)]);
    expect(await piscina.run(1)).toBe(2);
  });

  it("move what they mark, and what the caller marks", async () => {
    const piscina = make({ filename: esm });
    const bytes = await piscina.run(100_000, { name: "bytes" });
    expect(bytes).toEqual(new Uint8Array(100_000).fill(7));
    const given = new Uint8Array(100_000);
    const { task } = await piscina.run(Piscina.move(given), { filename: cjs, name: "default" });
    expect(task).toHaveLength(100_000);
    expect(given).toHaveLength(0);
    for (const value of ["a text", null, { n: 1 }])
      await expect(piscina.run(value, { name: "moved" })).resolves.toEqual(value);
  });
});

describe("the queue", () => {
  it("gives threads their tasks in order, and refuses what is above maxQueue", async () => {
    const piscina = make({ maxQueue: 2 });
    const gate = makeGate();
    const order: string[] = [];
    const running = piscina.run(gate, { name: "hold" }).then(() => order.push("running"));
    const waiting = ["a", "b"].map((name) => piscina.run(name).then(() => order.push(name)));
    expect(piscina.queueSize).toBe(2);
    await expect(piscina.run("c")).rejects.toThrow("Task queue is at limit");
    openGate(gate);
    await Promise.all([running, ...waiting]);
    expect(order).toEqual(["running", "a", "b"]);
    expect(piscina.queueSize).toBe(0);
    expect(piscina.completed).toBe(3);
  });

  it("may be the program's own, which sees what the caller says of a task", async () => {
    const piscina = make({ taskQueue: new HighestFirst() });
    const gate = makeGate();
    const order: unknown[] = [];
    const running = piscina.run(gate, { name: "hold" });
    const tasks = [1, 3, 2].map((level) => ({ level, [Piscina.queueOptionsSymbol]: { level } }));
    const waiting = tasks.map((task) => piscina.run(task).then(({ task: { level } }) => order.push(level)));
    openGate(gate);
    await Promise.all([running, ...waiting]);
    expect(order).toEqual([3, 2, 1]);
  });

  it("keeps the hidden class of tasks, whatever becomes of them, by one that stays", async () => {
    setFlagsFromString("--allow-natives-syntax");
    // oxlint-disable-next-line typescript/no-implied-eval -- a function of V8, by its own syntax
    const haveSameClass = new Function("a", "b", "return %HaveSameMap(a, b)") as (
      a: object,
      b: object,
    ) => boolean;
    const seen: object[] = [];
    class Noting extends ArrayTaskQueue {
      override push(task: QueuedTask): void {
        seen.push(task);
        super.push(task);
      }
    }
    const piscina = make({ taskQueue: new Noting() });
    const gate = makeGate();
    const running = piscina.run(gate, { name: "hold" });
    const waiting = [1, "text", { level: 1 }].map((task) => piscina.run(task));
    const failing = piscina.run(1, { name: "no such task" });
    openGate(gate);
    await Promise.all([running, ...waiting]);
    await expect(failing).rejects.toThrow("No handler");
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect(seen.map((task) => haveSameClass(task, TaskInfo.kept))).toEqual(seen.map(() => true));
  });

  it("tells when it is full, and when it is not any more", async () => {
    const piscina = make();
    const gate = makeGate();
    const needsDrain = once(piscina, "needsDrain");
    const drain = once(piscina, "drain");
    const running = piscina.run(gate, { name: "hold" });
    await needsDrain;
    expect(piscina.needsDrain).toBe(true);
    openGate(gate);
    await running;
    await drain;
    expect(piscina.needsDrain).toBe(false);
  });
});

/** Nothing is left of what was refused. */
async function closesAtOnce(piscina: Piscina): Promise<void> {
  const errors: unknown[] = [];
  piscina.on("error", (error) => errors.push(error));
  await piscina.close();
  expect(errors).toEqual([]);
}

describe.each([
  ["where the pool chooses threads", {}],
  ["where this side chooses threads", { workerHistogram: true }],
] satisfies [string, PiscinaOptions][])("what is refused, %s", (_, options) => {
  it.each([1, 2])(
    "never runs, and is not waited for: a signal that is none, %i a thread",
    async (perThread) => {
      const piscina = make({ ...options, concurrentTasksPerWorker: perThread, closeTimeout: 1 });
      const counter = makeGate();
      const refused = { name: "count", signal: new AbortController() as never };
      await expect(piscina.run(counter, refused)).rejects.toThrow(TypeError);
      const gate = makeGate();
      const running = piscina.run(gate, { name: "hold" });
      await expect(piscina.run(counter, refused)).rejects.toThrow(TypeError);
      expect(piscina.queueSize).toBe(0);
      openGate(gate);
      await running;
      await piscina.run("after it");
      expect(counter[0]).toBe(0);
      await closesAtOnce(piscina);
    },
  );

  it("by the program's own queue is not waited for", async () => {
    class Small extends ArrayTaskQueue {
      override push(task: QueuedTask): void {
        if (this.size === 1) throw new RangeError("full");
        super.push(task);
      }
    }
    const piscina = make({ ...options, taskQueue: new Small(), closeTimeout: 1 });
    const gate = makeGate();
    const running = piscina.run(gate, { name: "hold" });
    const waiting = piscina.run("a");
    await expect(piscina.run("b")).rejects.toThrow("full");
    openGate(gate);
    await Promise.all([running, waiting]);
    await closesAtOnce(piscina);
  });

  it("a queue that fails once holds up its tasks until the next one comes", async () => {
    using uncaught = new UncaughtErrors();
    let hasFailed = false;
    class FailingOnce extends ArrayTaskQueue {
      override shift(): ReturnType<ArrayTaskQueue["shift"]> {
        if (!hasFailed) {
          hasFailed = true;
          throw new RangeError("of the queue");
        }
        return super.shift();
      }
    }
    const piscina = make({ ...options, taskQueue: new FailingOnce(), closeTimeout: 1 });
    const gate = makeGate();
    const running = piscina.run(gate, { name: "hold" });
    const waiting = piscina.run("a");
    openGate(gate);
    await running;
    await expect(piscina.run("b")).resolves.toMatchObject({ task: "b" });
    await expect(waiting).resolves.toMatchObject({ task: "a" });
    expect(uncaught.seen).toEqual([new RangeError("of the queue")]);
    await closesAtOnce(piscina);
  });

  it("a queue that cannot take a task out keeps nobody from the end", async () => {
    using uncaught = new UncaughtErrors();
    class Keeping extends ArrayTaskQueue {
      override remove(): void {
        throw new RangeError("of the queue");
      }
    }
    const piscina = make({ ...options, taskQueue: new Keeping(), closeTimeout: 1 });
    const running = piscina.run(makeGate(), { name: "hold" });
    const tasks = [running, piscina.run("a"), piscina.run("b")];
    const outcomes = Promise.allSettled(tasks);
    await piscina.destroy();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ reason: { message: "Terminating worker thread" } });
    expect(piscina.threads).toHaveLength(0);
    expect(uncaught.seen).toHaveLength(2);
    await expect(piscina.run("again")).resolves.toMatchObject({ task: "again" });
    await closesAtOnce(piscina);
  });
});

it("a queue that does not take a task back refuses it", async () => {
  class OneWay extends ArrayTaskQueue {
    override unshift(): void {
      throw new RangeError("of the queue");
    }
  }
  const piscina = make({ taskQueue: new OneWay(), concurrentTasksPerWorker: 2, closeTimeout: 1 });
  const shares = [1, 5].map((ms) => piscina.run(ms, { name: "later" }));
  const { signal } = new AbortController();
  // One of the two ends first: then there is a place, and not for this one.
  await expect(piscina.run("alone", { signal })).rejects.toThrow("of the queue");
  await Promise.all(shares);
  await closesAtOnce(piscina);
});

class HighestFirst implements TaskQueue {
  readonly #tasks: PiscinaTask[] = [];

  get size(): number {
    return this.#tasks.length;
  }

  push(task: PiscinaTask): void {
    const level = (each: PiscinaTask): number =>
      (each as unknown as Record<symbol, { level: number }>)[Piscina.queueOptionsSymbol]!.level;
    this.#tasks.push(task);
    this.#tasks.sort((a, b) => level(b) - level(a));
  }

  shift(): PiscinaTask | null {
    return this.#tasks.shift() ?? null;
  }

  remove(task: PiscinaTask): void {
    this.#tasks.splice(this.#tasks.indexOf(task), 1);
  }
}

describe("signals", () => {
  it("of all three kinds end a running task with its thread, and another takes its place", async () => {
    const piscina = make();
    for (const signal of [new AbortController().signal, new EventTarget(), new EventEmitter()]) {
      const [first] = piscina.threads;
      const gate = makeGate();
      const task = piscina.run(gate, { name: "hold", signal });
      const gone = once(piscina, "workerDestroy");
      await isHeld(gate);
      if (signal instanceof EventEmitter) signal.emit("abort");
      else signal.dispatchEvent(new Event("abort"));
      await expect(task).rejects.toMatchObject({ name: "AbortError", message: "The task has been aborted" });
      await gone;
      await expect(piscina.run(null, { name: "threadId" })).resolves.not.toBe(first!.threadId);
    }
  });

  it("end no task but their own: one that comes right afterwards has another thread", async () => {
    const piscina = make({ minThreads: 2, maxThreads: 2 });
    const [, second] = piscina.threads;
    const gate = makeGate();
    const controller = new AbortController();
    const task = piscina.run(gate, { name: "hold", signal: controller.signal });
    await isHeld(gate);
    controller.abort();
    await expect(task).rejects.toThrow("The task has been aborted");
    await expect(piscina.run(null, { name: "threadId" })).resolves.toBe(second!.threadId);
  });

  it("end no task but their own: nor where nobody here knows which thread has it", async () => {
    const piscina = make();
    const gates = [makeGate(), makeGate()];
    const controller = new AbortController();
    const before = piscina.run(gates[0], { name: "hold" });
    // It waits, so whichever thread is free takes it.
    const task = piscina.run(gates[1], { name: "hold", signal: controller.signal });
    openGate(gates[0]!);
    const threadId = await before;
    await isHeld(gates[1]!);
    controller.abort();
    await expect(task).rejects.toThrow("The task has been aborted");
    await expect(piscina.run(null, { name: "threadId" })).resolves.not.toBe(threadId);
  });

  it("take a waiting task back: it never runs", async () => {
    const piscina = make();
    const gate = makeGate();
    const counter = makeGate();
    const running = piscina.run(gate, { name: "hold" });
    const controller = new AbortController();
    controller.signal.addEventListener("abort", (event) => event.stopImmediatePropagation());
    const waiting = piscina.run(counter, { name: "count", signal: controller.signal });
    expect(piscina.queueSize).toBe(1);
    controller.abort("no longer needed");
    await expect(waiting).rejects.toMatchObject({ name: "AbortError", cause: "no longer needed" });
    expect(piscina.queueSize).toBe(0);
    openGate(gate);
    await running;
    await piscina.run("after it");
    expect(counter[0]).toBe(0);
  });

  it("keep no task from its end when their listener cannot be taken away", async () => {
    const piscina = make();
    using uncaught = new UncaughtErrors();
    const emitter = new EventEmitter();
    emitter.on("removeListener", () => {
      throw new RangeError("of a listener");
    });
    const old = { aborted: false, addEventListener: () => {} } as unknown as EventTarget;
    for (const signal of [emitter, old])
      await expect(piscina.run("x", { signal })).resolves.toMatchObject({ task: "x" });
    await piscina.close();
    expect(uncaught.seen).toMatchObject([new RangeError("of a listener"), { name: "TypeError" }]);
  });

  it("may be emitters with `once` and `removeListener` alone", async () => {
    const listeners = new Set<unknown>();
    const signal = {
      once: (_: string, listener: unknown) => void listeners.add(listener),
      removeListener: (_: string, listener: unknown) => void listeners.delete(listener),
    } as unknown as EventEmitter;
    const task = make().run("x", { signal });
    expect(listeners.size).toBe(1);
    await expect(task).resolves.toMatchObject({ task: "x" });
    expect(listeners.size).toBe(0);
  });

  it.each([{}, { concurrentTasksPerWorker: 2 }, { workerHistogram: true }])(
    "may fire while the task is handed over, to a thread or to wait for one: %j",
    async (options) => {
      const piscina = make({ ...options, closeTimeout: 1 });
      const abortedOnTheWay = async (): Promise<void> => {
        const controller = new AbortController();
        const task = {
          get level() {
            controller.abort("in a getter");
            return 1;
          },
        };
        await expect(piscina.run(task, { signal: controller.signal })).rejects.toMatchObject({
          name: "AbortError",
          cause: "in a getter",
        });
      };
      await abortedOnTheWay();
      const running = piscina.run(20, { name: "later" });
      const waiting = abortedOnTheWay();
      await expect(running).resolves.toBeTypeOf("number");
      await waiting;
      await closesAtOnce(piscina);
    },
  );

  it("wait for a thread of their own among tasks that share, and hold up what comes later, not for ever", async () => {
    const piscina = make({ concurrentTasksPerWorker: 2 });
    const order: string[] = [];
    const note = (what: string) => (): unknown => order.push(what);
    const { signal } = new AbortController();
    await Promise.all([
      piscina.run(5, { name: "later" }).then(note("shares 1")),
      piscina.run(5, { name: "later" }).then(note("shares 2")),
      piscina.run(1, { name: "later", signal }).then(note("alone")),
      piscina.run(1, { name: "later" }).then(note("shares 3")),
    ]);
    expect(order).toEqual(["shares 1", "shares 2", "alone", "shares 3"]);
  });
});

describe.each([false, true])("completed, with workerHistogram: %s", (workerHistogram) => {
  it("counts no task that was aborted while it waited", async () => {
    const piscina = make({ workerHistogram });
    const gate = makeGate();
    const held = piscina.run(gate, { name: "hold" });
    const controller = new AbortController();
    const waiting = piscina.run("x", { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toThrow("The task has been aborted");
    openGate(gate);
    await held;
    await piscina.run("y");
    expect(piscina.completed).toBe(2);
  });

  it("counts what close with force and destroy reject, as Piscina does", async () => {
    const piscina = make({ workerHistogram });
    const gate = makeGate();
    const { signal } = new AbortController();
    const running = piscina.run(gate, { name: "hold" });
    const waiting = [piscina.run("x", { signal }), piscina.run("y")];
    const outcomes = Promise.allSettled([running, ...waiting]);
    const closed = piscina.close({ force: true });
    openGate(gate);
    await closed;
    expect((await outcomes).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    expect(piscina.completed).toBe(3);
    const others = Promise.allSettled([piscina.run(makeGate(), { name: "hold" }), piscina.run("z")]);
    await piscina.destroy();
    await others;
    expect(piscina.completed).toBe(5);
  });
});

describe("threads", () => {
  it("come up to maxThreads as tasks wait, and are there when run has returned", async () => {
    const piscina = make({ minThreads: 0, maxThreads: 2, idleTimeout: Infinity });
    expect(piscina.threads).toHaveLength(0);
    const gates = [makeGate(), makeGate()];
    const tasks = gates.map((gate) => piscina.run(gate, { name: "hold" }));
    expect(piscina.threads).toHaveLength(2);
    expect(piscina.idleThreads).toBe(0);
    await Promise.all(gates.map(isHeld));
    gates.forEach(openGate);
    const ids = await Promise.all(tasks);
    expect(new Set(ids)).toEqual(new Set(piscina.threads.map(({ threadId }) => threadId)));
    expect(piscina.idleThreads).toBe(2);
  });

  it("are replaced when one ends, and its task says why", async () => {
    const piscina = make();
    const [first] = piscina.threads;
    const { threadId } = first!;
    await expect(piscina.run(3, { name: "exit" })).rejects.toThrow("worker exited with code: 3");
    expect(piscina.threads).toHaveLength(1);
    expect(piscina.threads[0]!.threadId).not.toBe(threadId);
    await expect(piscina.run("again")).resolves.toMatchObject({ task: "again" });
  });

  it("that cannot start reject what waits, and are not started again and again", async () => {
    const piscina = make({ env: { NODE_OPTIONS: "--require=/nowhere.js" } });
    let destroyed = 0;
    piscina.on("workerDestroy", () => destroyed++);
    await expect(piscina.run("x")).rejects.toMatchObject({ code: "MODULE_NOT_FOUND" });
    await eventually("none is left", () => piscina.threads.length === 0);
    const before = destroyed;
    // Long enough for a few more, if there were any.
    await make().run(50, { name: "later" });
    expect(destroyed).toBe(before);
  });

  it("post messages, and errors that come after their task", async () => {
    const piscina = make();
    const message = once(piscina, "message");
    await piscina.run({ half: "done" }, { name: "post" });
    await expect(message).resolves.toEqual([{ half: "done" }]);
    const error = new Promise((resolve) => piscina.once("error", resolve));
    await piscina.run(null, { name: "stray" });
    await expect(error).resolves.toMatchObject({ message: "afterwards" });
  });

  it("are told of by events", async () => {
    const piscina = make({ minThreads: 0 });
    const created = once(piscina, "workerCreate");
    const id: unknown = await piscina.run(null, { name: "threadId" });
    await expect(created).resolves.toMatchObject([{ id }]);
    const destroyed = once(piscina, "workerDestroy");
    await piscina.destroy();
    await expect(destroyed).resolves.toMatchObject([{ id, destroyed: true }]);
  });
});

describe("the context of the maker", () => {
  it("is let go, and is not that of events", async () => {
    const requests = new AsyncLocalStorage<object>();
    const kept = requests.run({}, () => {
      make().on("message", () => seen.push(requests.getStore()));
      return new WeakRef(requests.getStore()!);
    });
    const seen: unknown[] = [];
    const collect = (globalThis as { gc?: () => void }).gc!;
    await eventually("the context is collected", async () => {
      // What `deref` has returned stays until the next turn.
      await new Promise((resolve) => setImmediate(resolve));
      collect();
      return kept.deref() === undefined;
    });
    requests.run({}, () => open[0]!.emit("message", 1));
    expect(seen).toEqual([undefined]);
  });
});

describe("the end", () => {
  it("close waits for all tasks, and refuses new ones meanwhile", async () => {
    const piscina = make();
    const tasks = Promise.all([1, 2, 3].map((n) => piscina.run(n)));
    const closed = piscina.close();
    await expect(piscina.run(4)).rejects.toMatchObject({ name: "AbortError" });
    await closed;
    await expect(tasks).resolves.toHaveLength(3);
    expect(piscina.threads).toHaveLength(0);
  });

  it("close with force rejects what waits, which never runs, and waits for what runs", async () => {
    const piscina = make();
    const gate = makeGate();
    const counter = makeGate();
    const running = piscina.run(gate, { name: "hold" });
    const waiting = piscina.run(counter, { name: "count" });
    const closed = piscina.close({ force: true });
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    openGate(gate);
    await closed;
    await expect(running).resolves.toBeTypeOf("number");
    expect(counter[0]).toBe(0);
  });

  it("close waits for jobs that a task has forked and not joined; destroy ends them", async () => {
    const piscina = make({ filename: esm });
    const counter = makeGate();
    await piscina.run(counter, { name: "forgetFive" });
    await piscina.close();
    expect(counter[0]).toBe(5);
    const gate = makeGate();
    await piscina.run(gate, { name: "forgetHold" });
    await isHeld(gate);
    const closed = piscina.close();
    await piscina.destroy();
    await closed;
  });

  it("close with nothing to wait for resolves", async () => {
    await expect(make({ minThreads: 0 }).close()).resolves.toBeUndefined();
    await expect(make().close()).resolves.toBeUndefined();
  });

  it("destroy rejects all tasks, and the pool works again afterwards", async () => {
    const piscina = make();
    const tasks = [piscina.run(makeGate(), { name: "hold" }), piscina.run("waits")];
    const outcomes = Promise.allSettled(tasks);
    await piscina.destroy();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: { message: "Terminating worker thread" },
      });
    await expect(piscina.run("again")).resolves.toMatchObject({ task: "again" });
  });

  it("run rejects while destroy ends the threads: who tries again starts none", async () => {
    const piscina = make();
    const again = piscina.run(makeGate(), { name: "hold" }).catch(() => piscina.run("again"));
    const destroyed = piscina.destroy();
    await expect(again).rejects.toMatchObject({ name: "AbortError", cause: "queue is being terminated" });
    await destroyed;
    expect(piscina.threads).toHaveLength(0);
  });

  it("run rejects until close has told that it is over", async () => {
    const piscina = make();
    const late = new Promise((resolve) =>
      piscina.once("close", () => resolve(piscina.run("late").catch((error: Error) => error.name))),
    );
    await piscina.close();
    await expect(late).resolves.toBe("AbortError");
    await expect(piscina.run("again")).resolves.toMatchObject({ task: "again" });
  });

  it("close out of time ends the threads, though nobody listens for its `error`; the pool works again afterwards", async () => {
    const piscina = make({ closeTimeout: 1 });
    const task = piscina.run(makeGate(), { name: "hold" });
    await Promise.all([
      expect(piscina.close()).rejects.toThrow("Close operation timed out"),
      expect(task).rejects.toThrow("Terminating worker thread"),
    ]);
    expect(piscina.threads).toHaveLength(0);
    await expect(piscina.run("again")).resolves.toMatchObject({ task: "again" });
  });

  it("a `close` listener that throws rejects close, and the pool works again all the same", async () => {
    const piscina = make();
    piscina.once("close", () => {
      throw new RangeError("of a listener");
    });
    await expect(piscina.close()).rejects.toThrow("of a listener");
    await expect(piscina.run("again")).resolves.toMatchObject({ task: "again" });
  });

  it("close may be called again while it waits", async () => {
    const piscina = make();
    const task = piscina.run(5, { name: "later" });
    const errors: unknown[] = [];
    piscina.on("error", (error) => errors.push(error));
    await Promise.all([piscina.close(), piscina.close()]);
    await expect(task).resolves.toBeTypeOf("number");
    expect(errors).toEqual([]);
  });

  it("destroy leaves nothing that close would wait for", async () => {
    const piscina = make({ taskQueue: new HighestFirst() });
    const tasks = [1, 2].map((level) => {
      const task = { level, [Piscina.queueOptionsSymbol]: { level } };
      return piscina.run(task).catch((error: unknown) => error);
    });
    await piscina.destroy();
    await expect(Promise.all(tasks)).resolves.toHaveLength(2);
    const errors: unknown[] = [];
    piscina.on("error", (error) => errors.push(error));
    await piscina.close();
    expect(errors).toEqual([]);
  });
});

describe("options", () => {
  it("a loadBalancer is a function, as Piscina says it", () => {
    expect(() => make({ loadBalancer: 5 as never })).toThrow("options.loadBalancer must be a function");
    expect(() => make({ loadBalancer: () => null })).toThrow("with at least two args");
  });

  it("are own properties only", async () => {
    const prototype = Object.prototype as { filename?: string; env?: object };
    prototype.filename = "/nowhere.js";
    prototype.env = { NODE_OPTIONS: "--no-such-flag" };
    try {
      await expect(make().run("x")).resolves.toMatchObject({ task: "x" });
      await expect(new Piscina({ minThreads: 0 }).run("x")).rejects.toThrow("filename must be provided");
    } finally {
      delete prototype.filename;
      delete prototype.env;
    }
  });

  it("that are undefined are as by default", async () => {
    const undefinedOnes = { concurrentTasksPerWorker: undefined, name: undefined, idleTimeout: undefined };
    const piscina = make(undefinedOnes as unknown as PiscinaOptions);
    expect(piscina.options).toMatchObject({ concurrentTasksPerWorker: 1, name: "default", idleTimeout: 0 });
    await expect(piscina.run("x")).resolves.toMatchObject({ task: "x" });
  });

  it("an empty filename is none", async () => {
    const piscina = make({ filename: "" });
    expect(piscina.options.filename).toBeNull();
    await expect(piscina.run("x")).rejects.toThrow("filename must be provided to run()");
  });

  it("maxThreads may be any number, as in Piscina", async () => {
    for (const maxThreads of [Infinity, 5000]) {
      const piscina = make({ maxThreads });
      expect(piscina.maxThreads).toBe(maxThreads);
      await expect(piscina.run("x")).resolves.toMatchObject({ task: "x" });
    }
  });

  it("recordTiming counts what tasks waited and ran", async () => {
    const piscina = make();
    await Promise.all([1, 2].map(() => piscina.run(5, { name: "later" })));
    expect(piscina.histogram.runTime.average).toBeGreaterThan(0);
    // The second waited for the first.
    expect(piscina.histogram.waitTime.max).toBeGreaterThanOrEqual(piscina.histogram.waitTime.min);
    expect(piscina.utilization).toBeGreaterThan(0);
    piscina.histogram.resetRunTime();
    expect(piscina.histogram.runTime.average).toBeNaN();
    expect(make({ recordTiming: false, minThreads: 0 }).histogram.runTime).toBeUndefined();
  });

  it("idleTimeout lets threads above minThreads go", async () => {
    const piscina = make({ maxThreads: 2, idleTimeout: 1 });
    const gates = [makeGate(), makeGate()];
    const tasks = gates.map((gate) => piscina.run(gate, { name: "hold" }));
    expect(piscina.threads).toHaveLength(2);
    gates.forEach(openGate);
    await Promise.all(tasks);
    await eventually("one thread has left", () => piscina.threads.length === 1);
  });
});

describe("a loadBalancer", () => {
  it("chooses the thread of each task, which has a histogram if it is wanted", async () => {
    const seen: PiscinaTask[] = [];
    const piscina = make({
      minThreads: 2,
      maxThreads: 2,
      workerHistogram: true,
      loadBalancer(task, workers) {
        seen.push(task);
        return workers.toSorted((a, b) => b.id - a.id)[0]!;
      },
    });
    const [, last] = piscina.threads.map(({ threadId }) => threadId).toSorted((a, b) => a - b);
    const destroyed: PiscinaWorker[] = [];
    piscina.on("workerDestroy", (worker: PiscinaWorker) => void destroyed.push(worker));
    const ids = await Promise.all([1, 2, 3].map(() => piscina.run(null, { name: "threadId" })));
    expect(ids).toEqual([last, last, last]);
    expect(seen[0]).toMatchObject({ filename: cjs, name: "threadId", isAbortable: false });
    await piscina.destroy();
    const worker = destroyed.find(({ id }) => id === last)!;
    expect(worker).toMatchObject({ currentUsage: 0, isRunningAbortableTask: false, destroyed: true });
    expect(worker.histogram).toMatchObject({ max: expect.any(Number) as number });
  });

  it("has a task wait by returning null, and is asked again when one has ended; maxQueue counts those", async () => {
    const gate = makeGate();
    const piscina = make({
      maxQueue: 1,
      loadBalancer: (_task, [worker]) => (worker?.currentUsage === 0 ? worker : null),
    });
    const held = piscina.run(gate, { name: "hold" });
    await isHeld(gate);
    const waiting = piscina.run("x");
    expect([piscina.queueSize, piscina.idleThreads]).toEqual([1, 0]);
    await expect(piscina.run("y")).rejects.toThrow("Task queue is at limit");
    openGate(gate);
    await Promise.all([held, expect(waiting).resolves.toMatchObject({ task: "x" })]);
    expect([piscina.queueSize, piscina.idleThreads]).toEqual([0, 1]);
  });

  it("knows the threads that start: tasks for which one does are in no queue, and it is not idle yet", async () => {
    const gates = [makeGate(), makeGate()];
    const piscina = make({ maxThreads: 2, workerHistogram: true });
    const tasks = gates.map((gate) => piscina.run(gate, { name: "hold" }));
    expect([piscina.threads.length, piscina.queueSize, piscina.idleThreads]).toEqual([2, 0, 0]);
    gates.forEach(openGate);
    await Promise.all(tasks);
  });

  it("is asked for what waits when a thread has come, though a listener of that throws", async () => {
    using errors = new UncaughtErrors();
    const piscina = make({ minThreads: 0, workerHistogram: true });
    piscina.on("workerCreate", () => {
      throw new RangeError("of a listener");
    });
    await expect(piscina.run("x")).resolves.toMatchObject({ task: "x" });
    expect(errors.seen).toMatchObject([{ message: "of a listener" }]);
  });

  it("that throws rejects the task", async () => {
    const piscina = make({
      loadBalancer(task) {
        throw new RangeError(`no thread for ${task.name}`);
      },
    });
    await expect(piscina.run("x")).rejects.toThrow("no thread for default");
  });

  it("sees a thread that ended with an aborted task as destroyed, and the one that follows", async () => {
    const gate = makeGate();
    const created: number[] = [];
    const piscina = make({ loadBalancer: (_task, workers) => workers[0] ?? null });
    piscina.on("workerCreate", ({ id }: PiscinaWorker) => void created.push(id));
    const controller = new AbortController();
    const aborted = piscina.run(gate, { name: "hold", signal: controller.signal });
    await isHeld(gate);
    const [before] = piscina.threads;
    controller.abort();
    await expect(aborted).rejects.toThrow("The task has been aborted");
    expect(piscina.threads).not.toContain(before);
    await expect(piscina.run(null, { name: "threadId" })).resolves.toBe(piscina.threads[0]!.threadId);
    expect(created).toHaveLength(2);
  });
});

describe("threads with nothing to do", () => {
  it("take tasks in the order of the list", async () => {
    const piscina = make({ minThreads: 2, maxThreads: 2 });
    const both = (): Promise<unknown[]> =>
      Promise.all([5, 5].map((ms) => piscina.run(ms, { name: "later" })));
    const first = await both();
    expect(first).toEqual(piscina.threads.map(({ threadId }) => threadId));
    expect(await both()).toEqual(first);
  });

  it("are off the list when their time is over, all of them with `minThreads: 0`", async () => {
    const piscina = make({ minThreads: 0, maxThreads: 2, idleTimeout: 10 });
    await Promise.all([1, 1].map((ms) => piscina.run(ms, { name: "later" })));
    await eventually("none is left", () => piscina.threads.length === 0);
    await expect(piscina.run("x")).resolves.toMatchObject({ task: "x" });
  });
});
