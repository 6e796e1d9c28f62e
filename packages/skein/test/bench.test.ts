import { expect, test } from "vitest";
import { skein } from "./skein.ts";

const triangle = "[[0,0],[0,1],[1,0]]";

test("skein bench measures a direct call, calls one by one, and all threads", async () => {
  const args = ["bench", "geo.jobs.ts#area", triangle, "--time-ms", "20", "--threads", "2"];
  const { code, stdout, stderr } = await skein([...args, "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const rows = JSON.parse(stdout) as Record<string, unknown>[];
  expect(rows.map(({ way }) => way)).toEqual(["direct call", "pool, one by one", "pool, 2 threads"]);
  for (const row of rows) {
    expect(row["calls"]).toBeGreaterThan(0);
    expect(row["callsPerSecond"]).toBeGreaterThan(0);
    expect(row["p99Us"]).toBeGreaterThanOrEqual(row["p50Us"] as number);
  }
  const { stdout: table } = await skein(args);
  expect(table).toMatch(
    /^ +calls\/s +p50 +p99\ndirect call .* [un]?m?s\npool, one by one .*\npool, 2 threads .*\n$/,
  );
});

test.each([
  ["the default export of compiled CommonJS", "compiled.jobs.cjs#default", "1"],
  ["a generator, which is read to its end", "geo.jobs.ts#upTo", "3"],
  ["a job that changes its arguments, which other calls do not see", "geo.jobs.ts#lengthen", "[]"],
])("measures %s", async (_, job, argument) => {
  const ended = await skein(["bench", job, argument, "--time-ms", "20", "--json"]);
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(ended.stdout)).toHaveLength(3);
});

test("a generator that throws has failed", async () => {
  const failed = await skein(["bench", "geo.jobs.ts#upToRefusal", "1", "--time-ms", "20"]);
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toMatch(/^RangeError: no such shape/);
});

test("a job that fails, and wrong usage, end it as they end skein run", async () => {
  const failed = await skein(["bench", "geo.jobs.ts#refuse", "--time-ms", "20"]);
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toMatch(/^RangeError: no such shape\n\s+at refuse/);
  const wrong = await skein(["bench", "geo.jobs.ts#are", "--time-ms", "20"]);
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toContain('Did you mean "area"?');
});
