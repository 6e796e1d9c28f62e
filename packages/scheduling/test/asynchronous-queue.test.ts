import { describe, expect, it } from "vitest";
import { Task, TaskCompletionSource } from "../src/index.ts";

describe("policy asynchronous", () => {
  it.each([10, 4096, 4097, 20_000])("runs %i continuations in the order of completion", async (count) => {
    const log: number[] = [];
    const sources = Array.from({ length: count }, () => new TaskCompletionSource<number>());
    const last = sources.map((source) => source.task.then((value) => log.push(value))).at(-1);
    sources.forEach((source, index) => source.setResult(index));
    expect(log).toEqual([]);
    await last;
    expect(log).toEqual([...sources.keys()]);
  });

  it("items that feed each other for long keep their order, and each runs once", async () => {
    const rounds = 30_000;
    const log: string[] = [];
    const chain = (name: string, left: number): Task<unknown> => {
      log.push(name);
      return left === 0 ? Task.fromResult(0) : Task.fromResult(left - 1).then((next) => chain(name, next));
    };
    const start = new TaskCompletionSource<number>();
    const both = [start.task.then((left) => chain("a", left)), start.task.then((left) => chain("b", left))];
    start.setResult(rounds - 1);
    await Task.whenAll(both);
    expect(log).toHaveLength(2 * rounds);
    expect(log.every((name, index) => name === (index % 2 === 0 ? "a" : "b"))).toBe(true);
  });
});
