import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

/** In a process of its own, on the built package: a test runner makes a call of each import, for which there is no stack either. */
async function run(body: string): Promise<unknown> {
  const script = `
    import { EventLoopScheduler, MessageLoop, Task, TaskCompletionSource } from ${entry};
    const SIZES = 24;
    // Calls on the way back from a stack overflow: first where there is hardly any stack, then where there is enough. Frames of another
    // size meet the end of the stack elsewhere.
    function overflow(size, atEachLevel) {
      const visit = (...padding) => {
        try { return visit(...padding); } finally { atEachLevel(); }
      };
      try { visit(...new Array(size)); } catch (error) { if (!(error instanceof RangeError)) throw error; }
    }
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const turns = async (isOver) => { for (let left = 10_000; left > 0 && !isOver(); left--) await turn(); };
    ${body}`;
  const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname });
  return JSON.parse(stdout);
}

const entry = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);

/** Gives how many waiters of completed tasks there were, and how many have been resumed. */
const settleAtEachLevel = (policy: string, waiters: number): Promise<unknown> =>
  run(`
    let completed = 0, resumed = 0;
    for (let size = 0; size < SIZES; size++) {
      const sources = Array.from({ length: 2000 }, () => {
        const source = new TaskCompletionSource({ continuations: "${policy}" });
        for (let i = 0; i < ${waiters}; i++) source.task.then(() => resumed++);
        return source;
      });
      let next = 0;
      overflow(size, () => sources[next++ % sources.length].trySetResult());
      completed += sources.filter(({ task }) => task.isCompleted).length * ${waiters};
      await Task.run(() => {});
      await turns(() => resumed >= completed);
    }
    console.log(JSON.stringify({ isAny: completed > 0, missing: completed - resumed }));
  `);

describe("after a stack overflow that somebody caught", () => {
  it("what is queued later runs", async () => {
    const ran = await run(`
      let ran = 0;
      for (let size = 0; size < SIZES; size++) {
        overflow(size, () => void Task.run(() => {}));
        void Task.run(() => ran++);
        await turns(() => ran > size);
      }
      console.log(ran);
    `);
    expect(ran).toBe(24);
  });

  it("what is queued for later turns runs", async () => {
    const result = await run(`
      const loop = new MessageLoop();
      const scheduler = new EventLoopScheduler();
      const done = Task.fromResult(1);
      const ran = { post: 0, scheduler: 0, yield: 0 };
      for (let size = 0; size < SIZES; size++) {
        overflow(size, () => loop.post(() => {}));
        overflow(size, () => done.continueWith(() => {}, { policy: scheduler }));
        overflow(size, () => done.continueWith(() => {}, { policy: "yield" }));
        loop.post(() => ran.post++);
        done.continueWith(() => ran.scheduler++, { policy: scheduler });
        done.continueWith(() => ran.yield++, { policy: "yield" });
        await turns(() => ran.post > size && ran.scheduler > size && ran.yield > size);
      }
      console.log(JSON.stringify(ran));
    `);
    expect(result).toEqual({ post: 24, scheduler: 24, yield: 24 });
  });

  it.each([
    ["asynchronous", 1],
    ["asynchronous", 3],
    ["yield", 1],
    ["yield", 3],
  ])("completed tasks have resumed each waiter once: policy %s, %i waiters", async (policy, waiters) => {
    expect(await settleAtEachLevel(policy, waiters)).toEqual({ isAny: true, missing: 0 });
  });

  it("a task that follows a thenable ends, or the caller has the error", async () => {
    const pending = await run(`
      const thenable = { then: (resolve) => resolve({ then: (inner) => inner(1) }) };
      const tasks = [];
      for (let size = 0; size < SIZES; size++) overflow(size, () => void tasks.push(Task.from(thenable)));
      for (const task of tasks) task.catch(() => {});
      console.log(tasks.filter(({ isCompleted }) => !isCompleted).length);
    `);
    expect(pending).toBe(0);
  });

  it("faults that nobody observes are reported", async () => {
    const reported = await run(`
      const reported = new Set();
      process.on("unhandledRejection", (error) => reported.add(error.message));
      for (let size = 0; size < SIZES; size++) {
        const error = new Error("deep");
        overflow(size, () => void Task.fromError(error));
        void Task.fromError(new Error(String(size)));
        await turns(() => reported.has(String(size)));
      }
      console.log(reported.size);
    `);
    expect(reported).toBe(25);
  });
});
