/**
 * The crash matrix of processes: each way in which one ends, with jobs behind it on a pool of one. The job that it ran rejects, once; those
 * behind it run, once.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, describe, expect, it } from "vitest";
import { Gates, load, opened, store } from "../../../../test/engines/gates.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { runNode } from "../../../../test/support/child.ts";
import { ThreadCrashedError, type ThreadMessage } from "../../src/index.ts";
import { ProcessPool, type ProcessPoolOptions } from "../../src/process.ts";
import type * as Jobs from "../fixtures/process.jobs.ts";

const url = new URL("../fixtures/process.jobs.ts", import.meta.url);
const QUEUED = 30;
const gates = new Gates(false);

const pools: ProcessPool[] = [];
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close({ drain: false, timeoutMs: 1000 })));
  gates.remove();
});

function start(options: ProcessPoolOptions = {}) {
  const pool = new ProcessPool({ initialize: new URL("../fixtures/silent.ts", import.meta.url), ...options });
  pools.push(pool);
  return { pool, jobs: pool.module<typeof Jobs>(url) };
}
type PoolJobs = ReturnType<typeof start>["jobs"];

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

const scribbled = {
  signal: "SIGKILL",
  cause: expect.objectContaining({ message: expect.stringContaining("which are pipes of the pool") }),
};
const ways: readonly [string, (jobs: PoolJobs, pool: ProcessPool) => PromiseLike<unknown>, object][] = [
  ["SIGSEGV", (jobs) => jobs.die("SIGSEGV"), { signal: "SIGSEGV", exitCode: undefined }],
  ["SIGKILL, as the OOM killer's", (jobs) => jobs.die("SIGKILL"), { signal: "SIGKILL", exitCode: undefined }],
  ["abort", (jobs) => jobs.abort(), { signal: "SIGABRT" }],
  [
    "process.exit",
    (jobs) => jobs.exit(7),
    { exitCode: 7, message: expect.stringContaining("process.exit(7)") },
  ],
  ["bytes of somebody else in its first pipe", (jobs) => jobs.scribble(3), scribbled],
  ["bytes of somebody else in its second pipe", (jobs) => jobs.scribble(4), scribbled],
  [
    "an error in a timer",
    (jobs) => jobs.throwLater(),
    { exitCode: 1, cause: expect.objectContaining({ message: "in a timer", detail: { left: 1 } }) },
  ],
  [
    "an error that reports progress while it is copied",
    (jobs, pool) => pool.run(jobs.throwReporting, [], { onProgress: () => {} }),
    { exitCode: 1, cause: expect.objectContaining({ message: "it reports", detail: "reported" }) },
  ],
  [
    "out of heap",
    (jobs) => jobs.eatMemory(),
    { signal: "SIGABRT", message: expect.stringContaining("resourceLimits") },
  ],
];

describe.runIf(process.platform !== "win32")("a job that ends its process", () => {
  // The process that one has ended is replaced by the one that the next ends.
  const { pool, jobs } = start({ maxThreads: 1, resourceLimits: { maxOldGenerationSizeMb: 24 } });

  it.each(ways)("%s: it rejects, and the jobs behind it run, each once", async (_, run, expected) => {
    const pid = await jobs.pid();
    // From here on several jobs are sent at once.
    await Promise.all([jobs.add(1, 1), jobs.add(1, 2)]);
    const before = pool.stats();
    const settlements = countSettlements();
    const crashing = errorOf(run(jobs, pool));
    const others = Array.from({ length: QUEUED }, (__, i) => jobs.add(i, 1));
    const error = await crashing;
    expect(error).toBeInstanceOf(ThreadCrashedError);
    expect(error).toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED", pid, ...expected });
    expect(await Promise.all(others)).toEqual(others.map((__, i) => i + 1));
    expect(settlements()).toEqual(Array.from({ length: QUEUED + 1 }, () => 1));
    expect(isGone(pid)).toBe(true);
    expect(pool.stats()).toMatchObject({
      crashed: before.crashed + 1,
      completed: before.completed + QUEUED,
      threads: { total: 1 },
    });
  });

  it("runs again elsewhere, if it may", async () => {
    const gate = gates.make();
    expect(await pool.run(jobs.dieOnce, [gate], { retries: 1 })).toBe("the 2. time");
    expect(load(gate, 0)).toBe(2);
  });
});

/** Which of its processes have ended. */
function exitsOf({ id }: ProcessPool): ThreadMessage[] {
  const exits: ThreadMessage[] = [];
  subscribe("skein:thread:exit", (message) => {
    if ((message as ThreadMessage).poolId === id) exits.push(message as ThreadMessage);
  });
  return exits;
}

describe.concurrent("a process that ends", () => {
  it("without a job is replaced in silence, and announced; while another starts, the jobs that wait run all the same", async () => {
    const { pool, jobs } = start({ name: "announced", maxThreads: 2 });
    const exits = exitsOf(pool);
    const pids = (): number[] => pool.stats().perThread.map(({ threadId }) => threadId);
    const pid = await jobs.pid();
    process.kill(pid, "SIGKILL");
    await eventually("it is gone", () => pids().length === 0);
    const gate = gates.make();
    const held = errorOf(jobs.hold(gate));
    await opened(gate, 1);
    expect(load(gate, 1)).not.toBe(pid);
    expect(exits).toEqual([expect.objectContaining({ pool: "announced", threadId: pid, lostJobs: [] })]);
    const waiting = jobs.add(1, 1);
    await eventually("a second one starts", () => pids().length === 2);
    process.kill(pids()[1]!, "SIGKILL");
    await eventually("it is gone", () => pids().length === 1);
    process.kill(pids()[0]!, "SIGKILL");
    expect(await held).toBeInstanceOf(ThreadCrashedError);
    expect(await waiting).toBe(2);
  });

  it("before it is ready: its jobs reject, and nothing starts for ever", async () => {
    const initialize = new URL("../fixtures/exits-on-load.ts", import.meta.url);
    const { pool, jobs } = start({ maxThreads: 1, initialize });
    const exits = exitsOf(pool);
    const errors = await Promise.all([jobs.add(1, 1), jobs.add(1, 2)].map((task) => errorOf(task)));
    for (const error of errors)
      expect(error).toMatchObject({
        code: "ERR_SKEIN_THREAD_CRASHED",
        exitCode: 6,
        message: expect.stringContaining("exits-on-load"),
      });
    pool.start();
    expect(await errorOf(pool.ready())).toBeInstanceOf(ThreadCrashedError);
    expect(exits.length).toBe(4);
  });

  it.runIf(process.platform !== "win32")(
    "does not hold up `close` when it is stopped, with a job or without",
    async () => {
      const { pool, jobs } = start({ maxThreads: 2 });
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
    },
  );

  it.runIf(process.platform !== "win32")(
    "by itself, when its program is killed, even while it computes",
    async () => {
      const gate = gates.make();
      const idle = gates.make();
      await runNode({
        args: [new URL("../fixtures/is-killed.ts", import.meta.url).pathname, gate as string, idle as string],
        env: { NODE_NO_WARNINGS: "1" },
      });
      const pids = [load(gate, 1), load(idle, 1)];
      expect(pids.every((pid) => pid > 0)).toBe(true);
      await eventually("they are gone", () => pids.every((pid) => isGone(pid)));
    },
  );
});
