/** Jobs that one thread alone may run: `affinity` and `thread`. */
import { subscribe } from "node:diagnostics_channel";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { PoolClosedError, ThreadCrashedError, ThreadGoneError, ThreadPool } from "../../src/index.ts";
import type { RunOptions, ThreadPoolOptions } from "../../src/index.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";
import type * as Placement from "../fixtures/placement.jobs.ts";
import { allStarted, makeGate, open, opened } from "../gate.ts";
import { writtenFiles } from "../jobs/written-files.ts";
import { seededRandom } from "../shared/seeded-random.ts";

const url = new URL("../fixtures/placement.jobs.ts", import.meta.url);
const count = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));

let pool: ThreadPool;
afterEach(() => pool.close({ drain: false }));

function make(options: ThreadPoolOptions = {}, defaults?: RunOptions) {
  pool = new ThreadPool({ minThreads: 2, maxThreads: 2, ...options });
  return pool.module<typeof Placement>(url, defaults);
}

const errorOf = (task: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(task).then(
    (value) => expect.unreachable(`it resolved with ${String(value)}`),
    (reason: unknown) => reason,
  );

describe("affinity", { timeout: timeLimit(60_000) }, () => {
  it("equal keys run on one thread, and keys spread over the threads that may start", async () => {
    const jobs = make({ minThreads: 3, maxThreads: 3 });
    const ran = await Promise.all(count(60, (i) => pool.run(jobs.where, [], { affinity: `key ${i % 6}` })));
    const byKey = count(6, (key) => new Set(ran.filter((_, i) => i % 6 === key)));
    expect(byKey.map((threads) => threads.size)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(new Set(ran).size).toBe(3);
    for (let i = 0; i < 6; i++)
      expect(byKey[i]!.has(await pool.run(jobs.where, [], { affinity: `key ${i}` }))).toBe(true);
  });

  it("in the order of the calls, a number and its text being equal; high priority first", async () => {
    const jobs = make();
    const [gate, log] = [makeGate(), makeGate(16)];
    const held = pool.run(jobs.blocks, [gate], { affinity: 7 });
    await opened(gate);
    const tasks = [0, 1, 2, 3].map((what) =>
      pool.run(jobs.mark, [log, what], {
        affinity: what % 2 === 0 ? 7 : "7",
        priority: what === 3 ? "high" : "normal",
      }),
    );
    open(gate, 1);
    const threads = await Promise.all([held, ...tasks]);
    expect(new Set(threads).size).toBe(1);
    expect(Array.from(log.subarray(0, 5))).toEqual([4, 3, 0, 1, 2]);
  });

  it("high priority first, however many wait", async () => {
    const jobs = make();
    const LOW = 1000;
    const [gate, log] = [makeGate(), makeGate(LOW + 4)];
    const held = pool.run(jobs.blocks, [gate], { affinity: "k" });
    await opened(gate);
    const low = count(LOW, () => pool.run(jobs.mark, [log, 1], { affinity: "k", priority: "low" }));
    const normal = pool.run(jobs.mark, [log, 2], { affinity: "k" });
    const high = pool.run(jobs.mark, [log, 3], { affinity: "k", priority: "high" });
    open(gate, 1);
    await Promise.all([held, high, normal, ...low]);
    // Now and then a thread looks for lower ones first.
    expect(Array.from(log.subarray(1, 4))).toEqual(expect.arrayContaining([2, 3]));
  });

  it("of a module, and of a call instead; a thread that is named instead of a key", async () => {
    const jobs = make({}, { affinity: "default" });
    const home = await jobs.where();
    expect(await Promise.all(count(8, () => jobs.where()))).toEqual(count(8, () => home));
    await allStarted(pool, 2);
    const other = pool.threads.find(({ threadId }) => threadId !== home)!.threadId;
    expect(await pool.run(jobs.where, [], { thread: other })).toBe(other);
  });

  it("a key moves on when its thread dies, with the jobs that wait, in their order", async () => {
    const jobs = make();
    const [gate, log] = [makeGate(), makeGate(16)];
    const dying = pool.run(jobs.dies, [gate], { affinity: "k" });
    await opened(gate);
    const waiting = count(5, (i) => pool.run(jobs.mark, [log, i], { affinity: "k" }));
    const before = pool.threads.map(({ threadId }) => threadId);
    open(gate, 1);
    expect(await errorOf(dying)).toBeInstanceOf(ThreadCrashedError);
    const threads = await Promise.all(waiting);
    expect(new Set(threads).size).toBe(1);
    expect(Array.from(log.subarray(0, 6))).toEqual([5, 0, 1, 2, 3, 4]);
    expect(await pool.run(jobs.where, [], { affinity: "k" })).toBe(threads[0]);
    expect(pool.stats().crashed).toBe(1);
    expect(before).toHaveLength(1);
  });

  it("and on a pool of one thread, to the next one", async () => {
    const jobs = make({ minThreads: 1, maxThreads: 1 });
    const gate = makeGate();
    const dying = pool.run(jobs.dies, [gate], { affinity: "k" });
    await opened(gate);
    const waiting = count(3, () => pool.run(jobs.where, [], { affinity: "k" }));
    open(gate, 1);
    await errorOf(dying);
    expect(new Set(await Promise.all(waiting)).size).toBe(1);
  });

  it("or to the successor of a thread that dies while that starts", async () => {
    const starts = makeGate();
    const folder = writtenFiles({
      "init.mjs": `import { workerData } from "node:worker_threads";
        if (Atomics.add(workerData, 1, 1) === 1) Atomics.wait(workerData, 0, 0);`,
    });
    const initialize = join(folder, "init.mjs");
    const jobs = make({ minThreads: 1, maxThreads: 1, maxThreadAgeMs: 1, initialize, workerData: starts });
    await eventually("the successor starts", async () => {
      await jobs.where();
      return Atomics.load(starts, 1) === 2;
    });
    const gate = makeGate();
    const controller = new AbortController();
    const dying = pool.run(jobs.dies, [gate], { affinity: "k", signal: controller.signal });
    await opened(gate);
    const waiting = pool.run(jobs.where, [], { affinity: "k" });
    // So that the one that waits is the only one when the thread dies.
    controller.abort();
    expect(await errorOf(dying)).toMatchObject({ name: "AbortError" });
    const exited = new Promise((resolve) => subscribe("skein:thread:exit", resolve));
    open(gate, 1);
    await exited;
    open(starts);
    expect(await waiting).toBeGreaterThan(0);
  });

  it("a job that may run again does so at the new home", async () => {
    const jobs = make();
    const left = makeGate(1);
    left[0] = 2;
    const options = { affinity: "k", retries: 2 };
    const thread = await pool.run(jobs.diesSometimes, [left], options);
    expect(await pool.run(jobs.where, [], options)).toBe(thread);
  });

  it("a key moves on when its thread is recycled; no thread runs more jobs than it may", async () => {
    const jobs = make({ minThreads: 1, maxThreads: 1, maxJobsPerThread: 4 });
    const ran = await Promise.all(count(10, () => pool.run(jobs.where, [], { affinity: "k" })));
    const runs = ran.filter((thread, i) => thread !== ran[i - 1]);
    expect(runs.length).toBe(new Set(ran).size);
    for (const thread of runs) expect(ran.filter((each) => each === thread).length).toBeLessThanOrEqual(4);
  });

  it("many jobs of one key hold up no others, and all run", async () => {
    const jobs = make();
    const gate = makeGate();
    const held = pool.run(jobs.blocks, [gate], { affinity: "k" });
    await opened(gate);
    const behind = count(6000, () => pool.run(jobs.where, [], { affinity: "k" }));
    const other = await jobs.where();
    expect(pool.stats().queued).toMatchObject({ placed: 6000, normal: 0 });
    expect(await pool.ready({ below: 6001 })).toBeUndefined();
    open(gate, 1);
    const home = await held;
    expect(other).not.toBe(home);
    expect(new Set(await Promise.all(behind))).toEqual(new Set([home]));
    expect(pool.stats().queued.placed).toBe(0);
  });

  it("an exclusive job waits until its thread has no other", async () => {
    const jobs = make({ jobsPerThread: 2 });
    const [gate, log] = [makeGate(), makeGate(4)];
    const holding = pool.run(jobs.holds, [gate], { affinity: "k" });
    await opened(gate);
    const alone = pool.run(jobs.mark, [log, 1], { affinity: "k", exclusive: true });
    // Meanwhile the thread lets what it has come to its end.
    expect(await Promise.race([alone, new Promise((resolve) => setTimeout(resolve, 20, "waits"))])).toBe(
      "waits",
    );
    open(gate, 1);
    expect(await alone).toBe(await holding);
  });
});

describe("thread", { timeout: timeLimit(60_000) }, () => {
  it("runs there, also what is moved, before others that wait; broadcast still reaches all", async () => {
    const jobs = make();
    await allStarted(pool, 2);
    for (const { threadId } of pool.threads) {
      expect(await pool.run(jobs.where, [], { thread: threadId })).toBe(threadId);
      const bytes = new Uint8Array(100_000);
      const moved = pool.run(jobs.lengthOf, [bytes], { thread: threadId, transfer: [bytes.buffer] });
      expect([bytes.length, await moved]).toEqual([0, [threadId, 100_000]]);
    }
    const onAll = pool.module<typeof Placement>(url, { thread: pool.threads[0]!.threadId });
    const all = pool.threads.map(({ threadId }) => threadId);
    expect(new Set(await pool.broadcast(onAll.where))).toEqual(new Set(all));
  });

  it("ThreadGoneError when there is none of that id; nothing is moved then", async () => {
    const jobs = make();
    const bytes = new Uint8Array(100_000);
    const failure = await errorOf(
      pool.run(jobs.lengthOf, [bytes], { thread: 987_654, transfer: [bytes.buffer] }),
    );
    expect(failure).toBeInstanceOf(ThreadGoneError);
    expect(failure).toMatchObject({
      code: "ERR_SKEIN_THREAD_GONE",
      threadId: 987_654,
      job: expect.anything(),
    });
    expect(bytes.length).toBe(100_000);
  });

  it("and when the thread dies before the job has begun; ThreadCrashedError when it had, whatever `retries` says", async () => {
    const jobs = make();
    const gate = makeGate();
    const dying = pool.run(jobs.dies, [gate], { affinity: "k", retries: 0 });
    await opened(gate);
    const { threadId } = pool.threads[0]!;
    const waiting = pool.run(jobs.where, [], { thread: threadId, retries: 3 });
    const bytes = new Uint8Array(100_000);
    const moved = pool.run(jobs.lengthOf, [bytes], { thread: threadId, transfer: [bytes.buffer] });
    open(gate, 1);
    expect(await errorOf(dying)).toBeInstanceOf(ThreadCrashedError);
    expect(await errorOf(waiting)).toBeInstanceOf(ThreadGoneError);
    expect(await errorOf(moved)).toBeInstanceOf(ThreadGoneError);
    expect(await errorOf(pool.run(jobs.where, [], { thread: threadId }))).toBeInstanceOf(ThreadGoneError);
    const home = await jobs.where();
    const left = makeGate(1);
    left[0] = 1;
    const begun = pool.run(jobs.diesSometimes, [left], { thread: home, retries: 3 });
    expect(await errorOf(begun)).toBeInstanceOf(ThreadCrashedError);
  });

  it("a thread that starts, also as the successor of one that goes on", async () => {
    const starts = makeGate();
    const folder = writtenFiles({
      "init.mjs": `import { workerData } from "node:worker_threads";
        if (Atomics.add(workerData, 1, 1) === 1) Atomics.wait(workerData, 0, 0);`,
    });
    const initialize = join(folder, "init.mjs");
    const jobs = make({ minThreads: 1, maxThreads: 1, maxThreadAgeMs: 1, initialize, workerData: starts });
    await eventually("the successor starts", async () => {
      await jobs.where();
      return Atomics.load(starts, 1) === 2;
    });
    const threads = pool.threads.map(({ threadId }) => threadId);
    expect(threads).toHaveLength(2);
    const waiting = pool.run(jobs.where, [], { thread: Math.max(...threads) });
    open(starts);
    expect(await waiting).toBe(Math.max(...threads));
  });

  it("not a thread on which a module has failed to load for good: it is replaced", async () => {
    const folder = writtenFiles({ "bad.jobs.mjs": `throw new Error("down");` });
    const jobs = make({ minThreads: 1, maxThreads: 1 });
    const thread = await jobs.where();
    const gate = makeGate();
    const held = pool.run(jobs.blocks, [gate], { thread });
    await opened(gate);
    const bad = pool.module<{ run(): void }>(join(folder, "bad.jobs.mjs"), { thread });
    const failed = errorOf(bad.run());
    const waiting = errorOf(pool.run(jobs.where, [], { thread }));
    open(gate, 1);
    expect(await held).toBe(thread);
    expect(await failed).toMatchObject({ message: "down" });
    expect(await waiting).toBeInstanceOf(ThreadGoneError);
    expect(await jobs.where()).not.toBe(thread);
  });

  it("a thread with such a job is not stopped when there are too many, and not recycled; afterwards it is", async () => {
    const jobs = make({ minThreads: 1, maxThreads: 2, maxJobsPerThread: 1, jobsPerThread: 2 });
    pool.start(2);
    await pool.ready();
    const gates = pool.threads.map(() => makeGate());
    const holding = pool.threads.map(({ threadId }, i) =>
      pool.run(jobs.holds, [gates[i]!], { thread: threadId }),
    );
    for (const gate of gates) await opened(gate);
    const before = pool.threads.map(({ threadId }) => threadId);
    pool.setMaxThreads(1);
    for (const threadId of before)
      expect(await pool.run(jobs.where, [], { thread: threadId })).toBe(threadId);
    expect(pool.stats().recycled).toBe(0);
    for (const gate of gates) open(gate, 1);
    expect(await Promise.all(holding)).toEqual(before);
    await eventually("one thread is left", () => pool.threads.length === 1);
  });
});

describe("placed jobs", { timeout: timeLimit(60_000) }, () => {
  async function behindOne() {
    const jobs = make({ minThreads: 1, maxThreads: 1 });
    const [gate, log] = [makeGate(), makeGate(8)];
    const held = pool.run(jobs.blocks, [gate], { affinity: "k" });
    await opened(gate);
    const submit = (options: RunOptions = {}) => pool.run(jobs.mark, [log, 1], { affinity: "k", ...options });
    return { held, log, submit, release: () => open(gate, 1) };
  }

  it("that are cancelled, or out of time, while they wait never run", async () => {
    const { held, log, submit, release } = await behindOne();
    const controller = new AbortController();
    const tasks = [submit({ signal: controller.signal }), submit({ timeoutMs: 5 })];
    const more = count(200, () => submit({ signal: controller.signal }));
    controller.abort(new Error("no more"));
    expect(await errorOf(tasks[0]!)).toBe(controller.signal.reason);
    await Promise.allSettled(more);
    expect(await errorOf(tasks[1]!)).toMatchObject({ code: "ERR_SKEIN_JOB_TIMEOUT" });
    release();
    await held;
    await submit();
    expect(Array.from(log.subarray(0, 2))).toEqual([1, 1]);
  });

  it("that wait reject when the pool closes without them, and run when it waits for them", async () => {
    const first = await behindOne();
    const dropped = count(100, () => first.submit());
    for (const task of dropped) task.then(null, () => {});
    const closing = pool.close({ drain: false });
    expect(await errorOf(dropped[0]!)).toBeInstanceOf(PoolClosedError);
    expect(await errorOf(dropped[99]!)).toBeInstanceOf(PoolClosedError);
    first.release();
    await closing;
    const second = await behindOne();
    const kept = count(100, () => second.submit());
    const drained = pool.close();
    second.release();
    await drained;
    expect(new Set(await Promise.all(kept)).size).toBe(1);
  });

  it("cannot be submitted by jobs", async () => {
    const jobs = make({ minThreads: 1 });
    const refused = ["ERR_SKEIN_NOT_SUPPORTED", "placement"];
    expect(await jobs.asksFromInside()).toEqual([refused, refused]);
  });

  it.each([
    [{ affinity: {} }, /`affinity`.*a string or a number/],
    [{ affinity: "a", thread: 1 }, /`thread`.*left out beside `affinity`/],
    [{ thread: 0 }, /`thread`/],
    [{ thread: "1" }, /`thread`/],
  ])("bad option %j", (options, message) => {
    const jobs = make();
    expect(() => pool.run(jobs.where, [], options as RunOptions)).toThrow(message);
  });
});

const known = new Set(["completed", "AbortError", "ThreadGoneError", "ThreadCrashedError"]);

describe("stress", { timeout: timeLimit(120_000) }, () => {
  it("keys, threads that die and leave, cancelled jobs: each settles once", async () => {
    const random = seededRandom(5);
    const jobs = make({ minThreads: 3, maxThreads: 4, maxJobsPerThread: 40 });
    const never = makeGate(1);
    const once = makeGate(1);
    let settled = 0;
    const outcomes = new Map<string, number>();
    const note = (outcome: string): void => {
      settled++;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    };
    const total = Number(process.env["SKEIN_STRESS_MS"] ?? 0) > 0 ? 60_000 : 600;
    for (let i = 0; i < total; i++) {
      const kind = random();
      const controller = new AbortController();
      let options: RunOptions = { affinity: Math.floor(random() * 8) };
      if (kind < 0.2) options = {};
      else if (kind < 0.4) options = { thread: pool.threads[0]?.threadId ?? 1 };
      if (random() < 0.1) options = { ...options, exclusive: true };
      if (random() < 0.2) options = { ...options, signal: controller.signal };
      if (i % 250 === 0) once[0] = 1;
      const task = pool.run(jobs.diesSometimes, [i % 250 === 0 ? once : never], options);
      task.then(
        () => note("completed"),
        (error: unknown) => note((error as Error).name),
      );
      if (random() < 0.5) controller.abort();
      if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually("all have settled", () => settled === total);
    const { submitted, completed, failed, canceled, crashed, queued } = pool.stats();
    expect(completed + failed + canceled + crashed).toBe(submitted);
    expect(queued.placed).toBe(0);
    expect([...outcomes.keys()].filter((outcome) => !known.has(outcome))).toEqual([]);
    expect(outcomes.get("completed")).toBeGreaterThan(total / 2);
  });
});
