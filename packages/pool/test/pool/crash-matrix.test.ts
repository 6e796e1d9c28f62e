/**
 * The crash matrix: every way in which a thread ends, with jobs queued behind it on a pool of one thread. Each job settles once, and the
 * queued ones run. Where each case is tested:
 *
 * | case                                          | test                                                                          |
 * | --------------------------------------------- | ----------------------------------------------------------------------------- |
 * | process.exit(0), process.exit(1)              | here; crash.test.ts                                                           |
 * | an error in a timer, an unhandled rejection   | here; crash.test.ts                                                           |
 * | out of memory                                 | here; crash.test.ts                                                           |
 * | terminate while claiming                      | submit/recovery.test.ts; shared/slot.model, job-queues.model, ring.model      |
 * | terminate while running                       | here; crash.test.ts "onCancel: 'terminate'"; submit/recovery.test.ts          |
 * | terminate beside jobs that await their own    | here; terminate.test.ts; shared/job-queues.test.ts, parking.model "P5"        |
 * | terminate in a native call that goes on       | closing.test.ts "a thread in a native call"; submit/ledger.test.ts            |
 * | terminate while writing the result            | here, small and large; submit/recovery.test.ts; shared/inbox.model            |
 * | terminate while parked                        | here, asleep and in its event loop; shared/parking.model                      |
 * | terminate while stealing                      | submit/recovery.test.ts; shared/deque.model, job-queues.model; nested.test.ts |
 * | terminate while joining                       | here; fork-join.test.ts, the thief dies                                       |
 * | crash in initialize                           | here, exit; crash.test.ts, throw                                              |
 * | module that fails to load, missing export     | crash.test.ts "modules"                                                       |
 * | uncloneable argument, result, thrown value    | here                                                                          |
 * | worker that dies during start, loop guard     | here; crash.test.ts "a thread that never gets ready"                          |
 * | worker that cannot be made                    | crash.test.ts "a thread that cannot even be made"                             |
 * | a thread that had submitted jobs itself       | nested.test.ts "a thread that dies"; shared/orphaned-slots.test.ts and .model |
 * | carried values on their way                   | transfer.test.ts                                                              |
 * | in a step of a generator, suspended in one    | here; streams.test.ts "a thread that dies"; shared/stream-ring.model          |
 * | whoever reads a stream                        | streams.test.ts "while it reads"                                              |
 * | a job that reads a stream of its caller       | here; stream-arguments.test.ts "when its thread dies"                         |
 * | who streams to a job of its own               | stream-arguments.test.ts "has lost who streams to it"                         |
 * | threads killed at random, for a minute        | kill.stress.test.ts with SKEIN_STRESS_MS=60000                                |
 * | close, with and without drain, with a limit   | thread-pool.test.ts "closing"; here, with crashes                             |
 * | double close, submit after close, disposal    | here; thread-pool.test.ts "closing"                                           |
 * | process exit with jobs in flight              | process.test.ts                                                               |
 */
import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, describe, expect, it } from "vitest";
import { stream, ThreadCrashedError, ThreadPool, type ThreadMessage } from "../../src/index.ts";
import type * as Crash from "../fixtures/crash.jobs.ts";
import type * as Nested from "../fixtures/nested.jobs.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { makeGate, opened, sampleJobs } from "../gate.ts";

const crashJobs = new URL("../fixtures/crash.jobs.ts", import.meta.url);
const QUEUED = 40;

let pool: ThreadPool;
const workers: Worker[] = [];
const onWorker = (worker: Worker): void => void workers.push(worker);
process.on("worker", onWorker);
afterEach(async () => {
  await pool.close({ drain: false, timeoutMs: 1000 });
  workers.length = 0;
});

function start(options: ConstructorParameters<typeof ThreadPool>[0] = {}) {
  pool = new ThreadPool({ maxThreads: 1, ...options });
  return {
    sample: pool.module<typeof Sample>(sampleJobs),
    crash: pool.module<typeof Crash>(crashJobs),
  };
}

async function errorOf(task: PromiseLike<unknown>): Promise<unknown> {
  return task.then(
    () => null,
    (error: unknown) => error,
  );
}

/** Counts how often each task settles: a promise would hide a second time. */
function countSettlements(): { counts: Map<object, number>; stop: () => void } {
  const counts = new Map<object, number>();
  const listener = (message: unknown): void => {
    const { task } = message as { task: object };
    counts.set(task, (counts.get(task) ?? 0) + 1);
  };
  const names = ["skein:job:end", "skein:job:error", "skein:job:cancel"];
  for (const name of names) subscribe(name, listener);
  return {
    counts,
    stop: () => {
      for (const name of names) unsubscribe(name, listener);
    },
  };
}

