/** `pool.threads`: host/thread-handle.ts. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { AsyncLocal } from "@skein/context";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ThreadPool, type ThreadMessage } from "../../src/index.ts";
import { UncaughtErrors } from "../uncaught.ts";

const initialize = new URL("../fixtures/posts-early.ts", import.meta.url);
const post = async (value: unknown): Promise<void> => {
  const { parentPort } = await import("node:worker_threads");
  parentPort!.postMessage(value);
};
const threadId = (): number => process.getBuiltinModule("node:worker_threads").threadId;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let pool: ThreadPool;
let heard: unknown[];
const hear = (value: unknown): void => void heard.push(value);
async function untilHeard(count: number): Promise<void> {
  while (heard.length < count) await turn();
}
/** With what the thread posts on its way out of the way: results may be here before that. */
async function started(): Promise<void> {
  pool.start(1);
  const thread = pool.threads[0]!.on("message", hear);
  await untilHeard(1);
  thread.off("message", hear);
  heard = [];
}
beforeEach(() => {
  heard = [];
  pool = new ThreadPool({ name: "handled", minThreads: 1, maxThreads: 2, initialize });
});
afterEach(() => pool.close({ drain: false }));

describe("pool.threads", () => {
  it("are those that there are, the same objects each time", async () => {
    expect(pool.threads).toEqual([]);
    pool.start(2);
    const { threads } = pool;
    expect(threads.map(({ name, index }) => [name, index])).toEqual([
      ["handled", 0],
      ["handled", 1],
    ]);
    await pool.ready();
    const ids = await pool.broadcast(threadId);
    expect(new Set(threads.map(({ threadId }) => threadId))).toEqual(new Set(ids));
    expect(pool.threads[0]).toBe(threads[0]);
    pool.setMaxThreads(1);
    while (pool.threads.length > 1) await turn();
    await pool.close();
    expect(pool.threads).toEqual([]);
  });

  it("are ended by `terminate`, with what they run; another one may start at once", async () => {
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const spin = (begun: Int32Array): never => {
      Atomics.store(begun, 0, 1);
      for (;;);
    };
    pool.setMaxThreads(1);
    const running = pool.run(spin, [gate]);
    const outcome = running.then(null, (error: unknown) => error);
    while (Atomics.load(gate, 0) === 0) await turn();
    const thread = pool.threads[0]!;
    const waiting = pool.run(threadId);
    const alone = pool.run(threadId, [], { thread: thread.threadId });
    const gone = alone.then(null, (error: unknown) => error);
    expect(thread.isLeaving).toBe(false);
    const ended = thread.terminate();
    expect(thread.isLeaving).toBe(true);
    pool.start(1);
    expect(pool.threads.map(({ isLeaving }) => isLeaving)).toEqual([true, false]);
    expect(await gone).toMatchObject({ code: "ERR_SKEIN_THREAD_GONE" });
    await ended;
    expect(await outcome).toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED", wasTerminated: true });
    expect(await waiting).not.toBe(thread.threadId);
    await thread.terminate();
  });

  it("are ended by `terminate` while they start, however often: others start when jobs need them", async () => {
    pool.setMaxThreads(1);
    pool.start(1);
    const ready = pool.ready().then(null, (error: unknown) => error);
    const waiting = pool.run(threadId);
    for (let i = 0; i < 4; i++) await pool.threads[0]!.terminate();
    expect(await waiting).toBe(pool.threads[0]!.threadId);
    expect(await ready).toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED", wasTerminated: true });
  });

  it("say what they cost; when they have ended, only that", async () => {
    await pool.run(() => 1);
    const thread = pool.threads[0]!;
    expect(thread.eventLoopUtilization()).toMatchObject({ utilization: expect.any(Number) as number });
    const isKnown = (error: unknown): unknown => (error as { code: string }).code;
    const heap = await thread.heapStatistics().then(({ used_heap_size: used }) => used > 0, isKnown);
    const cpu = await thread.cpuUsage().then(({ user }) => user > 0, isKnown);
    for (const outcome of [heap, cpu]) expect([true, "ERR_SKEIN_UNSUPPORTED"]).toContain(outcome);
    await pool.close();
    await expect(thread.heapStatistics()).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_/) as string,
    });
    thread.postMessage("to nobody");
    expect(thread.eventLoopUtilization()).toMatchObject({ idle: 0, active: 0 });
  });
});

describe("messages", () => {
  it("go both ways past the jobs, which they do not disturb", async () => {
    await started();
    const thread = pool.threads[0]!.on("message", hear);
    const buffer = new ArrayBuffer(8);
    thread.postMessage({ type: "close" });
    thread.postMessage(buffer, [buffer]);
    const jobs = Array.from({ length: 50 }, (_, i) => pool.run((x: number) => x, [i]));
    await untilHeard(2);
    expect(heard).toEqual([{ echo: { type: "close" } }, { echo: new ArrayBuffer(8) }]);
    expect(buffer.detached).toBe(true);
    expect(await Promise.all(jobs)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    thread.off("message", hear);
    thread.on("message", hear).on("message", hear).off("message", hear);
    await pool.run(post, ["once"]);
    await untilHeard(3);
    expect(heard[2]).toBe("once");
  });

  it("before the thread is ready reach whoever hears of it by the channel", async () => {
    const listen = (message: unknown): void => {
      const { threadId } = message as ThreadMessage;
      pool.threads.find((thread) => thread.threadId === threadId)?.on("message", hear);
    };
    subscribe("skein:thread:start", listen);
    await pool.run(() => 1);
    await untilHeard(1);
    unsubscribe("skein:thread:start", listen);
    expect(heard).toEqual(["early"]);
  });

  it("reach listeners in the empty context; one that throws is uncaught, the others and the jobs go on", async () => {
    const request = new AsyncLocal<string>({ name: "request of threads.test" });
    await started();
    const thread = pool.threads[0]!;
    const error = new Error("from a listener");
    request.run("one", () =>
      thread.on("message", () => {
        hear(request.value);
        throw error;
      }),
    );
    thread.on("message", hear);
    using uncaught = new UncaughtErrors();
    await request.run("two", () => pool.run(post, [7]));
    await untilHeard(2);
    expect(await pool.run(() => 2)).toBe(2);
    expect(heard).toEqual([undefined, 7]);
    expect(uncaught.seen).toEqual([error]);
  });

  it("that are no messages, and events and listeners that are none, are refused", async () => {
    await started();
    const thread = pool.threads[0]!;
    expect(() => thread.postMessage(() => 1)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_NOT_CLONEABLE", path: "message" }),
    );
    expect(() => thread.postMessage(1, [1 as never])).toThrow("`transfer[0]`");
    expect(() => thread.on("exit" as never, hear)).toThrow("`event`");
    expect(() => thread.off("message", 1 as never)).toThrow("`listener`");
  });
});
