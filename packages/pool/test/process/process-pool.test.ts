/** What is a pool of processes' own: the rest is in the suite that all engines pass, test/engines. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Gate, Gates, load, opened, store } from "../../../../test/engines/gates.ts";
import { runNode } from "../../../../test/support/child.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { JobTimeoutError, QueueFullError, type RunOptions } from "../../src/index.ts";
import { ProcessPool } from "../../src/process.ts";
import { withoutOrders } from "../../src/process/spawn.ts";
import type * as Jobs from "../fixtures/process.jobs.ts";
import type * as WorkerData from "../fixtures/worker-data.jobs.ts";
import { request, tenant } from "../fixtures/process.jobs.ts";

const url = new URL("../fixtures/process.jobs.ts", import.meta.url);
const gates = new Gates(false);
const pool = new ProcessPool({
  maxThreads: 2,
  env: { ...process.env, SKEIN_TEST_PROCESS: "given" },
  argv: ["one", "two"],
  execArgv: ["--expose-gc"],
  resourceLimits: { maxOldGenerationSizeMb: 200 },
});
const jobs = pool.module<typeof Jobs>(url);
afterAll(async () => {
  await pool.close();
  gates.remove();
});

async function errorOf(task: PromiseLike<unknown>): Promise<unknown> {
  return task.then(
    () => expect.unreachable("it resolved"),
    (reason: unknown) => reason,
  );
}

/** Keeps all processes of a pool. */
async function occupy(count: number): Promise<() => Promise<unknown>> {
  const held = Array.from({ length: count }, () => gates.make());
  const tasks = held.map((gate) => jobs.hold(gate));
  for (const gate of held) await opened(gate, 1);
  return async () => {
    for (const gate of held) store(gate, 0, 1);
    await Promise.all(tasks);
  };
}

describe("a process", () => {
  it("has what the pool was given, and leaves its children nothing of its pipes", async () => {
    expect(await jobs.surroundings()).toEqual({
      variable: "given",
      generation: undefined,
      argv: ["one", "two"],
      gc: "function",
      execArgv: ["--max-old-space-size=200"],
    });
    expect(await jobs.leaks()).toBe("false");
  });

  it("has `workerData` of its own, a copy of what there was when the pool was made", async () => {
    const data = { n: 1, when: new Date(5), list: new Map([["a", new Uint8Array(2)]]) };
    await using given = new ProcessPool({ maxThreads: 1, workerData: data });
    const { everywhere } = given.module<typeof WorkerData>(
      new URL("../fixtures/worker-data.jobs.ts", import.meta.url),
    );
    data.n = 2;
    const copy = { ...data, n: 1 };
    expect(await everywhere()).toEqual([copy, copy, copy, copy, undefined]);
  });

  it("is started before there are jobs; every one runs a broadcast", async () => {
    pool.start(2, { modules: [url] });
    await pool.ready();
    const pids = await pool.broadcast(jobs.pid);
    expect(new Set(pids).size).toBe(2);
    const known = pool.stats().perThread.map(({ threadId }) => threadId);
    expect(new Set(known)).toEqual(new Set(pids));
  });

  it("goes on when the terminal interrupts the program", async () => {
    const pid = await jobs.pid();
    process.kill(pid, "SIGINT");
    expect(await pool.broadcast(jobs.pid)).toContain(pid);
  });
});

describe("what only a ThreadPool has", () => {
  it.each([
    ["timeline", () => new ProcessPool({ trace: "trace.json" as never })],
    ["placement", () => pool.threads],
  ])("is refused by the name of the capability: %s", (capability, ask) => {
    expect(ask).toThrow(expect.objectContaining({ code: "ERR_SKEIN_NOT_SUPPORTED", capability }));
    expect(pool.capabilities[capability as "timeline"]).toBe(false);
  });

  it("shared memory in `workerData` is refused by its path", () => {
    const shared = new SharedArrayBuffer(4);
    expect(() => new ProcessPool({ workerData: { deep: [shared] } })).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_NOT_CLONEABLE", path: "workerData.deep[0]" }),
    );
  });
});

describe("the context", () => {
  it("is that of the call, AsyncLocals and storages that flow, in the job and after it", async () => {
    const seen = await request.run("r1", () =>
      tenant.run("acme", async () => [await jobs.ambient(), tenant.value, request.getStore()]),
    );
    expect(seen).toEqual([["acme", "r1"], "acme", "r1"]);
    expect(await pool.broadcast(jobs.ambient)).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });
});

