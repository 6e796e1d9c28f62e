/**
 * The crash matrix of processes: each way in which one ends, with jobs behind it on a pool of one. The job that it ran rejects, once; those
 * behind it run, once.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Gates, load, opened, store } from "../../../../test/engines/gates.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { runNode } from "../../../../test/support/child.ts";
import { ThreadCrashedError, type ThreadMessage } from "../../src/index.ts";
import { ProcessPool, type ProcessPoolOptions } from "../../src/process.ts";
import type * as Jobs from "../fixtures/process.jobs.ts";

const url = new URL("../fixtures/process.jobs.ts", import.meta.url);
const QUEUED = 30;
const gates = new Gates(false);
afterAll(() => gates.remove());

let pool: ProcessPool;
afterEach(() => pool.close({ drain: false, timeoutMs: 1000 }));

function start(options: ProcessPoolOptions = {}) {
  pool = new ProcessPool({ maxThreads: 1, ...options });
  return pool.module<typeof Jobs>(url);
}

const errorOf = (task: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(task).then(
    () => expect.unreachable("it resolved"),
    (reason: unknown) => reason,
  );

/** Neither there, nor waiting for its parent. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

/** How often each job settled, which a promise would not say. */
function countSettlements(): () => number[] {
  const counts = new Map<object, number>();
  const listener = (message: unknown): void => {
    const { task } = message as { task: object };
    counts.set(task, (counts.get(task) ?? 0) + 1);
  };
  const names = ["skein:job:end", "skein:job:error", "skein:job:cancel"];
  for (const name of names) subscribe(name, listener);
  return () => {
    for (const name of names) unsubscribe(name, listener);
    return [...counts.values()];
  };
}

function countExits(): () => number {
  let exits = 0;
  const listener = (): void => void exits++;
  subscribe("skein:thread:exit", listener);
  return () => {
    unsubscribe("skein:thread:exit", listener);
    return exits;
  };
}

const ways: readonly [string, (jobs: ReturnType<typeof start>) => PromiseLike<unknown>, object, object?][] = [
  ["SIGSEGV", (jobs) => jobs.die("SIGSEGV"), { signal: "SIGSEGV", exitCode: undefined }],
  ["SIGKILL, as the OOM killer's", (jobs) => jobs.die("SIGKILL"), { signal: "SIGKILL", exitCode: undefined }],
  ["abort", (jobs) => jobs.abort(), { signal: "SIGABRT" }],
  [
    "process.exit",
    (jobs) => jobs.exit(7),
    { exitCode: 7, message: expect.stringContaining("process.exit(7)") },
  ],
  [
    "an error in a timer",
    (jobs) => jobs.throwLater(),
    { exitCode: 1, cause: expect.objectContaining({ message: "in a timer", detail: { left: 1 } }) },
  ],
  [
    "out of heap",
    (jobs) => jobs.eatMemory(),
    { signal: "SIGABRT", message: expect.stringContaining("resourceLimits") },
    { resourceLimits: { maxOldGenerationSizeMb: 24 } },
  ],
];

describe.runIf(process.platform !== "win32")("a job that ends its process", () => {
  it.each(ways)(
    "%s: it rejects, and the jobs behind it run, each once",
    async (_, run, expected, options) => {
      const jobs = start(options);
      const pid = await jobs.pid();
      // From here on several jobs are sent at once.
      await Promise.all([jobs.add(1, 1), jobs.add(1, 2)]);
      const settlements = countSettlements();
      const crashing = errorOf(run(jobs));
      const others = Array.from({ length: QUEUED }, (__, i) => jobs.add(i, 1));
      const error = await crashing;
      expect(error).toBeInstanceOf(ThreadCrashedError);
      expect(error).toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED", pid, ...expected });
      expect(await Promise.all(others)).toEqual(others.map((__, i) => i + 1));
      expect(settlements()).toEqual(Array.from({ length: QUEUED + 1 }, () => 1));
      expect(isGone(pid)).toBe(true);
      expect(pool.stats()).toMatchObject({ crashed: 1, completed: QUEUED + 3, threads: { total: 1 } });
    },
  );
});

