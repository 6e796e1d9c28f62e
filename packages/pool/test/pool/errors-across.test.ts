import { afterAll, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { sampleJobs } from "../gate.ts";

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

it("a job that fails at once, because no thread can start, says who submitted it", async () => {
  const broken = new ThreadPool({ maxThreads: 1, execArgv: ["--no-such-flag"] });
  async function theCaller(): Promise<unknown> {
    return broken.run(() => 1, []).then(null, (e: unknown) => e);
  }
  const error = (await theCaller()) as Error;
  expect(error).toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED" });
  expect(error.stack).toContain("theCaller");
  await broken.close();
});

it.each([null, undefined])(
  "a job that throws %s rejects with an error that says so, and the pool goes on",
  async (nothing) => {
    await expect(pool.run(throwValue, [nothing])).rejects.toMatchObject({ code: "ERR_SKEIN_NOTHING_THROWN" });
    expect(await pool.run((x: number) => x, [1])).toBe(1);
  },
);

it("any other value that a job throws arrives as it is, a list as one error", async () => {
  await expect(pool.run(throwValue, ["text"])).rejects.toBe("text");
  await expect(pool.run(throwValue, [[1, 2]])).rejects.toEqual([1, 2]);
});

function throwValue(value: unknown): never {
  throw value;
}
