import { tracingChannel } from "node:diagnostics_channel";
import { expect, it } from "vitest";
import { ThreadPool, type TracedMap } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { sampleJobs } from "../gate.ts";

const channel = tracingChannel<TracedMap, TracedMap>("skein:map");

it.each([
  ["start", null],
  ["end", null],
  ["error", "failed"],
  ["asyncStart", "failed"],
  ["asyncEnd", "failed"],
] as const)("a subscriber of nothing but %s hears of it", async (event, outcome) => {
  await using pool = new ThreadPool({ maxThreads: 1 });
  const jobs = pool.module<typeof Sample>(sampleJobs);
  const heard: unknown[] = [];
  const listener = (message: unknown): void => {
    const map = message as TracedMap;
    heard.push([map.name, map.outcome]);
  };
  channel[event].subscribe(listener);
  const results = pool.map(jobs.fail, ["x"])[Symbol.asyncIterator]();
  await expect(results.next()).rejects.toThrow("x");
  channel[event].unsubscribe(listener);
  expect(heard).toEqual([["fail", outcome]]);
});
