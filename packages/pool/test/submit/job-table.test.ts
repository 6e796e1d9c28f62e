import { expect, it } from "vitest";
import { JobTable, NONE_FREE } from "../../src/submit/job-table.ts";
import type { PendingJob } from "../../src/submit/pending-job.ts";

const FIRST = 100;
const COUNT = 4;

/** The table only keeps it. */
const job = (name: string): PendingJob => ({ name }) as unknown as PendingJob;

function full(): JobTable {
  const table = new JobTable(FIRST, COUNT);
  for (const name of ["a", "b", "c", "d"]) table.take(job(name));
  return table;
}

it("gives each slot once, then none", () => {
  const table = new JobTable(FIRST, COUNT);
  const taken = Array.from({ length: COUNT }, (_, i) => table.take(job(`job ${i}`)));
  expect(new Set(taken)).toEqual(new Set([100, 101, 102, 103]));
  expect(table.freeCount).toBe(0);
  expect(table.take(job("one too many"))).toBe(NONE_FREE);
});

it("gives the slot that was freed last before one that was never used", () => {
  const table = new JobTable(FIRST, COUNT);
  const first = table.take(job("a"));
  const second = table.take(job("b"));
  table.free(second);
  table.free(first);
  expect([table.take(job("c")), table.take(job("d"))]).toEqual([first, second]);
  expect(table.freeCount).toBeGreaterThan(0);
});

it("has room again when a slot of a full table is freed", () => {
  const table = full();
  table.free(102);
  expect(table.freeCount).toBeGreaterThan(0);
  expect(table.take(job("e"))).toBe(102);
  expect(table.freeCount).toBe(0);
});

it("says which job is in a slot, and null for one that is free or was never used", () => {
  const table = new JobTable(FIRST, COUNT);
  const a = job("a");
  const slot = table.take(a);
  expect(table.job(slot)).toBe(a);
  table.free(slot);
  expect(table.job(slot)).toBeNull();
  expect(table.job(FIRST + COUNT - 1)).toBeNull();
});

it("lists the slots in use", () => {
  const table = full();
  table.free(101);
  expect([...table.entries()].map(([slot]) => slot)).toEqual([100, 102, 103]);
});
