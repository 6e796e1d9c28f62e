import { afterAll, expect, it } from "vitest";
import { ThreadPool } from "../src/index.ts";
import type * as Sample from "./fixtures/sample.jobs.ts";
import { sampleJobs } from "./gate.ts";

const pool = new ThreadPool({ maxThreads: 1 });
const jobs = pool.module<typeof Sample>(sampleJobs);
afterAll(() => pool.close());

it("an error arrives as itself: class, message, code, properties, cause", async () => {
  const error: unknown = await jobs.fail("out of range").then(null, (e: unknown) => e);
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({ message: "out of range", code: "E_SAMPLE", detail: { a: 1 } });
  expect((error as Error).cause).toMatchObject({ message: "deeper" });
});

it("its stack shows where it was thrown, and who submitted the job", async () => {
  async function theCaller(): Promise<unknown> {
    return jobs.fail("x").then(null, (e: unknown) => e);
  }
  const { stack } = (await theCaller()) as Error;
  expect(stack).toContain("sample.jobs.ts");
  expect(stack).toContain("theCaller");
  expect(stack?.indexOf("sample.jobs.ts")).toBeLessThan(stack!.indexOf("theCaller"));
  expect(stack).not.toContain("thread-pool.ts");
});
