/** The option `signal`, in all its kinds, and what it rejects with. */
import { CancellationToken, CancellationTokenSource, OperationCanceledError } from "@skein/scheduling";
import { afterAll, describe, expect, it, vi } from "vitest";
import { JobSender } from "../../src/engine.ts";
import { JobCanceledError, ThreadPool } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { makeGate, opened, sampleJobs } from "../gate.ts";

const pool = new ThreadPool({ maxThreads: 1 });
const jobs = pool.module<typeof Sample>(sampleJobs);
afterAll(() => pool.close());

type Signal = AbortSignal | CancellationToken;

function errorOf(promise: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(
    promise.then(
      () => null,
      (error: unknown) => error,
    ),
  );
}

/** Everything that takes a signal, running a job that ends only when it is cancelled. */
const doors: readonly (readonly [string, (signal: Signal, gate: Int32Array) => PromiseLike<unknown>])[] = [
  ["run", (signal, gate) => pool.run(jobs.spinUntilCancelled, [gate], { signal })],
  ["map", (signal, gate) => pool.map(jobs.spinUntilCancelled, [gate], { signal }).next()],
  [
    "map, unordered",
    (signal, gate) => pool.map(jobs.spinUntilCancelled, [gate], { signal, ordered: false }).next(),
  ],
  [
    "map in chunks",
    (signal, gate) => pool.map(jobs.spinUntilCancelled, [gate], { signal, chunkSize: 2 }).next(),
  ],
  [
    "a job of a module",
    (signal, gate) => pool.module<typeof Sample>(sampleJobs, { signal }).spinUntilCancelled(gate),
  ],
  [
    "broadcast",
    (signal, gate) =>
      pool.broadcast(pool.module<typeof Sample>(sampleJobs, { signal }).spinUntilCancelled, [gate]),
  ],
];

const reason = new RangeError("enough");

describe.each(doors)("%s", (_, call) => {
  it.each<[string, unknown, object]>([
    ["an Error", reason, reason],
    ["a text", "why not", { name: "AbortError", code: "ERR_SKEIN_JOB_CANCELED", reason: "why not" }],
    ["null", null, { name: "AbortError", code: "ERR_SKEIN_JOB_CANCELED", reason: null }],
    ["nothing", undefined, { name: "AbortError" }],
  ])(
    "rejects with the same for a signal that fires while the job runs and for one that has fired: %s",
    async (_name, why, expected) => {
      await jobs.thread();
      const gate = makeGate();
      const controller = new AbortController();
      const running = errorOf(call(controller.signal, gate));
      await opened(gate);
      controller.abort(why);
      const error = await running;
      expect(error).toMatchObject(expected);
      const early = await errorOf(call(controller.signal, makeGate()));
      expect(early).toMatchObject(expected);
      expect((early as Error).constructor).toBe((error as Error).constructor);
      expect((early as Error).message).toBe((error as Error).message);
    },
  );

  it.each<[string, unknown, object]>([
    ["an Error", reason, reason],
    ["a text", "why not", { code: "ERR_SKEIN_JOB_CANCELED", reason: "why not" }],
    ["nothing", undefined, { name: "AbortError", code: "ERR_SKEIN_OPERATION_CANCELED" }],
  ])("takes a CancellationToken: %s; nothing is left on it", async (_name, why, expected) => {
    await jobs.thread();
    const source = new CancellationTokenSource();
    const gate = makeGate();
    const running = errorOf(call(source.token, gate));
    await opened(gate);
    source.cancel(why);
    const error = await running;
    expect(error).toMatchObject(expected);
    expect(await errorOf(call(source.token, makeGate()))).toMatchObject(expected);
  });
});