describe("jobs that are sent ahead", () => {
  it("are taken back from a process that is in a long one, while another has nothing to do", async () => {
    // So that it is known how short they are.
    await Promise.all(Array.from({ length: 100 }, () => jobs.add(1, 1)));
    const gate = gates.make();
    const [long, ...short] = [jobs.spin(gate), ...Array.from({ length: 50 }, () => jobs.pid())];
    try {
      // One that stayed behind the long one would wait for ever.
      const pids = await Promise.all(short);
      await opened(gate, 1);
      const known = pool.stats().perThread.map(({ threadId }) => threadId);
      expect(known).toEqual(expect.arrayContaining([...new Set(pids), load(gate, 1)]));
    } finally {
      store(gate, 0, 1);
    }
    expect(await long).toBe("released");
  });

  it("that are cancelled never run, wherever they are", async () => {
    const release = await occupy(2);
    const controller = new AbortController();
    const log = gates.make();
    const tasks = Array.from({ length: 5 }, () =>
      pool.run(jobs.dieOnce, [log], { signal: controller.signal }),
    );
    controller.abort();
    for (const task of tasks) expect(await errorOf(task)).toBe(controller.signal.reason);
    await eventually("none waits", () => pool.stats().queued.normal === 0);
    await release();
    await pool.broadcast(jobs.pid);
    expect(load(log, 0)).toBe(0);
  });
});

describe("a job that computes", () => {
  it("sees that it is cancelled, and that its time is over", async () => {
    const gate = gates.make();
    const controller = new AbortController();
    const cancelled = pool.run(jobs.spin, [gate], { signal: controller.signal });
    await opened(gate, 1);
    controller.abort();
    expect(await errorOf(cancelled)).toBe(controller.signal.reason);
    expect(await errorOf(pool.run(jobs.spin, [gates.make()], { runTimeoutMs: 20 }))).toBeInstanceOf(
      JobTimeoutError,
    );
    // Both processes are free again.
    await (
      await occupy(2)
    )();
  });

  it("and does not stop is killed with its process after `graceMs`, and nobody else is", async () => {
    const gate: Gate = gates.make(3);
    const release = await occupy(1);
    const controller = new AbortController();
    const options = { signal: controller.signal, onCancel: "terminate", graceMs: 5 } as const;
    const victim = pool.run(jobs.spinForever, [gate], options);
    await opened(gate, 1);
    const behind = jobs.add(1, 2);
    controller.abort("enough");
    expect(await errorOf(victim)).toMatchObject({ code: "ERR_SKEIN_JOB_CANCELED", reason: "enough" });
    expect(await behind).toBe(3);
    await release();
    expect(pool.stats()).toMatchObject({ crashed: 0 });
  });
});

describe("a job", () => {
  it("is let go of while it waits, when it is cancelled", async () => {
    const one = new ProcessPool({ maxThreads: 1 });
    const its = one.module<typeof Jobs>(url);
    const cancel = async (): Promise<WeakRef<object>> => {
      const controller = new AbortController();
      const task = one.run(its.add, [1, 1], { signal: controller.signal });
      controller.abort();
      expect(await errorOf(task)).toBe(controller.signal.reason);
      return new WeakRef(task);
    };
    const cancelled = await cancel();
    // Its process has not started yet.
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc!();
    expect(cancelled.deref()).toBeUndefined();
    await one.close({ drain: false });
  });

  it("waits for another process when none can be made", async () => {
    const two = new ProcessPool({ maxThreads: 2 });
    const its = two.module<typeof Jobs>(url);
    const gate = gates.make();
    const held = its.hold(gate);
    await opened(gate, 1);
    const { execPath } = process;
    // `spawn` throws, as it does where no file can be opened any more.
    process.execPath = "\0";
    const behind = its.pid();
    await new Promise((resolve) => setImmediate(resolve));
    process.execPath = execPath;
    store(gate, 0, 1);
    expect(await behind).toBe(await held);
    await two.close();
  });
});

describe.concurrent("an exclusive job", () => {
  it("runs alone in its process", async () => {
    const wide = new ProcessPool({ maxThreads: 1, jobsPerThread: 8 });
    const its = wide.module<typeof Jobs>(url);
    const gate = gates.make();
    const sharing = its.hold(gate);
    await opened(gate, 1);
    const alone = wide.run(its.pid, [], { exclusive: true });
    const later = its.add(1, 1);
    expect(alone.isCompleted).toBe(false);
    store(gate, 0, 1);
    expect([await alone, await later]).toEqual([await sharing, 2]);
    // A broadcast comes to the process, but not beside an exclusive job.
    const order = gates.make(0) as string;
    const first = wide.run(its.leaveMark, [order, 1, 0, 20, "end"], { exclusive: true });
    await new Promise((resolve) => setImmediate(resolve));
    const second = wide.broadcast(its.leaveMark, [order, 2, 0, 0, "begin"]);
    await Promise.all([first, second]);
    expect(readFileSync(order, "utf8")).toBe("1\n2\n");
    await wide.close();
  });

  it("that is given up before it begins keeps no process from the others", async () => {
    const wide = new ProcessPool({ maxThreads: 1, jobsPerThread: 2 });
    const its = wide.module<typeof Jobs>(url);
    const gate = gates.make();
    const held = its.hold(gate);
    await opened(gate, 1);
    const controller = new AbortController();
    const given = wide.run(its.add, [1, 1], { exclusive: true, signal: controller.signal });
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await errorOf(given);
    expect(await its.add(1, 1)).toBe(2);
    store(gate, 0, 1);
    await held;
    await wide.close();
  });
});

