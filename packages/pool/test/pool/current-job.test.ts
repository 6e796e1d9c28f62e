/** `job`, whatever kind of function asks; and whose context is seen where. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { AsyncLocal } from "@skein/context";
import { describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import type * as Current from "../fixtures/current.jobs.ts";
import { makeGate } from "../gate.ts";

const currentJobs = new URL("../fixtures/current.jobs.ts", import.meta.url);
const TIMEOUT_MS = 60_000;

function create(options: ConstructorParameters<typeof ThreadPool>[0] = {}) {
  const pool = new ThreadPool({ maxThreads: 1, ...options });
  return { pool, jobs: pool.module<typeof Current>(currentJobs) };
}

async function until(gate: Int32Array, at: number, value: number): Promise<void> {
  while (Atomics.load(gate, at) !== value) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("job, in a plain function that returns a promise", { timeout: TIMEOUT_MS }, () => {
  it("the first call of a thread reports progress", async () => {
    const { pool, jobs } = create();
    const seen: unknown[] = [];
    await pool.run(jobs.reportLater, ["a", 3], { onProgress: (value) => seen.push(value) });
    expect(seen).toEqual(["a", "a", "a"]);
    await pool.close();
  });

  it("and sees that it is to stop", async () => {
    const { pool, jobs } = create();
    const gate = makeGate(1);
    const controller = new AbortController();
    const task = pool.run(jobs.untilCancelled, [gate, 0], { signal: controller.signal });
    await until(gate, 0, 1);
    controller.abort();
    await expect(Promise.resolve(task)).rejects.toMatchObject({ name: "AbortError" });
    await until(gate, 0, 2);
    await pool.close();
  });

  it("several at once on a thread, from the first call on, mix neither progress nor cancellation", async () => {
    const { pool, jobs } = create({ jobsPerThread: 8 });
    const seen = new Map<string, unknown[]>();
    const run = (name: string): PromiseLike<string> => {
      const values: unknown[] = [];
      seen.set(name, values);
      return pool.run(jobs.reportLater, [name, 5], { onProgress: (value) => values.push(value) });
    };
    const names = ["a", "b", "c", "d"];
    expect(await Promise.all(names.map(run))).toEqual(names);
    for (const name of names) expect(seen.get(name)).toEqual([name, name, name, name, name]);
    const gate = makeGate(4);
    const controllers = names.map(() => new AbortController());
    const tasks = controllers.map(({ signal }, i) => pool.run(jobs.untilCancelled, [gate, i], { signal }));
    for (const i of names.keys()) await until(gate, i, 1);
    for (const i of [2, 0, 3, 1]) {
      controllers[i]!.abort();
      await tasks[i]!.then(null, () => {});
      await until(gate, i, 2);
      expect([...gate].filter((state) => state === 2)).toHaveLength([2, 0, 3, 1].indexOf(i) + 1);
    }
    await pool.close();
  });

  it("a function that had always returned at once and now awaits is found while there is no doubt", async () => {
    const { pool, jobs } = create();
    for (let i = 0; i < 3; i++) expect(await jobs.sometimesLater("at once", false)).toBe("at once");
    const seen: unknown[] = [];
    await pool.run(jobs.sometimesLater, ["later", true], { onProgress: (value) => seen.push(value) });
    expect(seen).toEqual(["later"]);
    await pool.close();
  });
});

describe("the context of the call", { timeout: TIMEOUT_MS }, () => {
  const tenant = new AsyncLocal<string>({ name: "current.tenant", flow: "thread" });

  it("is what subscribers and listeners of job.signal see", async () => {
    const { pool, jobs } = create();
    const heard: unknown[] = [];
    const listener = (): void => void heard.push(tenant.value);
    const names = ["skein:job:submit", "skein:job:end", "skein:job:error", "skein:job:cancel"];
    for (const name of names) subscribe(name, listener);
    const gate = makeGate(1);
    const controller = new AbortController();
    const task = tenant.run("of the call", () =>
      pool.run(jobs.waitsForTheSignal, [gate], { signal: controller.signal }),
    );
    await until(gate, 0, 1);
    tenant.run("of the abort", () => controller.abort());
    await task.then(null, () => {});
    await tenant.run("second", () => jobs.nothing());
    for (const name of names) unsubscribe(name, listener);
    expect(heard).toEqual(["of the call", "of the call", "second", "second"]);
    expect(await jobs.whatTheSignalSaw()).toEqual(["of the call", "AbortError"]);
    await pool.close();
  });

  it("progress: the listener is called in it, whoever settles the job", async () => {
    const { pool, jobs } = create();
    const seen: unknown[] = [];
    await tenant.run("of the call", () =>
      pool.run(jobs.reportLater, ["x", 2], { onProgress: () => seen.push(tenant.value) }),
    );
    expect(seen).toEqual(["of the call", "of the call"]);
    await pool.close();
  });

  it("ends with the job: later jobs, and the thread's own event loop, see nothing of it", async () => {
    const { pool, jobs } = create();
    await jobs.listen();
    await tenant.run("first", () => jobs.leavesScopes());
    await jobs.nothing();
    expect(await jobs.whatIsSeen()).toMatchObject({ now: undefined, atStart: undefined });
    await tenant.run("of the timer", () => jobs.leavesTimer());
    expect(await tenant.run("now", () => jobs.whatIsSeen())).toEqual({
      now: "now",
      atStart: "now",
      inTimer: "of the timer",
    });
    await pool.close();
  });
});
