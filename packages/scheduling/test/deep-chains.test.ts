import { describe, expect, it } from "vitest";
import { Task, TaskCompletionSource } from "../src/index.ts";

const DEPTH = 12_000;

describe("A4.9 12 000 deep chains do not overflow", () => {
  it("then, inline", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    let last: Task<number> = source.task;
    for (let i = 0; i < DEPTH; i++) last = last.then((value) => value + 1);
    source.setResult(0);
    expect(await last).toBe(DEPTH);
  });

  it("continueWith, inline", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    let last: Task<number> = source.task;
    for (let i = 0; i < DEPTH; i++) last = last.continueWith((task) => task.result + 1, { policy: "inline" });
    source.setResult(0);
    expect(await last).toBe(DEPTH);
  });

  it("sources that complete each other", async () => {
    const sources = Array.from(
      { length: DEPTH },
      () => new TaskCompletionSource<number>({ continuations: "inline" }),
    );
    sources.forEach((source, index) => {
      void source.task.then((value) => sources[index + 1]?.setResult(value + 1));
    });
    sources[0]?.setResult(0);
    expect(await sources.at(-1)?.task).toBe(DEPTH - 1);
  });

  it("tasks that resolve to tasks", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    let last: Task<number> = source.task;
    for (let i = 0; i < DEPTH; i++) {
      const inner = last;
      last = Task.fromResult(0).continueWith(() => inner);
    }
    await Task.yield();
    source.setResult(7);
    expect(await last).toBe(7);
  });

  it("whenAll, whenAny and waitAsync of each other", async () => {
    const source = new TaskCompletionSource<unknown>({ continuations: "inline" });
    let last: Task<unknown> = source.task;
    for (let i = 0; i < DEPTH / 3; i++) {
      last = Task.whenAll([Task.whenAny([last])]).waitAsync({ signal: new AbortController().signal });
    }
    source.setResult(1);
    await last.continueWith((task) => task.status);
    expect(last.status).toBe("succeeded");
  });

  it("nested awaits", async () => {
    const source = new TaskCompletionSource<number>({ continuations: "inline" });
    const nested = async (task: Task<number>): Promise<number> => await task;
    let last: Task<number> = source.task;
    for (let i = 0; i < DEPTH; i++) last = Task.from(nested(last));
    source.setResult(7);
    expect(await last).toBe(7);
  });
});