describe("a CancellationToken", () => {
  it("can be reset between jobs, and cancels those that come afterwards", async () => {
    const source = new CancellationTokenSource();
    for (let round = 0; round < 3; round++) {
      expect(await pool.run(jobs.add, [1, 2], { signal: source.token })).toBe(3);
      for await (const item of pool.map(jobs.echo, [1, 2], { signal: source.token }))
        expect(item).toBeTypeOf("number");
      expect(source.tryReset()).toBe(true);
    }
    const gate = makeGate();
    const task = pool.run(jobs.spinUntilCancelled, [gate], { signal: source.token });
    await opened(gate);
    source.tryReset();
    // Registers anew, also for the one that runs.
    const behind = pool.run(jobs.add, [1, 2], { signal: source.token });
    source.cancel("all");
    expect(task.status).toBe("canceled");
    expect(behind.status).toBe("canceled");
    await expect(task).rejects.toMatchObject({ reason: "all" });
    await expect(behind).rejects.toMatchObject({ reason: "all" });
  });

  it("as a default, of a module or of a JobSender, cancels after a reset also jobs that are called then", async () => {
    const source = new CancellationTokenSource();
    const spinning = pool.module<typeof Sample>(sampleJobs, { signal: source.token });
    const sender = new JobSender(pool, jobs.add, { signal: source.token });
    const gate = makeGate();
    const running = spinning.spinUntilCancelled(gate);
    await opened(gate);
    source.tryReset();
    const behind = [spinning.add(1, 2), spinning.add(3, 4)];
    const heard: unknown[] = [];
    const receiver = { completed() {}, failed: (error: unknown) => void heard.push(error) };
    sender.send([1, 2], receiver);
    source.cancel("all");
    expect(heard).toMatchObject([{ reason: "all" }]);
    for (const task of [running, ...behind]) {
      expect(task.status).toBe("canceled");
      await expect(task).rejects.toMatchObject({ reason: "all" });
    }
  });

  it("that can never be cancelled is none", async () => {
    expect(await pool.run(jobs.add, [1, 2], { signal: CancellationToken.none })).toBe(3);
    await expect(pool.run(jobs.add, [1, 2], { signal: CancellationToken.canceled })).rejects.toMatchObject({
      name: "AbortError",
    });
  });

  it("of a signal is that signal", async () => {
    const controller = new AbortController();
    const task = pool.run(jobs.waitForSignal, [makeGate()], {
      signal: CancellationToken.from(controller.signal),
    });
    controller.abort(reason);
    await expect(task).rejects.toBe(reason);
  });

  it("of another copy of the package works as well", async () => {
    vi.resetModules();
    const copy = await import("@skein/scheduling");
    expect(copy.CancellationToken).not.toBe(CancellationToken);
    const source = new copy.CancellationTokenSource();
    const gate = makeGate();
    const task = pool.run(jobs.spinUntilCancelled, [gate], { signal: source.token as never });
    await opened(gate);
    source.cancel(reason);
    await expect(task).rejects.toBe(reason);
  });
});

it("a cancelled job rejects with the reason itself, or says what and who it was", async () => {
  const aborted = (why: unknown): PromiseLike<unknown> =>
    pool.run(jobs.add, [1, 2], { signal: AbortSignal.abort(why) });
  expect(await errorOf(aborted(reason))).toBe(reason);
  expect(await errorOf(aborted("why not"))).toBeInstanceOf(JobCanceledError);
  const source = new CancellationTokenSource();
  source.cancel();
  const error = await errorOf(pool.run(jobs.add, [1, 2], { signal: source.token }));
  expect(error).toBeInstanceOf(OperationCanceledError);
  expect((error as OperationCanceledError).token).toBe(source.token);
});

it("a signal of another realm, or of a polyfill, is a signal", async () => {
  const target = new EventTarget();
  const state = { aborted: false, reason: undefined as unknown };
  const signal = Object.assign(target, state);
  const gate = makeGate();
  const task = pool.run(jobs.spinUntilCancelled, [gate], { signal: signal as never });
  await opened(gate);
  Object.assign(signal, { aborted: true, reason });
  target.dispatchEvent(new Event("abort"));
  await expect(task).rejects.toBe(reason);
});
