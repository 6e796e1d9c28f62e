import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal, ContextTooLargeError, ExecutionContext } from "@skein/context";
import { afterAll, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { sampleJobs } from "../gate.ts";

const tenant = new AsyncLocal<string>({ name: "test.tenant", flow: "thread" });
const request = new AsyncLocal<{ id: number }>({ name: "test.request", flow: "wire" });
const here = new AsyncLocal<number>();

const pool = new ThreadPool({ maxThreads: 1 });
const jobs = pool.module<typeof Sample>(sampleJobs);
afterAll(() => pool.close());

describe("context into the thread", () => {
  it("A3.1 a job sees the values of its caller", async () => {
    const seen = await tenant.run("acme", () => request.run({ id: 7 }, () => jobs.context()));
    expect(seen).toEqual({ tenant: "acme", request: { id: 7 } });
  });

  it("still does after an await inside the job", async () => {
    expect(await tenant.run("acme", () => jobs.contextAfterAwait())).toEqual({ tenant: "acme" });
  });

  it("A3.4 nothing is left for the next job", async () => {
    expect(await tenant.run("acme", () => jobs.changeContext("changed"))).toBe("changed");
    expect(await jobs.changeContext("leaked")).toBe("leaked");
    expect(await jobs.context()).toEqual({ tenant: undefined, request: undefined });
    expect(await tenant.run("acme", () => jobs.context())).toMatchObject({ tenant: "acme" });
  });

  it("A1.4 what a job changes is invisible to its caller", async () => {
    await tenant.run("acme", async () => {
      await jobs.changeContext("changed");
      expect(tenant.value).toBe("acme");
    });
  });

  it("A1.6 a job sees the values of the moment of submission", async () => {
    await tenant.run("before", async () => {
      const task = jobs.context();
      tenant.value = "after";
      expect(await task).toMatchObject({ tenant: "before" });
    });
  });

  it("A2.5 suppressed flow takes nothing along; so does flowContext: false", async () => {
    await tenant.run("acme", async () => {
      const control = ExecutionContext.suppressFlow();
      const task = jobs.context();
      control.undo();
      expect(await task).toEqual({ tenant: undefined, request: undefined });
      expect(await pool.run(jobs.context, [], { flowContext: false })).toMatchObject({ tenant: undefined });
    });
  });

  it("A3.5 a thread started inside a request keeps nothing of it", async () => {
    await tenant.run("first", async () => {
      await using fresh = new ThreadPool({ maxThreads: 1 });
      const own = fresh.module<typeof Sample>(sampleJobs);
      expect(await own.context()).toMatchObject({ tenant: "first" });
      const empty = ExecutionContext.suppressFlow();
      const task = own.context();
      empty.undo();
      expect(await task).toMatchObject({ tenant: undefined });
    });
  });

  it("keeps thousands of contexts apart", async () => {
    const tasks = Array.from({ length: 3000 }, (_, i) => tenant.run(`t${i % 700}`, () => jobs.context()));
    const seen = await Promise.all(tasks);
    expect(seen.every(({ tenant }, i) => tenant === `t${i % 700}`)).toBe(true);
  });

  it("a context that is too large is refused at the door, and harms nothing", async () => {
    await expect(tenant.run("x".repeat(20_000), () => jobs.context())).rejects.toBeInstanceOf(
      ContextTooLargeError,
    );
    expect(await jobs.add(1, 2)).toBe(3);
  });
});

describe("context of the continuation", () => {
  it.each(["inline", "asynchronous", "yield"] as const)(
    "'%s': then sees the caller of then",
    async (policy) => {
      const other = new AsyncLocalStorage<string>();
      const seen = await tenant.run("acme", () =>
        here.run(5, () =>
          other.run("theirs", () => {
            const task = pool.run(jobs.add, [1, 2], { continuations: policy });
            return here.run(6, () => task.then((sum) => [sum, tenant.value, here.value, other.getStore()]));
          }),
        ),
      );
      expect(seen).toEqual([3, "acme", 6, "theirs"]);
      expect(here.value).toBeUndefined();
    },
  );

  it("native await keeps the caller's context", async () => {
    await tenant.run("acme", async () => {
      await jobs.add(1, 2);
      expect(tenant.value).toBe("acme");
      await expect(jobs.fail("x")).rejects.toThrow("x");
      expect(tenant.value).toBe("acme");
    });
  });
});