describe.concurrent("priorities", () => {
  it("hold for exclusive jobs, too", async () => {
    const one = new ProcessPool({ maxThreads: 1 });
    const its = one.module<typeof Jobs>(url);
    const order: string[] = [];
    const run = (name: string, options: RunOptions): PromiseLike<unknown> =>
      one.run(its.add, [1, 1], options).then(() => order.push(name));
    const gate = gates.make();
    const held = its.hold(gate);
    await opened(gate, 1);
    const low = Array.from({ length: 4 }, () => run("low", { priority: "low", exclusive: true }));
    // By now the process waits for one of them.
    await new Promise((resolve) => setImmediate(resolve));
    const high = run("high", { priority: "high" });
    const normal = [run("exclusive", { exclusive: true }), run("other", {}), run("other", {})];
    store(gate, 0, 1);
    await Promise.all([held, high, ...low, ...normal]);
    expect(order).toEqual(["high", "exclusive", "other", "other", "low", "low", "low", "low"]);
    await one.close();
  });

  it("give exclusive jobs of a lower one their turn", async () => {
    const one = new ProcessPool({ maxThreads: 1 });
    const its = one.module<typeof Jobs>(url);
    const gate = gates.make();
    const held = its.hold(gate);
    await opened(gate, 1);
    let before = 0;
    const high = Array.from({ length: 1000 }, () =>
      one.run(its.add, [1, 1], { priority: "high" }).then(() => before++),
    );
    const low = one.run(its.add, [1, 1], { priority: "low", exclusive: true }).then(() => before);
    store(gate, 0, 1);
    await held;
    expect(await low).toBeLessThan(1000);
    await Promise.all(high);
    await one.close();
  });
});

describe.concurrent("limits", () => {
  it("a job with more than maxQueueBytes is refused, also when it is the only one", async () => {
    await using small = new ProcessPool({ maxThreads: 1, maxQueueBytes: 1000 });
    const length = (text: string): number => text.length;
    const refused = await errorOf(small.run(length, ["x".repeat(5000)]));
    expect(refused).toMatchObject({ code: "ERR_SKEIN_QUEUE_FULL", limit: "maxQueueBytes", value: 1000 });
    expect(await small.run(length, ["x".repeat(500)])).toBe(500);
  });

  it("a process is replaced after so many jobs; so many jobs may wait; an idle one leaves", async () => {
    const small = new ProcessPool({
      minThreads: 1,
      maxThreads: 1,
      maxJobsPerThread: 1,
      maxQueue: 1,
    });
    const its = small.module<typeof Jobs>(url);
    const exits: unknown[] = [];
    const onExit = (message: unknown): void => void exits.push(message);
    subscribe("skein:thread:exit", onExit);
    const first = its.pid();
    const second = its.pid();
    expect(await errorOf(its.pid())).toBeInstanceOf(QueueFullError);
    expect(await first).not.toBe(await second);
    await eventually("both are replaced", () => small.stats().recycled === 2);
    await small.close();
    unsubscribe("skein:thread:exit", onExit);
    expect(exits).toContainEqual(expect.objectContaining({ poolId: small.id, exitCode: 0, lostJobs: [] }));
  });

  it("a process whose successor fails goes on", async () => {
    const folder = mkdtempSync(join(tmpdir(), "skein-loads-"));
    const kept = new ProcessPool({
      maxThreads: 1,
      maxJobsPerThread: 1,
      initialize: new URL("../fixtures/fails-second.ts", import.meta.url),
      env: { ...process.env, SKEIN_TEST_LOADS: join(folder, "loads") },
    });
    const its = kept.module<typeof Jobs>(url);
    const sums = Array.from({ length: 4 }, (_, i) => its.add(i, 1));
    expect(await Promise.all(sums)).toEqual([1, 2, 3, 4]);
    await kept.close();
    rmSync(folder, { recursive: true });
  });

  it.each<[option: string, options: object]>([
    ["maxThreads", { maxThreads: 0 }],
    ["spinLimitUs", { spinLimitUs: 1 }],
    ["codeRangeSizeMb", { resourceLimits: { codeRangeSizeMb: 1 } }],
    ["env", { env: Symbol.for("nodejs.worker_threads.SHARE_ENV") }],
  ])("a bad `%s` is named", (option, options) => {
    expect(() => new ProcessPool(options)).toThrow(new RegExp(option));
  });
});

