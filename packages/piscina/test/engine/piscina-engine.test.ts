/** What is particular to Piscina. What all engines do: test/engines. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { PoolClosedError, QueueFullError, ThreadCrashedError, type ThreadMessage } from "@skein/pool";
import { jobModule } from "@skein/pool/engine";
import { Piscina } from "piscina";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeGate, open, opened } from "../../../pool/test/gate.ts";
import type * as Jobs from "../../../../test/engines/engines.jobs.ts";
import { endPiscina } from "../../../../test/engines/end-piscina.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { PiscinaEngine } from "../../src/engine/index.ts";
import type * as More from "./more.jobs.ts";

const jobs = jobModule<typeof Jobs>(new URL("../../../../test/engines/engines.jobs.ts", import.meta.url));
const more = jobModule<typeof More>(new URL("./more.jobs.ts", import.meta.url));
const filename = new URL("./plain.task.mjs", import.meta.url).href;

type Options = NonNullable<ConstructorParameters<typeof Piscina>[0]>;
type LoadBalancer = NonNullable<Options["loadBalancer"]>;

const started: Piscina[] = [];

function start(options: Options): {
  piscina: Piscina;
  engine: PiscinaEngine;
} {
  const piscina = new Piscina({ maxThreads: 1, ...options });
  started.push(piscina);
  return { piscina, engine: new PiscinaEngine(piscina) };
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(endPiscina));
});

describe("PiscinaEngine, beside the program's own tasks", () => {
  it("shares the pool with them, whatever its `filename` and `name`, and leaves it open", async () => {
    const { piscina, engine } = start({ filename, name: "default" });
    const [task, job] = await Promise.all([piscina.run(1), engine.run(jobs.add, [1, 2])]);
    expect([task, job]).toEqual([2, 3]);
    await engine.close();
    expect(await piscina.run(5)).toBe(6);
    expect(await new PiscinaEngine(piscina).run(jobs.add, [2, 2])).toBe(4);
  });

  it("refuses what is no Piscina", () => {
    for (const pool of [undefined, null, {}, () => {}, { run: () => {} }])
      expect(() => new PiscinaEngine(pool as never)).toThrow(/piscina/);
  });
});

describe.each(["sync", "async", "disabled"] as const)("PiscinaEngine with atomics: '%s'", (atomics) => {
  it("reaches a job that runs: its flag and its signal; the thread stays", async () => {
    const { piscina, engine } = start({ atomics });
    const before = await engine.run(jobs.thread);
    for (const name of ["spinUntilStopped", "holdUntilSignalled"] as const) {
      const gate = makeGate(3);
      const controller = new AbortController();
      const task = engine.run(jobs[name], [gate], { signal: controller.signal });
      await opened(gate, 1);
      controller.abort();
      await expect(task).rejects.toBe(controller.signal.reason);
      await opened(gate, 2);
    }
    expect(await engine.run(jobs.thread)).toBe(before);
    expect(piscina.threads).toHaveLength(1);
  });

  it("fails a job of which it cannot read the progress, before and behind its end", async () => {
    const { engine } = start({ atomics, resourceLimits: { stackSizeMb: 32 } });
    const onProgress = (): void => expect.unreachable("it was read");
    for (const waits of [true, false])
      await expect(engine.run(more.reportDeep, [waits], { onProgress })).rejects.toMatchObject({
        name: "NotCloneableError",
        path: "progress",
      });
  });

  it("hears progress first, and moves results", async () => {
    const { engine } = start({ atomics });
    const seen: unknown[] = [];
    const onProgress = (value: unknown): void => void seen.push(value);
    seen.push(await engine.run(jobs.reportLater, [3], { onProgress }));
    expect(seen).toEqual([0, 1, 2, "reported"]);
    const port = await engine.run(more.openPort);
    expect(await once(port, "message")).toEqual(["from the thread"]);
    port.close();
    const bytes = new Uint8Array(200_000).fill(3);
    expect(await engine.run(jobs.moveBack, [bytes], { transfer: [bytes.buffer] })).toEqual(
      new Uint8Array(200_000).fill(3),
    );
  });
});

describe("PiscinaEngine, when the pool does not do it", () => {
  it.each([0, 1])(
    "rejects what its queue has no room for, with maxQueue %i; that never runs",
    async (maxQueue) => {
      const { piscina, engine } = start({ maxQueue });
      const gate = makeGate();
      const log = makeGate(8);
      const running = engine.run(jobs.hold, [gate]);
      await opened(gate, 1);
      const tasks = [1, 2, 3].map((mark) => engine.run(jobs.append, [log, mark]));
      const outcomes = Promise.allSettled(tasks);
      for (const task of tasks.slice(maxQueue))
        await expect(task).rejects.toMatchObject({ constructor: QueueFullError, value: maxQueue });
      open(gate);
      await running;
      await outcomes;
      // With 0 Piscina rejects a task, and runs it all the same.
      await eventually("the queue is empty", () => piscina.queueSize === 0 && piscina.idleThreads === 1);
      expect(await engine.run(jobs.add, [1, 1])).toBe(2);
      expect(log[0]).toBe(maxQueue);
    },
  );

  it("rejects what ran when it was destroyed", async () => {
    const { piscina, engine } = start({});
    const gate = makeGate();
    const running = engine.run(jobs.hold, [gate]);
    const outcome = Promise.allSettled([running]);
    await opened(gate, 1);
    await piscina.destroy();
    await outcome;
    expect(running.error).toBeInstanceOf(PoolClosedError);
  });

  it("rejects what comes while it closes", async () => {
    const { piscina, engine } = start({});
    const gate = makeGate();
    const running = engine.run(jobs.hold, [gate]);
    await opened(gate, 1);
    const closing = piscina.close();
    await expect(engine.run(jobs.add, [1, 2])).rejects.toBeInstanceOf(PoolClosedError);
    open(gate);
    expect(await running).toBe("released");
    await closing;
  });

  it("an error that nobody catches ends the thread, and is the cause", async () => {
    const { engine } = start({});
    const error: unknown = await engine.run(more.throwAside).then(null, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(ThreadCrashedError);
    expect(error).toMatchObject({ exitCode: 1, cause: { name: "RangeError", message: "aside" } });
    expect(await engine.run(jobs.add, [1, 1])).toBe(2);
  });
});

describe("PiscinaEngine, several jobs a thread", () => {
  it("a job that is terminated takes no other along", async () => {
    const { engine } = start({ maxThreads: 2, minThreads: 2, concurrentTasksPerWorker: 4 });
    const gates = Array.from({ length: 6 }, () => makeGate());
    const others = gates.map((gate) => engine.run(jobs.hold, [gate]));
    await Promise.all(gates.map((gate) => opened(gate, 1)));
    const doom = makeGate();
    const { signal, abort } = abortable();
    const doomed = engine.run(jobs.spin, [doom], { signal, onCancel: "terminate", graceMs: 0 });
    await engine.run(jobs.add, [1, 1]);
    // Both threads have jobs: it has not begun.
    expect(doom[1]).toBe(0);
    for (const gate of gates) open(gate);
    await Promise.all(others);
    await opened(doom, 1);
    const gate = makeGate();
    const neighbour = engine.run(jobs.hold, [gate]);
    await opened(gate, 1);
    abort();
    await expect(doomed).rejects.toBe(signal.reason);
    open(gate);
    expect(await neighbour).toBe("released");
  });
});

describe("PiscinaEngine, when a thread ends", () => {
  let exits: ThreadMessage[] = [];
  const listener = (message: unknown): void => void exits.push(message as ThreadMessage);
  beforeEach(() => {
    exits = [];
    subscribe("skein:thread:exit", listener);
  });
  afterEach(() => void unsubscribe("skein:thread:exit", listener));

  /** Two threads, four tasks each: every task goes to the thread that `on` names. */
  function startTwo(): ReturnType<typeof start> & { readonly on: (thread: number) => void } {
    let chosen = 0;
    const loadBalancer: LoadBalancer = (_task, workers) => workers[chosen] ?? null;
    const options = { minThreads: 2, maxThreads: 2, concurrentTasksPerWorker: 4, loadBalancer, filename };
    return { ...start(options), on: (thread) => void (chosen = thread) };
  }

  it("each of its jobs rejects once, and is named; those on the other thread, whosever they are, go on", async () => {
    const { piscina, engine, on } = startTwo();
    const other = new PiscinaEngine(piscina);
    const threadId = await engine.run(jobs.thread);
    const gates = Array.from({ length: 7 }, () => makeGate());
    const settled = vi.fn<() => void>();
    const lost = [
      engine.run(jobs.hold, [gates[0]!]),
      engine.run(jobs.hold, [gates[1]!]),
      other.run(jobs.hold, [gates[2]!]),
    ];
    for (const task of lost) void task.then(settled, settled);
    const twice = engine.run(jobs.hold, [gates[3]!], { retries: 1 });
    on(1);
    const kept = [
      engine.run(jobs.hold, [gates[4]!]),
      other.run(jobs.hold, [gates[5]!]),
      piscina.run(gates[6]!, { name: "hold" }),
    ];
    await Promise.all(gates.map((gate) => opened(gate, 1)));
    await piscina.threads.find((worker) => worker.threadId === threadId)!.terminate();
    for (const task of lost)
      await expect(task).rejects.toMatchObject({ constructor: ThreadCrashedError, exitCode: 1 });
    await eventually("the end is told", () => exits.length > 0);
    for (const gate of gates) open(gate);
    expect(await Promise.all([twice, ...kept])).toEqual([
      "released",
      "released",
      "released",
      "the program's own",
    ]);
    expect(settled).toHaveBeenCalledTimes(3);
    const url = new URL("../../../../test/engines/engines.jobs.ts", import.meta.url).href;
    const lostJobs = lost.map(() => ({ url, name: "hold" }));
    expect(exits).toMatchObject([{ pool: "piscina", threadId, exitCode: 1, lostJobs }]);
    for (const [i, { task }] of exits[0]!.lostJobs!.entries()) expect(task).toBe(lost[i]);
  });

  it("by an error that nobody catches: that is the cause, also of a job that had not begun", async () => {
    const { engine } = startTwo();
    const gate = makeGate();
    const blocked = engine.run(more.throwBehind, [gate]);
    await opened(gate, 1);
    const waiting = engine.run(jobs.add, [1, 1]);
    open(gate);
    const cause = expect.objectContaining({ name: "RangeError", message: "behind" });
    for (const task of [blocked, waiting])
      await expect(task).rejects.toMatchObject({ constructor: ThreadCrashedError, exitCode: 1, cause });
    await eventually("the end is told", () => exits.length > 0);
    expect(exits).toMatchObject([{ cause, lostJobs: [{ name: "throwBehind" }, { name: "add" }] }]);
  });

  it("with a task that was aborted beside it: the Piscina is open", async () => {
    const { piscina, engine } = startTwo();
    const gates = [makeGate(), makeGate()] as const;
    const { signal, abort } = abortable();
    const aborted = piscina.run(gates[0], { name: "hold", signal });
    const neighbour = engine.run(jobs.hold, [gates[1]]);
    await Promise.all(gates.map((gate) => opened(gate, 1)));
    abort();
    await expect(aborted).rejects.toThrow("aborted");
    await expect(neighbour).rejects.toMatchObject({
      constructor: ThreadCrashedError,
      wasTerminated: true,
    });
    expect(await engine.run(jobs.add, [1, 1])).toBe(2);
    await eventually("the end is told", () => exits.length > 0);
    expect(exits).toHaveLength(1);
    expect(exits[0]!.lostJobs!.map(({ task }) => task === neighbour)).toEqual([true]);
  });
});

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