async function* endless(): AsyncGenerator<number> {
  for (let i = 0; ; i++) yield i;
}

type Jobs = ReturnType<typeof start>;
/** `crashed`: the job and, where it has submitted one, that as well. */
const cases: readonly [
  name: string,
  run: (jobs: Jobs) => PromiseLike<unknown>,
  options?: object,
  crashed?: number,
][] = [
  ["process.exit(0)", ({ sample }) => sample.exit(0)],
  ["process.exit(1)", ({ sample }) => sample.exit(1)],
  ["an error in a timer", ({ sample }) => sample.throwLater("timer")],
  ["an error in a listener", ({ crash }) => crash.throwInListener()],
  ["an unhandled rejection", ({ sample }) => sample.rejectAside()],
  ["out of memory", ({ sample }) => sample.eatMemory(), { resourceLimits: { maxOldGenerationSizeMb: 24 } }],
  ["an end while the result is written", ({ crash }) => crash.exitInResult(0)],
  ["an end while a large result is written", ({ crash }) => crash.exitInResult(1 << 20)],
  ["an end while an error is written", ({ crash }) => crash.exitInError()],
  ["an end in a step of a generator", ({ crash }) => crash.exitInStep(0).completion],
  ["an end in a step of a generator, with items under way", ({ crash }) => crash.exitInStep(9).completion],
  ["an end while an item is written", ({ crash }) => crash.exitInItem().completion],
  ["an end while a generator is suspended", ({ crash }) => crash.exitSuspended().completion],
  ["an end while it reads a stream of its caller", ({ crash }) => crash.exitInStream(stream(endless()), 20)],
  ["an end before it reads one", ({ crash }) => crash.exitInStream(stream(endless()), 0)],
  ["an end in a job that is joined", ({ crash }) => crash.joinExit(), {}, 2],
  ["an end while it awaits a job of its own", ({ crash }) => crash.awaitExit(), {}, 2],
];

describe("a job that ends its thread rejects, once, and the jobs queued behind it run, once", () => {
  it.each(cases)("%s", async (_, run, options, crashed = 1) => {
    const jobs = start(options);
    await jobs.sample.echo(0);
    const { counts, stop } = countSettlements();
    const crashing = run(jobs);
    const others = Array.from({ length: QUEUED }, (__, i) => jobs.sample.echo(i));
    const error = await errorOf(crashing);
    expect(error).toBeInstanceOf(ThreadCrashedError);
    expect(await Promise.all(others)).toEqual(Array.from({ length: QUEUED }, (__, i) => i));
    stop();
    expect([...counts.values()]).toEqual(Array.from({ length: QUEUED + 1 }, () => 1));
    expect(pool.stats()).toMatchObject({ completed: QUEUED + 1, crashed });
  });

  it("an end from outside while it runs", async () => {
    const { sample } = start();
    const gate = makeGate();
    const running = errorOf(sample.spinForever(gate));
    const others = Array.from({ length: QUEUED }, (_, i) => sample.echo(i));
    await opened(gate);
    void workers.at(-1)!.terminate();
    expect(await running).toBeInstanceOf(ThreadCrashedError);
    expect(await Promise.all(others)).toHaveLength(QUEUED);
    expect(pool.stats()).toMatchObject({ completed: QUEUED, crashed: 1 });
  });
});

describe("an end by onCancel: 'terminate' ends nothing else", () => {
  it.each([
    ["a job that awaits its own child on the thread", 1],
    ["jobs that share the thread", 4],
  ])("%s", async (_, jobsPerThread) => {
    const { sample } = start({ jobsPerThread });
    const nested = pool.module<typeof Nested>(new URL("../fixtures/nested.jobs.ts", import.meta.url));
    await sample.echo(0);
    const { counts, stop } = countSettlements();
    const gate = makeGate();
    const neighbours = Array.from({ length: jobsPerThread }, () => nested.nest(20));
    const controller = new AbortController();
    const victim = errorOf(
      pool.run(sample.spinForever, [gate], { signal: controller.signal, onCancel: "terminate", graceMs: 0 }),
    );
    const others = Array.from({ length: QUEUED }, (__, i) => nested.nest(i % 3));
    await opened(gate);
    controller.abort();
    expect(await victim).toMatchObject({ name: "AbortError" });
    expect(await Promise.all(neighbours)).toEqual(neighbours.map(() => 20));
    expect(await Promise.all(others)).toEqual(others.map((__, i) => i % 3));
    stop();
    expect([...counts.values()]).toEqual(Array.from({ length: jobsPerThread + QUEUED + 1 }, () => 1));
    expect(pool.stats()).toMatchObject({ crashed: 0, canceled: 1 });
  });
});

