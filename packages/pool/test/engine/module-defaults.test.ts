/** What a module's options and those of a call come to. */
import { CancellationToken } from "@skein/scheduling";
import { describe, expect, it } from "vitest";
import { type RunOptions, ThreadPool } from "../../src/index.ts";
import { resolveModuleOptions, resolveRunOptions } from "../../src/engine/run-options.ts";
import { defaultSubmitOptions } from "../../src/submit/submit-options.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { makeGate, opened, sampleJobs } from "../gate.ts";

const { signal } = new AbortController();
const other = new AbortController().signal;
const listener = (): void => {};
const otherListener = (): void => {};
const defaults: Required<Omit<RunOptions, "thread">> = {
  signal,
  timeoutMs: 1000,
  runTimeoutMs: 900,
  priority: "high",
  continuations: "yield",
  retries: 3,
  onCancel: "terminate",
  graceMs: 60_000,
  exclusive: true,
  affinity: "key",
  onProgress: listener,
  transfer: [],
  highWaterMark: 8,
  flowContext: false,
};
const ofModule = resolveModuleOptions(defaults);

describe("every option of a call replaces that one of its module, and no other", () => {
  it.each<[RunOptions, object]>([
    [{ signal: other }, { signal: other }],
    [{ signal: CancellationToken.none }, { signal: undefined }],
    [{ timeoutMs: 5 }, { timeoutMs: 5 }],
    [{ timeoutMs: Infinity }, { timeoutMs: undefined }],
    [{ runTimeoutMs: 5 }, { runTimeoutMs: 5 }],
    [{ runTimeoutMs: Infinity }, { runTimeoutMs: undefined }],
    [{ priority: "low" }, { priority: 2 }],
    [{ continuations: "inline" }, { continuations: { continuations: "inline" } }],
    [{ retries: 0 }, { retries: 0, saidRetries: 0 }],
    [{ onCancel: "cooperate" }, { onCancel: "cooperate", terminateAfterMs: null }],
    [{ exclusive: false }, { exclusive: false }],
    [
      { onCancel: "cooperate", exclusive: false },
      { onCancel: "cooperate", terminateAfterMs: null, exclusive: false, isExclusive: false },
    ],
    [{ onCancel: "terminate" }, {}],
    [{ affinity: 5 }, { placement: { kind: "affinity", key: "5" } }],
    [{ thread: 7 }, { placement: { kind: "thread", threadId: 7 } }],
    [{ graceMs: 100 }, { graceMs: 100, terminateAfterMs: 100 }],
    [{ graceMs: 0 }, { graceMs: 0, terminateAfterMs: 0 }],
    [{ onProgress: otherListener }, { onProgress: otherListener }],
    [{ flowContext: true }, { flowContext: true }],
  ])("%o", (options, changed) => {
    expect(resolveRunOptions(options, ofModule)).toEqual({ ...ofModule, ...changed });
  });

  it("undefined, and no options at all, leave everything as it is", () => {
    expect(resolveRunOptions({ timeoutMs: undefined, graceMs: undefined }, ofModule)).toEqual(ofModule);
    expect(resolveRunOptions(undefined, ofModule)).toBe(ofModule);
    expect(resolveModuleOptions(undefined)).toBe(defaultSubmitOptions);
  });

  it("a module's graceMs is for the calls that say terminate", () => {
    const cooperating = resolveModuleOptions({ graceMs: 50 });
    expect(cooperating.terminateAfterMs).toBeNull();
    expect(resolveRunOptions({ onCancel: "terminate" }, cooperating).terminateAfterMs).toBe(50);
    expect(resolveRunOptions({ graceMs: 10 }, cooperating).terminateAfterMs).toBeNull();
    expect(resolveRunOptions({ onCancel: "terminate" }, defaultSubmitOptions).terminateAfterMs).toBe(1000);
  });
});

it("a job that may be terminated is exclusive, and another is if it says so", () => {
  const terminating = resolveModuleOptions({ onCancel: "terminate" });
  expect(terminating.isExclusive).toBe(true);
  expect(resolveRunOptions({ exclusive: false }, terminating).isExclusive).toBe(true);
  expect(resolveRunOptions({ onCancel: "cooperate" }, terminating).isExclusive).toBe(false);
  expect(resolveRunOptions({ exclusive: true }, defaultSubmitOptions)).toMatchObject({
    isExclusive: true,
    terminateAfterMs: null,
  });
});

it("graceMs of a call alone ends the thread of a job whose module terminates later", async () => {
  await using pool = new ThreadPool({ maxThreads: 1 });
  const jobs = pool.module<typeof Sample>(sampleJobs, { onCancel: "terminate", graceMs: 2 ** 31 - 1 });
  const gate = makeGate();
  const controller = new AbortController();
  const before = await jobs.thread();
  const task = pool.run(jobs.spinForever, [gate], { signal: controller.signal, graceMs: 0 });
  await opened(gate);
  controller.abort(new Error("enough"));
  await expect(task).rejects.toThrow("enough");
  // The only thread: this runs when the job has been ended.
  expect(await jobs.thread()).not.toBe(before);
});

it("a module's signal cancels what map and broadcast run of it", async () => {
  await using pool = new ThreadPool({ maxThreads: 1 });
  const controller = new AbortController();
  const jobs = pool.module<typeof Sample>(sampleJobs, { signal: controller.signal });
  const gate = makeGate();
  const first = pool.map(jobs.spinUntilCancelled, [gate]).next();
  await opened(gate);
  controller.abort(new Error("enough"));
  await expect(first).rejects.toThrow("enough");
  await expect(pool.broadcast(jobs.thread)).rejects.toThrow("enough");
  await expect(pool.map(jobs.echo, [1], { signal: CancellationToken.none }).next()).resolves.toEqual({
    done: false,
    value: 1,
  });
});
