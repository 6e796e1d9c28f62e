/** `workerData` of a pool thread is the user's, and `argv`. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { ThreadPool, type ThreadPoolOptions } from "../../src/index.ts";
import type * as WorkerData from "../fixtures/worker-data.jobs.ts";
import { writtenFiles } from "../jobs/written-files.ts";

let pool: ThreadPool;
afterEach(() => pool.close());

function make(options: ThreadPoolOptions) {
  pool = new ThreadPool({ maxThreads: 1, ...options });
  return pool.module<typeof WorkerData>(new URL("../fixtures/worker-data.jobs.ts", import.meta.url));
}

/** Has the threads run it before everything else. */
function preload(text: string): readonly string[] {
  const url = pathToFileURL(join(writtenFiles({ "preload.mjs": text }), "preload.mjs")).href;
  return ["--conditions=@skein/source", `--import=${url}`];
}

describe("workerData", () => {
  it("is what the user gave, however it is read, and by preloads too", async () => {
    const execArgv = preload(
      `import { workerData } from "node:worker_threads"; globalThis.preloaded = workerData;`,
    );
    const data = { n: 1, when: new Date(5), list: new Map([["a", new Uint8Array(2)]]) };
    const jobs = make({ workerData: data, execArgv });
    expect(await jobs.everywhere()).toEqual([data, data, data, data, data]);
  });

  it("is undefined when none was given: nothing of ours is there", async () => {
    const execArgv = preload(
      `import { workerData } from "node:worker_threads"; globalThis.preloaded = workerData;`,
    );
    const jobs = make({ execArgv });
    expect(await jobs.everywhere()).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it.each([[0], [""], [false], [null]])("may be %j", async (workerData) => {
    expect(await make({ workerData }).everywhere()).toEqual([
      workerData,
      workerData,
      workerData,
      workerData,
      undefined,
    ]);
  });

  it("is a copy of its own for each thread, of what was there when the pool was made", async () => {
    const data = { n: 1 };
    const jobs = make({ workerData: data });
    data.n = 2;
    await jobs.change();
    expect((await jobs.everywhere()) as unknown[]).toContainEqual({ n: 7 });
    pool.setMaxThreads(2);
    pool.start(2);
    await pool.ready();
    const seen = (await pool.broadcast(jobs.everywhere)) as unknown[][];
    expect(new Set(seen.map(([first]) => first))).toEqual(new Set([{ n: 7 }, { n: 1 }]));
  });

  it("shares shared memory", async () => {
    const shared = new Int32Array(new SharedArrayBuffer(4));
    make({ workerData: { shared } });
    await pool.run(async () => {
      const { workerData } = await import("node:worker_threads");
      (workerData as { shared: Int32Array }).shared[0] = 5;
    });
    expect(shared[0]).toBe(5);
  });

  it("of a Worker that a job makes is what the job gives it; that is no pool thread", async () => {
    const jobs = make({ workerData: "ours" });
    expect(await jobs.ofWorker("its own")).toEqual(["its own", undefined]);
  });

  it("what is posted to a thread before it has begun harms nothing", async () => {
    const onMade = (message: unknown): void => (message as { worker: Worker }).worker.postMessage("early");
    subscribe("worker_threads", onMade);
    const jobs = make({ workerData: 1 });
    expect(await jobs.everywhere()).toContain(1);
    unsubscribe("worker_threads", onMade);
  });

  it("what a getter in it throws is thrown", () => {
    make({});
    const data = {
      get n(): number {
        throw new Error("mine");
      },
    };
    expect(() => new ThreadPool({ workerData: data })).toThrow("mine");
  });
});

it("argv is added to process.argv", async () => {
  const argv = ["--port", "80"];
  const jobs = make({ argv });
  argv.push("later");
  expect(await jobs.argv()).toEqual(["--port", "80"]);
});