describe("a thread that ends without a job is replaced in silence", () => {
  it.each(["asleep, or about to", "in its event loop"])("%s", async (where) => {
    const exits: ThreadMessage[] = [];
    const listener = (message: unknown): void => void exits.push(message as ThreadMessage);
    subscribe("skein:thread:exit", listener);
    const { sample, crash } = start();
    const before = await sample.thread();
    const gate = makeGate();
    await crash.openLater(gate);
    while (pool.stats().threads.parked === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    // Its timer fires when the thread has slept enough, and waits in its event loop.
    if (where === "in its event loop") await opened(gate);
    const worker = workers.at(-1)!;
    const ended = once(worker, "exit");
    void worker.terminate();
    // Into the very moment of its end.
    const results = Array.from({ length: QUEUED }, (_, i) => errorOf(sample.echo(i)));
    await ended;
    // One of them may have been taken by the old thread, and be lost with it.
    const errors = (await Promise.all(results)).filter((error) => error !== null);
    expect(errors.length).toBeLessThanOrEqual(1);
    expect(await sample.thread()).not.toBe(before);
    unsubscribe("skein:thread:exit", listener);
    expect(exits.map(({ threadId }) => threadId)).toContain(before);
  });
});

describe("an error that comes when its job has returned", () => {
  it("from a timer: the thread goes on, and the error is counted", async () => {
    const { sample, crash } = start();
    const before = await crash.throwAfterwards();
    while (pool.stats().stray === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await sample.thread()).toBe(before);
    expect(pool.stats()).toMatchObject({ crashed: 0, stray: 1 });
  });
});

describe("a thread that ends while it starts", () => {
  it("process.exit in initialize: the jobs reject, and nothing respawns for ever", async () => {
    const { sample } = start({ initialize: new URL("../fixtures/exits-on-load.ts", import.meta.url) });
    const errors = await Promise.all(Array.from({ length: QUEUED }, () => errorOf(sample.echo(1))));
    for (const error of errors)
      expect(error).toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED", exitCode: 6 });
    expect(workers.length).toBeLessThanOrEqual(3);
  });

  it("ended from outside while it starts: another one starts, and the jobs run", async () => {
    const { sample } = start();
    process.once("worker", (worker) => void worker.terminate());
    const first = sample.echo(1);
    const others = Array.from({ length: QUEUED }, (_, i) => sample.echo(i));
    expect(await first).toBe(1);
    expect(await Promise.all(others)).toHaveLength(QUEUED);
    expect(workers.length).toBe(2);
  });
});

describe("what cannot be cloned ends no thread", () => {
  it("an argument, a result, a thrown value", async () => {
    const { sample } = start();
    const before = await sample.thread();
    expect(await errorOf(sample.echo(() => 1))).toMatchObject({
      code: "ERR_SKEIN_NOT_CLONEABLE",
      path: "args[0]",
    });
    expect(await errorOf(sample.returnFunction())).toMatchObject({
      code: "ERR_SKEIN_NOT_CLONEABLE",
      path: "result.nested[0]",
    });
    expect(await errorOf(sample.throwFunction())).toMatchObject({
      code: "ERR_SKEIN_NOT_CLONEABLE",
      path: "error",
    });
    expect(await sample.thread()).toBe(before);
  });
});

describe("closing", () => {
  it("while threads crash: every job settles, close resolves", async () => {
    const { sample } = start({ maxThreads: 2 });
    const tasks = Array.from({ length: 60 }, (_, i) =>
      errorOf(i % 10 === 5 ? sample.exit(1) : sample.echo(i)),
    );
    const closed = pool.close();
    const errors = (await Promise.all(tasks)).filter((error) => error !== null);
    expect(errors).toHaveLength(6);
    await closed;
    expect(pool.stats().threads.total).toBe(0);
  });

  it("twice is the same task; what is submitted afterwards rejects", async () => {
    const { sample } = start();
    const running = sample.echo(1);
    const closing = pool.close();
    expect(pool.close()).toBe(closing);
    expect(await errorOf(sample.echo(2))).toMatchObject({ code: "ERR_SKEIN_POOL_CLOSED" });
    expect(await running).toBe(1);
    await closing;
    expect(pool.close()).toBe(closing);
  });
});
