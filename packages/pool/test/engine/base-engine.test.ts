import { Task } from "@skein/scheduling";
import { afterAll, describe, expect, it } from "vitest";
import {
  BaseEngine,
  type EngineCapabilities,
  everyCapability,
  JobFunctions,
  type FunctionSource,
  jobModule,
} from "../../src/engine.ts";
import { type RunOptions, ThreadPool } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { sampleJobs } from "../gate.ts";

type Taken = [source: FunctionSource, args: readonly unknown[]];

const nothing: EngineCapabilities = {
  parallel: false,
  sharedMemory: false,
  inlineFunctions: false,
  priorities: false,
  terminate: false,
  exclusive: false,
  retries: false,
  progress: false,
  runTimeouts: false,
  transfer: false,
  placement: false,
  broadcast: false,
  forkJoin: false,
  streams: false,
  streamArguments: false,
  timeline: false,
};

/** Gives what it was given. */
class Mirror extends BaseEngine {
  constructor(capabilities: EngineCapabilities) {
    super({
      name: "Mirror",
      capabilities,
      functions: new JobFunctions(),
      maxThreads: () => 1,
      refusal: () => null,
      exportOf: () => undefined,
      submit: ({ source }, args) => Task.fromResult<Taken>([source, args]),
    });
  }

  override close(): Task<void> {
    return Task.fromResult(undefined);
  }
}

const jobs = jobModule<typeof Sample>(sampleJobs);
const pool = new ThreadPool({ maxThreads: 1 });
afterAll(() => pool.close());

describe("an engine of somebody else's", () => {
  it("is given the source and the arguments of a job, without shared memory", async () => {
    const engine = new Mirror(everyCapability);
    const source = { kind: "export", url: new URL(sampleJobs).href, name: "add" };
    await expect(engine.run(jobs.add, [1, 2])).resolves.toEqual([source, [1, 2]]);
    await expect(engine.run(pool.module<typeof Sample>(sampleJobs).add, [1, 2])).resolves.toEqual([
      source,
      [1, 2],
    ]);
    await expect(engine.run((n: number) => n, [3])).resolves.toMatchObject([{ kind: "inline" }, [3]]);
  });

  it.each<[capability: keyof EngineCapabilities, options: RunOptions]>([
    ["priorities", { priority: "high" }],
    ["terminate", { onCancel: "terminate" }],
    ["exclusive", { exclusive: true }],
    ["retries", { retries: 1 }],
    ["progress", { onProgress: () => {} }],
    ["transfer", { transfer: [new ArrayBuffer(8)] }],
  ])("rejects what needs `%s` when it cannot do that, and nothing else", async (capability, options) => {
    await expect(new Mirror(nothing).run(jobs.add, [1, 2], options)).rejects.toMatchObject({
      code: "ERR_SKEIN_NOT_SUPPORTED",
      capability,
      engine: "Mirror",
      option: expect.stringContaining(Object.keys(options)[0]!),
    });
    const able = new Mirror({ ...nothing, [capability]: true });
    await expect(able.run(jobs.add, [1, 2], options)).resolves.toMatchObject([{ name: "add" }, [1, 2]]);
  });

  it("rejects inline functions and `broadcast` when it has none", async () => {
    const engine = new Mirror(nothing);
    await expect(engine.run(() => 1)).rejects.toMatchObject({ capability: "inlineFunctions" });
    await expect(engine.broadcast(jobs.add, [1, 2])).rejects.toMatchObject({ capability: "broadcast" });
  });
});

describe("jobModule", () => {
  it("gives handles that run on a pool, one by one and in `map`", async () => {
    await expect(pool.run(jobs.add, [1, 2])).resolves.toBe(3);
    const results: unknown[] = [];
    for await (const result of pool.map(jobs.echo, [1, 2, 3])) results.push(result);
    expect(results).toEqual([1, 2, 3]);
  });

  it("gives handles that say what to do when they are called", async () => {
    await expect(jobs.add(1, 2)).rejects.toMatchObject({
      code: "ERR_SKEIN_NO_ENGINE",
      message: expect.stringContaining("engine.run(jobs.add"),
    });
  });
});
