import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Task } from "@skein/scheduling";
import { afterAll, describe, expect, expectTypeOf, it, vi } from "vitest";
import { type JobModule, ThreadPool, type UntypedModule } from "../../src/index.ts";
import { InlineEngine } from "../../src/inline.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import type * as Handles from "../fixtures/handles.jobs.ts";
import { makeGate, sampleJobs } from "../gate.ts";

const pool = new ThreadPool({ maxThreads: 1 });
const jobs = pool.module<typeof Sample>(sampleJobs);
const text = `[JobModule ${sampleJobs.href}]`;
afterAll(() => pool.close());

/** As somebody sees it who knows nothing of it. */
const anything = jobs as unknown as Readonly<Record<string | symbol, (...args: unknown[]) => unknown>>;

describe("looking at a job module starts no job", () => {
  it("for loggers: it is printed by its name", () => {
    expect(inspect(jobs)).toBe(text);
    expect(inspect({ jobs }, { breakLength: Infinity })).toBe(`{ jobs: ${text} }`);
    expect(inspect(jobs, { showProxy: true })).toContain("Proxy");
    expect(JSON.stringify({ jobs })).toBe(JSON.stringify({ jobs: text }));
    expect(text.concat(jobs as never)).toBe(text + text);
    expect(Object.prototype.toString.call(jobs)).toBe("[object JobModule]");
    expect(anything["toString"]()).toBe(text);
    expect(anything["toLocaleString"]()).toBe(text);
    expect(Number(jobs)).toBeNaN();
    expect(pool.stats().submitted).toBe(0);
  });

  it("for whoever walks over objects: there is nothing to see", () => {
    expect(Object.keys(jobs)).toEqual([]);
    expect(Reflect.ownKeys(jobs)).toEqual([]);
    expect({ ...jobs }).toEqual({});
    expect("add" in jobs).toBe(false);
    expect(Object.hasOwn(jobs, "add")).toBe(false);
    expect(anything["hasOwnProperty"]("add")).toBe(false);
    for (const name in jobs) expect(name).toBe("nothing");
    expect(anything["constructor"].name).toBe("JobModule");
    expect(anything["__proto__"]).toBeNull();
    expect(anything["valueOf"]()).toBe(jobs);
    expect(pool.stats().submitted).toBe(0);
  });

  it("for `await`, and for symbols that somebody asks for", async () => {
    expect(await Promise.resolve(jobs)).toBe(jobs);
    expect(await Task.fromResult(1).then(() => jobs)).toBe(jobs);
    expect(anything[Symbol.iterator]).toBeUndefined();
    expect(anything[Symbol("mine")]).toBeUndefined();
    expect(pool.stats().submitted).toBe(0);
  });

  it("for test runners that compare and print", () => {
    expect(jobs).toEqual(jobs);
    expect({ jobs }).not.toEqual({ jobs: 1 });
    expect(() => expect(jobs).toEqual({ a: 1 })).toThrow("JobModule");
    expect(() => assert.deepEqual(jobs, { a: 1 })).toThrow("JobModule");
    const called = vi.fn<(value: unknown) => void>();
    called(jobs);
    expect(called).toHaveBeenCalledWith(jobs);
    expect(pool.stats().submitted).toBe(0);
  });

  it("for an error message that says what came", () => {
    expect(() => pool.run(jobs as never, [])).toThrow("an instance of JobModule");
    expect(pool.stats().submitted).toBe(0);
  });

  it("and freezing it changes nothing", () => {
    const frozen = Object.freeze(pool.module<typeof Sample>(sampleJobs));
    expect(frozen.add).toBeTypeOf("function");
    expect(pool.stats().submitted).toBe(0);
  });
});

it.each<[string, (jobs: JobModule<typeof Sample>) => void]>([
  ["set", (module) => Object.assign(module, { add: () => 3 })],
  ["define", (module) => Object.defineProperty(module, "add", { value: 3 })],
  ["delete", (module) => Reflect.deleteProperty(module, "add")],
])("a job module refuses to be changed, and says why: %s", (_, change) => {
  expect(() => change(jobs)).toThrow(
    expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_READ_ONLY" }),
  );
  expect(() => change(jobs)).toThrow("Cannot change `add` of a job module");
});

it("its type leaves out what cannot be a job, and says so if the type of the module is missing", () => {
  interface Geo {
    area(points: readonly number[]): number;
    readonly centre: (points: readonly number[]) => Promise<number>;
    readonly parse: typeof JSON.parse; // returns any
    refuse(): never;
    makeScale(factor: number): (n: number) => number;
    makeLater(): Promise<() => void>;
    classOf(name: string): typeof Map;
    readonly unit: number;
  }
  expectTypeOf<keyof JobModule<Geo>>().toEqualTypeOf<"area" | "centre" | "parse" | "refuse">();
  const untyped = pool.module(sampleJobs);
  expectTypeOf(untyped).toEqualTypeOf<JobModule<UntypedModule>>();
  // @ts-expect-error "… does not exist on type 'give the type of the module: …'"
  expect(untyped.add).toBeTypeOf("function");
});

describe("a handle", () => {
  it("is a function with the name of its export, the same every time", () => {
    expect(jobs.add.name).toBe("add");
    expect(jobs.add).toBe(jobs.add);
    expect(inspect(jobs.add)).toBe("[Function: add]");
    expect(anything["default"]!.name).toBe("default");
    expect(anything["inspect"]!.name).toBe("inspect");
  });

  it("runs on any pool, by where its function lives", async () => {
    await using other = new ThreadPool({ maxThreads: 1 });
    expect(await other.run(jobs.add, [1, 2])).toBe(3);
    expect(await other.broadcast(jobs.add, [1, 2])).toEqual([3]);
    for await (const sum of other.map(jobs.echo, [5])) expect(sum).toBe(5);
    expect(other.stats().completed).toBe(3);
  });

  it("works within a job: with run and with fork", async () => {
    const handles = pool.module<typeof Handles>(new URL("../fixtures/handles.jobs.ts", import.meta.url));
    expect(await handles.runsHandle(sampleJobs.href)).toBe(3);
    expect(await handles.forksHandle(sampleJobs.href)).toBe(7);
  });

  it("of its own module, on one thread: with fork and join, and with parallelFor", async () => {
    await using engine = new InlineEngine();
    await using one = new ThreadPool({ maxThreads: 1 });
    for (const each of [engine, one]) {
      const own = each.module<typeof Handles>(new URL("../fixtures/handles.jobs.ts", import.meta.url));
      const target = makeGate(8);
      expect(await own.forksOwnHandle(21)).toBe(42);
      await own.fillsByHandle(target);
      expect([...target]).toEqual(Array.from(target, () => 2));
    }
  });
});