describe("a process that ends", () => {
  it("runs its job again elsewhere, if that may be", async () => {
    const jobs = start();
    const gate = gates.make();
    expect(await pool.run(jobs.dieOnce, [gate], { retries: 1 })).toBe("the 2. time");
    expect(load(gate, 0)).toBe(2);
  });

  it("without a job is replaced in silence, and announced", async () => {
    const exits: ThreadMessage[] = [];
    const listener = (message: unknown): void => void exits.push(message as ThreadMessage);
    subscribe("skein:thread:exit", listener);
    const jobs = start({ name: "announced" });
    const pid = await jobs.pid();
    process.kill(pid, "SIGKILL");
    await eventually("it is gone", () => pool.stats().threads.total === 0);
    expect(await jobs.pid()).not.toBe(pid);
    unsubscribe("skein:thread:exit", listener);
    expect(exits).toEqual([
      expect.objectContaining({ pool: "announced", poolId: pool.id, threadId: pid, lostJobs: [] }),
    ]);
  });

  it("while it starts, and then the only other one: the jobs that wait run all the same", async () => {
    const jobs = start({ maxThreads: 2 });
    const pids = (): number[] => pool.stats().perThread.map(({ threadId }) => threadId);
    const gate = gates.make();
    const held = errorOf(jobs.hold(gate));
    await opened(gate, 1);
    const waiting = jobs.add(1, 1);
    await eventually("a second one starts", () => pids().length === 2);
    process.kill(pids()[1]!, "SIGKILL");
    await eventually("it is gone", () => pids().length === 1);
    process.kill(pids()[0]!, "SIGKILL");
    expect(await held).toBeInstanceOf(ThreadCrashedError);
    expect(await waiting).toBe(2);
  });

  it("before it is ready: its jobs reject, and nothing starts for ever", async () => {
    const jobs = start({ initialize: new URL("../fixtures/exits-on-load.ts", import.meta.url) });
    const exits = countExits();
    const errors = await Promise.all([jobs.add(1, 1), jobs.add(1, 2)].map((task) => errorOf(task)));
    for (const error of errors)
      expect(error).toMatchObject({
        code: "ERR_SKEIN_THREAD_CRASHED",
        exitCode: 6,
        message: expect.stringContaining("exits-on-load"),
      });
    pool.start();
    expect(await errorOf(pool.ready())).toBeInstanceOf(ThreadCrashedError);
    expect(exits()).toBe(4);
  });
});

describe.runIf(process.platform !== "win32")("a process that is stopped", () => {
  it("does not hold up `close`, with a job or without", async () => {
    const jobs = start({ maxThreads: 2 });
    const held = [gates.make(), gates.make()];
    const tasks = held.map((gate) => jobs.hold(gate));
    for (const gate of held) await opened(gate, 1);
    const pids = held.map((gate) => load(gate, 1));
    store(held[0]!, 0, 1);
    await tasks[0];
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    const failure = errorOf(tasks[1]!);
    await pool.close({ timeoutMs: 50 });
    expect(await failure).toMatchObject({ code: "ERR_SKEIN_POOL_CLOSED" });
    expect(pids.map((pid) => isGone(pid))).toEqual([true, true]);
  });
});

describe.runIf(process.platform !== "win32")("a program that is killed", () => {
  it("leaves no process behind, not even one that computes", async () => {
    const gate = gates.make();
    const idle = gates.make();
    pool = new ProcessPool();
    await runNode({
      args: [new URL("../fixtures/is-killed.ts", import.meta.url).pathname, gate as string, idle as string],
      env: { NODE_NO_WARNINGS: "1" },
    });
    const pids = [load(gate, 1), load(idle, 1)];
    expect(pids.every((pid) => pid > 0)).toBe(true);
    await eventually("they are gone", () => pids.every((pid) => isGone(pid)));
  });
});