describe.concurrent("what a process cannot send", () => {
  it("is left out of an error, which arrives", async () => {
    const error = await errorOf(
      pool.run(() => {
        const body = new Blob(["x"]);
        const memory = new SharedArrayBuffer(8);
        const own = { code: "EFULL", body, list: [1, new Int32Array(memory), memory] };
        throw Object.assign(new RangeError("disk is full"), own);
      }),
    );
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: "disk is full", code: "EFULL", list: [1, undefined, undefined] });
    expect(error).not.toHaveProperty("body");
    const dropped = (error as Record<symbol, readonly string[]>)[Symbol.for("skein.error.dropped")]!;
    expect(dropped.map((note) => note.split(" cannot leave its process")[0])).toEqual([
      "body",
      "list[1]",
      "list[2]",
    ]);
  });
});

describe.concurrent("progress that cannot be read here", () => {
  it("fails its job, and no other one", async () => {
    const deep = new ProcessPool({ maxThreads: 1, jobsPerThread: 2, resourceLimits: { stackSizeMb: 4 } });
    const its = deep.module<typeof Jobs>(url);
    const gate = gates.make();
    const other = its.hold(gate);
    await opened(gate, 1);
    const report = deep.run(its.reportNested, [5000], { onProgress: () => {} });
    expect(await errorOf(report)).toMatchObject({ code: "ERR_SKEIN_NOT_CLONEABLE" });
    store(gate, 0, 1);
    await other;
    expect(deep.stats().crashed).toBe(0);
    await deep.close();
  });
});

describe.concurrent("a broadcast with retries", () => {
  it("runs again in another process when its own has died", async () => {
    const one = new ProcessPool({ maxThreads: 1 });
    const its = one.module<typeof Jobs>(url, { retries: 1 });
    await its.pid();
    expect(await errorOf(one.broadcast(its.die, ["SIGKILL"]))).toMatchObject({ signal: "SIGKILL" });
    expect(one.stats().crashed).toBe(1);
    await one.close();
  });
});

describe.concurrent("a module that fails", () => {
  it("and that Node does not load again, costs its process, so that a later job finds it mended", async () => {
    const folder = mkdtempSync(join(tmpdir(), "skein-mended-"));
    const [file, mended] = [join(folder, "mended.mjs"), join(folder, "mended")];
    writeFileSync(
      file,
      `import { existsSync } from "node:fs";
      if (!existsSync(${JSON.stringify(mended)})) throw new Error("not yet");
      export const ok = () => true;`,
    );
    const its = pool.module<{ ok(): boolean }>(file);
    expect(await errorOf(its.ok())).toMatchObject({ message: "not yet" });
    writeFileSync(mended, "");
    expect(await its.ok()).toBe(true);
    rmSync(folder, { recursive: true });
  });
});

describe.concurrent("flags of the program", () => {
  it.each([
    [
      ["--import", "tsx", "-C", "dev", "--no-warnings"],
      ["--import", "tsx", "-C", "dev", "--no-warnings"],
    ],
    [["--input-type=module", "-e", "-1", "--expose-gc"], ["--expose-gc"]],
    [
      ["--test", "--test-reporter", "spec", "-r", "./a.js"],
      ["-r", "./a.js"],
    ],
    [
      ["--inspect-brk=0", "--inspect-port", "0", "--watch-path", "src", "--stack-size=900"],
      ["--stack-size=900"],
    ],
  ])("%s", (flags, kept) => {
    expect(withoutOrders(flags)).toEqual(kept);
  });
});

describe.concurrent("a program", () => {
  it("ends by itself with an idle pool, and has the output of its jobs in their order", async () => {
    const { code, stdout, stderr } = await runNode({
      args: [
        "--input-type=module",
        "--eval",
        `import { ProcessPool } from "@skein/pool/process";
        const pool = new ProcessPool();
        const jobs = pool.module(${JSON.stringify(url)});
        for (const word of ["first", "second"]) await jobs.print(word);
        console.log("third");`,
      ],
      cwd: import.meta.dirname,
    });
    expect([stdout, stderr, code]).toEqual(["first\nsecond\nthird\n", "FIRST\nSECOND\n", 0]);
  });
});
