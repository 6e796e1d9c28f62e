import { expect, it } from "vitest";
import { costOf } from "../../src/primitives/cost.ts";

it("bytes are those of one operation, time is that of one", async () => {
  const kept: unknown[] = [];
  const round = costOf((count) => {
    kept.length = 0;
    for (let i = 0; i < count; i++) kept.push(new Float64Array(0).buffer, { i });
  }, 200);
  const { bytes, ns } = await round();
  expect(bytes).toBeGreaterThan(16);
  expect(ns).toBeGreaterThan(0);
});

it("what allocates nothing costs no bytes", async () => {
  let sum = 0;
  const round = costOf((count) => {
    for (let i = 0; i < count; i++) sum += i & 1;
  }, 100_000);
  // Half of the smallest object: on a busy machine V8 may compile something meanwhile.
  expect((await round())["bytes"]).toBeLessThan(8);
  expect(sum).toBeGreaterThan(0);
});

it("an asynchronous way is awaited before the next begins", async () => {
  let underWay = 0;
  let most = 0;
  const round = costOf(async () => {
    most = Math.max(most, ++underWay);
    await Promise.resolve();
    underWay--;
  }, 1);
  await round();
  expect(most).toBe(1);
});
