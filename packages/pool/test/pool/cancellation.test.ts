import { getEventListeners } from "node:events";
import { afterAll, describe, expect, it } from "vitest";
import { JobCanceledError, JobTimeoutError, ThreadPool } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { makeGate, open, opened, sampleJobs } from "../gate.ts";

const pool = new ThreadPool({ maxThreads: 1 });
const jobs = pool.module<typeof Sample>(sampleJobs);
afterAll(() => pool.close());

/** Keeps the pool's one thread busy until the returned function is called. */
function occupy(): () => Promise<void> {
  const gate = makeGate();
  const task = jobs.block(gate);
  return async () => {
    open(gate);
    await task;
  };
}

it("another listener that stops the event of a signal holds up no job", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  signal.addEventListener("abort", (event) => event.stopImmediatePropagation());
  const gate = makeGate();
  const task = pool.run(jobs.spinUntilCancelled, [gate], { signal });
  const results = pool.map(jobs.echo, [makeGate()], { signal });
  await opened(gate);
  const reason = new Error("enough");
  controller.abort(reason);
  await expect(task).rejects.toBe(reason);
  await expect(results.next()).rejects.toBe(reason);
});

describe("a queued job", () => {
  it("that is cancelled never runs, and rejects at once with the reason", async () => {
    const release = occupy();
    const log = makeGate(4);
    const controller = new AbortController();
    const task = pool.run(jobs.append, [log, 1], { signal: controller.signal });
    const reason = new Error("changed my mind");
    controller.abort(reason);
    expect(task.status).toBe("canceled");
    await expect(task).rejects.toBe(reason);
    await release();
    await jobs.add(1, 1);
    expect(log[0]).toBe(0);
  });

  it("rejects with JobCanceledError when the reason is not an Error", async () => {
    const controller = new AbortController();
    const task = pool.run(jobs.add, [1, 1], { signal: controller.signal });
    controller.abort("why not");
    const error: unknown = await task.then(null, (e: unknown) => e);
    expect(error).toBeInstanceOf(JobCanceledError);
    expect(error).toMatchObject({ name: "AbortError", reason: "why not" });
  });

  it("with a signal that has fired already is not submitted", async () => {
    const reason = new Error("too late");
    const task = pool.run(jobs.add, [1, 1], { signal: AbortSignal.abort(reason) });
    expect(task.status).toBe("canceled");
    await expect(task).rejects.toBe(reason);
  });

  it("frees its slot at once: any number can be cancelled while all threads are busy", async () => {
    const release = occupy();
    for (let round = 0; round < 10; round++) {
      const controller = new AbortController();
      const tasks = Array.from({ length: 8000 }, () =>
        pool.run(jobs.add, [1, 1], { signal: controller.signal }),
      );
      controller.abort();
      expect(tasks.every((task) => task.status === "canceled")).toBe(true);
      for (const task of tasks) task.catch(() => {});
    }
    const after = jobs.add(2, 2);
    await release();
    expect(await after).toBe(4);
  });

  it("in the backlog can be cancelled as well; its neighbours run", async () => {
    const release = occupy();
    const controller = new AbortController();
    const tasks = Array.from({ length: 40_000 }, (_, i) =>
      pool.run(jobs.echo, [i], i % 2 === 0 ? {} : { signal: controller.signal }),
    );
    controller.abort();
    await release();
    const outcomes = await Promise.allSettled(tasks);
    expect(
      outcomes.every((o, i) =>
        i % 2 === 0 ? o.status === "fulfilled" && o.value === i : o.status === "rejected",
      ),
    ).toBe(true);
  });
});

describe("a running job", () => {
  it("sees the cancellation from a busy loop; its task rejects at once, its late result is dropped", async () => {
    const gate = makeGate();
    const controller = new AbortController();
    const task = pool.run(jobs.spinUntilCancelled, [gate], { signal: controller.signal });
    await opened(gate);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(task).rejects.toBe(reason);
    await opened(gate, 1);
    expect(await jobs.add(1, 2)).toBe(3);
  });

  it("sees it through job.signal while it awaits", async () => {
    const gate = makeGate();
    const controller = new AbortController();
    const task = pool.run(jobs.waitForSignal, [gate], { signal: controller.signal });
    await opened(gate);
    controller.abort();
    await expect(task).rejects.toMatchObject({ name: "AbortError" });
    await opened(gate, 1);
    expect(await jobs.add(1, 2)).toBe(3);
  });

  it("is told when its time is over; the task rejects with JobTimeoutError", async () => {
    let timeoutMs = 15;
    let gate: Int32Array;
    // A job that has not begun by then never runs.
    do {
      gate = makeGate();
      const task = pool.run(jobs.spinUntilCancelled, [gate], { timeoutMs: (timeoutMs *= 2) });
      const error: unknown = await task.then(null, (e: unknown) => e);
      expect(error).toBeInstanceOf(JobTimeoutError);
      expect(error).toMatchObject({ timeoutMs });
      expect(task.status).toBe("faulted");
    } while (Atomics.load(gate, 0) === 0);
    await opened(gate, 1);
  });
});

it("timeoutMs counts from the submission: it ends a job that waits in the queue", async () => {
  const release = occupy();
  await expect(pool.run(jobs.add, [1, 1], { timeoutMs: 10 })).rejects.toBeInstanceOf(JobTimeoutError);
  await release();
});

it("one listener per signal, removed when its last job is over", async () => {
  const { signal } = new AbortController();
  const tasks = Array.from({ length: 50 }, (_, i) => pool.run(jobs.echo, [i], { signal }));
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  await Promise.all(tasks);
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

it("cancelling after the end changes nothing", async () => {
  const controller = new AbortController();
  const task = pool.run(jobs.add, [1, 2], { signal: controller.signal, timeoutMs: 10_000 });
  expect(await task).toBe(3);
  controller.abort();
  expect(task.status).toBe("succeeded");
});
