import { tracingChannel } from "node:diagnostics_channel";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AsyncLocal } from "@skein/context";
import { PoolClosedError, ThreadCrashedError, ThreadPool, type TracedJob } from "@skein/pool";
import { InlineEngine } from "@skein/pool/inline";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { throwsWhileDown, writtenFiles } from "../../pool/test/jobs/written-files.ts";
import { release, type Remote, spawn, withOptions } from "../src/index.ts";
import type * as Objects from "./fixtures/objects.ts";
import type * as Tallies from "./fixtures/tally.ts";

type Module = typeof Objects;
const url = new URL("./fixtures/objects.ts", import.meta.url);
const requestId = new AsyncLocal<string>({ name: "requestId", flow: "thread" });
const pool = new ThreadPool({ maxThreads: 3 });
afterAll(() => pool.close());

const store = (...args: ConstructorParameters<typeof Objects.Store>): Promise<Remote<Objects.Store>> =>
  spawn<Module, "Store">(pool, url, "Store", args);

const errorOf = (call: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(call).then(
    () => expect.unreachable("it resolved"),
    (error: unknown) => error,
  );

describe("an object on a thread", () => {
  it("keeps its state there, and is called in the context of each caller", async () => {
    const object = await requestId.run("maker", () => store({ a: "1" }));
    await object.set("b", "2");
    expect(await object.get("b")).toBe("2");
    expect(await object.size).toBe(2);
    expect(await object.madeBy).toBe("maker");
    expect(await requestId.run("r1", () => object.seen())).toBe("r1");
    expect(await object.seen()).toBeUndefined();
    await release(object);
  });

  it("may be of a module that is given as a path", async () => {
    const object = await spawn<Module, "Store">(pool, fileURLToPath(url), "Store", [{ a: "1" }]);
    expect(await object.get("a")).toBe("1");
    await release(object);
  });

  it("is made whatever class the program has put in place of Promise and URL", async () => {
    // As libraries have them, older than `allSettled`; Comlink itself takes what is there.
    const Native = Promise;
    function Library(...args: ConstructorParameters<typeof Promise>): Promise<unknown> {
      return new Native(...args);
    }
    vi.stubGlobal("Promise", Object.assign(Library, { resolve: Native.resolve.bind(Native) }));
    onTestFinished(() => void vi.unstubAllGlobals());
    const own = { href: url.href, protocol: "file:" } as URL;
    const object = await spawn<Module, "Store">(pool, own, "Store", [{ a: "1" }], { replicas: 2 });
    vi.unstubAllGlobals();
    expect(await object.get("a")).toBe("1");
    await release(object);
  });

  it("stays on its thread, which counts as busy: jobs run on the others", async () => {
    const object = await store();
    const home = await object.where();
    const jobs = pool.module<Module>(url);
    const places = await Promise.all(Array.from({ length: 10 }, () => jobs.whereAmI()));
    expect(places).not.toContain(home);
    expect(await object.where()).toBe(home);
    await release(object);
  });

  it("is no operation to those who trace jobs", async () => {
    const names: unknown[] = [];
    const onStart = (job: unknown): void => void names.push((job as TracedJob).name);
    const { start } = tracingChannel("skein:job");
    start.subscribe(onStart);
    const object = await store();
    expect(await pool.module<Module>(url).whereAmI()).toBeGreaterThan(0);
    await release(object);
    start.unsubscribe(onStart);
    expect(names).toEqual(["whereAmI"]);
  });

  it("ends when it is released: finalizer, then disposer; its thread is free again", async () => {
    const ends = new Int32Array(new SharedArrayBuffer(8));
    await using own = new ThreadPool({ maxThreads: 1 });
    {
      await using object = await spawn<Module, "Store">(own, url, "Store", [{}, ends]);
      expect(await object.size).toBe(0);
      expect([...ends]).toEqual([0, 0]);
    }
    expect([...ends]).toEqual([1, 1]);
    expect(await own.module<Module>(url).whereAmI()).toBeGreaterThan(0);
  });

  it("ends when its proxy is collected", async () => {
    const ends = new Int32Array(new SharedArrayBuffer(8));
    await (async () => {
      const object = await store({}, ends);
      expect(await object.size).toBe(0);
    })();
    await eventually("it is disposed of", () => {
      globalThis.gc!();
      return Atomics.load(ends, 1) === 1;
    });
  });

  it("takes calls with options, and says when its disposer fails", async () => {
    const object = await store();
    expect(await errorOf(withOptions(object, { timeoutMs: 5 }).hold())).toMatchObject({
      code: "ERR_SKEIN_TIMEOUT",
    });
    await release(object);
    const bad = await spawn<Module, "BadlyDisposed">(pool, url, "BadlyDisposed", []);
    expect(await errorOf(release(bad))).toMatchObject({ message: "will not go" });
  });

  it("takes functions and signals, in its constructor as in calls", async () => {
    const controller = new AbortController();
    const ask = (): string | undefined => requestId.value;
    const object = await spawn<Module, "Asker">(pool, url, "Asker", [{ ask, signal: controller.signal }]);
    expect(await requestId.run("r2", () => object.asked())).toBe("r2");
    controller.abort();
    await object.aborted();
    await release(object);
  });

  it("works on the calling thread too, with an InlineEngine", async () => {
    await using engine = new InlineEngine();
    const tally = new URL("./fixtures/tally.ts", import.meta.url);
    const object = await spawn<typeof Tallies, "Tally">(engine, tally, "Tally", [2]);
    expect(await object.add(3)).toBe(5);
  });
});

describe("with replicas", () => {
  /** For all of these, in their order: the last one closes it. */
  const own = new ThreadPool({ minThreads: 1, maxThreads: 3, jobsPerThread: 4 });
  afterAll(() => own.close({ drain: false }));

  it("goes to threads that have no object yet", async () => {
    await using first = await spawn<Module, "Store">(own, url, "Store", []);
    await using object = await spawn<Module, "Store">(own, url, "Store", [], { replicas: 2 });
    const places = new Set([await first.where()]);
    for (let key = 0; key < 20; key++) places.add(await withOptions(object, { affinity: key }).where());
    expect(places.size).toBe(3);
  });

  it("goes on without one whose thread has died: only its keys move", async () => {
    await using object = await spawn<Module, "Store">(own, url, "Store", [], { replicas: 2 });
    const keys = Array.from({ length: 20 }, (_, i) => i);
    const homes = (): Promise<number[]> =>
      Promise.all(keys.map((affinity) => withOptions(object, { affinity }).where()));
    const before = await homes();
    await errorOf(withOptions(object, { affinity: 0 }).exit(1));
    const after = await homes();
    expect(new Set(after).size).toBe(1);
    expect(after[0]).not.toBe(before[0]);
    expect(before).toContain(after[0]);
  });

  it.each([
    ["two of two", [2, 2]],
    ["one behind two", [2, 1]],
    ["two behind one", [1, 2]],
    ["all sorts", [1, 2, 1, 3, 1]],
  ])("has threads of its own beside those that are made at the same time: %s", async (_, counts) => {
    const maxThreads = counts.reduce((sum, count) => sum + count);
    const full = new ThreadPool({ minThreads: 1, maxThreads });
    onTestFinished(() => full.close({ drain: false }));
    const objects = await Promise.all(
      counts.map((replicas) => spawn<Module, "Store">(full, url, "Store", [], { replicas })),
    );
    const places: number[] = [];
    for (const [i, object] of objects.entries()) {
      const seen = new Set<number>();
      for (let key = 0; seen.size < counts[i]!; key++)
        seen.add(await withOptions(object, { affinity: key }).where());
      places.push(...seen);
    }
    expect(new Set(places).size).toBe(maxThreads);
  });

  it("has the arguments of its call, also where its threads are chosen later", async () => {
    const full = new ThreadPool({ minThreads: 1, maxThreads: 4 });
    onTestFinished(() => full.close({ drain: false }));
    const first = { a: "" };
    const made = [2, 1, 1].map((replicas) => {
      first.a += "x";
      return spawn<Module, "Store">(full, url, "Store", [first], { replicas });
    });
    first.a = "later";
    const objects = await Promise.all(made);
    expect(await Promise.all(objects.map((object) => object.get("a")))).toEqual(["x", "xx", "xxx"]);
  });

  it("rejects when the pool is closed while its threads are chosen", async () => {
    const closing = new ThreadPool({ minThreads: 1, maxThreads: 2 });
    const made = errorOf(spawn<Module, "Store">(closing, url, "Store", [], { replicas: 2 }));
    await closing.close();
    expect(await made).toBeInstanceOf(PoolClosedError);
  });

  it("has threads of its own beside one that is constructed again meanwhile", async () => {
    const full = new ThreadPool({ minThreads: 3, maxThreads: 3 });
    onTestFinished(() => full.close({ drain: false }));
    full.start();
    await full.ready();
    const gates = [0, 1].map(() => new Int32Array(new SharedArrayBuffer(8)));
    const open = (gate: Int32Array): void => {
      Atomics.store(gate, 1, 1);
      Atomics.notify(gate, 1);
    };
    const gated = (gate: Int32Array, passes: number): Promise<Remote<Objects.Gated>> =>
      spawn<Module, "Gated">(full, url, "Gated", [gate, passes], { onLost: "restart" });
    const again = await gated(gates[0]!, 1);
    // The threads of the others are not chosen before this one has its own, or none.
    const failing = errorOf(gated(gates[1]!, 0));
    await eventually("it is being constructed", () => Atomics.load(gates[1]!, 0) === 1);
    const others = spawn<Module, "Store">(full, url, "Store", [], { replicas: 2 });
    expect(await errorOf(again.exit())).toBeInstanceOf(ThreadCrashedError);
    open(gates[1]!);
    expect(await failing).toMatchObject({ message: "not this one" });
    const object = await others;
    open(gates[0]!);
    const places = new Set([await again.where()]);
    for (let key = 0; key < 20; key++) places.add(await withOptions(object, { affinity: key }).where());
    expect(places.size).toBe(3);
  });

  it("leaves its threads to others when it could not be made, and when it is released", async () => {
    await using large = new ThreadPool({ minThreads: 1, maxThreads: 4 });
    const make = (name: "Failing" | "Store"): Promise<Remote<object>> =>
      spawn<Module, typeof name>(large, url, name, [], { replicas: 2 });
    expect(await errorOf(make("Failing"))).toMatchObject({ code: "E_MADE" });
    await release(await make("Store"));
    await release(await make("Store"));
    expect(large.threads).toHaveLength(2);
  });

  it("rejects when one cannot be made, and keeps none", async () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const call = spawn<Module, "Failing">(own, url, "Failing", [flag], { replicas: 2 });
    expect(await errorOf(call)).toMatchObject({ code: "E_MADE" });
    await eventually("its threads are free", () => own.stats().threads.running === 0);
  });

  it("is on several threads; calls go to the least busy, or by their affinity", async () => {
    const object = await spawn<Module, "Store">(own, url, "Store", [{ a: "1" }], { replicas: 3 });
    const held = Array.from({ length: 2 }, () => errorOf(object.hold()));
    expect(await object.where()).toBe(await object.where());
    const keys = Array.from({ length: 30 }, (_, i) => `user-${i}`);
    const homes = (): Promise<number[]> =>
      Promise.all(keys.map((affinity) => withOptions(object, { affinity }).where()));
    const first = await homes();
    expect(new Set(first).size).toBe(3);
    expect(await homes()).toEqual(first);
    await own.close({ drain: false });
    for (const each of held) expect(await each).toBeInstanceOf(PoolClosedError);
  });
});

describe("that cannot be made", () => {
  it("rejects with what its constructor throws", async () => {
    const error = await errorOf(spawn<Module, "Failing">(pool, url, "Failing", []));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: "cannot be made", code: "E_MADE" });
  });

  it("rejects with what its module throws, and can be made when that is whole again, on whatever thread", async () => {
    const folder = writtenFiles({
      "object.mjs": `${throwsWhileDown} export class Counter { value = 1; }`,
      down: "",
    });
    await using own = new ThreadPool({ maxThreads: 1 });
    const make = (): Promise<Remote<{ value: number }>> =>
      spawn<{ Counter: new () => { value: number } }, "Counter">(
        own,
        join(folder, "object.mjs"),
        "Counter",
        [],
      );
    expect(await errorOf(make())).toMatchObject({ message: "down" });
    rmSync(join(folder, "down"));
    const object = await make();
    expect(await object.value).toBe(1);
    await release(object);
  });

  it("rejects when an argument cannot be copied, and leaves nothing on its thread", async () => {
    await using own = new ThreadPool({ maxThreads: 1 });
    const call = spawn<Module, "Store">(own, url, "Store", [new WeakMap() as never]);
    expect(await errorOf(call)).toMatchObject({ name: "DataCloneError" });
    expect(await own.module<Module>(url).whereAmI()).toBeGreaterThan(0);
  });

  it("rejects when the context cannot be encoded", async () => {
    const codec = {
      encode() {
        throw new RangeError("no text for it");
      },
      decode: String,
    };
    const local = new AsyncLocal<string>({ name: "spawn.unencodable", flow: "thread", codec });
    expect(await errorOf(local.run("x", () => store()))).toMatchObject({
      name: "ContextEncodeError",
      cause: { message: "no text for it" },
    });
  });

  it("rejects when there is no such class or module, and refuses bad arguments", async () => {
    const missing = errorOf(spawn<Module, "Store">(pool, url, "Stor" as "Store", []));
    expect(await missing).toMatchObject({ code: "ERR_SKEIN_JOB_NOT_FOUND" });
    expect(((await missing) as Error).message).toContain('Did you mean "Store"?');
    const nowhere = new URL("./fixtures/nowhere.ts", import.meta.url);
    expect(await errorOf(spawn(pool, nowhere, "X" as never, [] as never))).toMatchObject({
      code: "ERR_SKEIN_JOB_MODULE",
    });
    expect(() => spawn<Module, "Store">(pool, "./relative.ts", "Store", [])).toThrow(TypeError);
    expect(() => spawn<Module, "Store">(pool, url, "Store", [], { onLost: "retry" as never })).toThrow(
      TypeError,
    );
    expect(() => spawn<Module, "Store">(pool, url, "Store", [], { replicas: 99 })).toThrow(RangeError);
    expect(() => spawn<Module, "Store">(pool, url, "Store", [], { onLst: 1 } as never)).toThrow(
      "Did you mean",
    );
  });
});

describe("whose thread dies", () => {
  it("rejects calls under way, and all later ones", async () => {
    const object = await store();
    const held = errorOf(object.hold());
    void errorOf(object.exit(5));
    expect(await held).toBeInstanceOf(ThreadCrashedError);
    expect(await held).toMatchObject({ exitCode: 5 });
    expect(await errorOf(object.size)).toBeInstanceOf(ThreadCrashedError);
    await release(object);
  });

  it("gives what calls were answered before that, however late it is read", async () => {
    await using own = new ThreadPool({ maxThreads: 1 });
    const object = await spawn<Module, "Store">(own, url, "Store", [{ a: "1" }]);
    const word = new Int32Array(new SharedArrayBuffer(4));
    const calls = [object.get("a"), object.exitAfterwards(word)];
    await new Promise((resolve) => setImmediate(resolve));
    // Answers and the end of the thread are read together then.
    Atomics.wait(word, 0, 0, 20_000);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    expect(await Promise.all(calls)).toEqual(["1", "answered"]);
    expect(await errorOf(object.size)).toBeInstanceOf(ThreadCrashedError);
  });

  it("is constructed again with `restart`: calls under way reject, later ones have a new object", async () => {
    const object = await requestId.run("maker", () =>
      spawn<Module, "Store">(pool, url, "Store", [{ a: "1" }], { onLost: "restart" }),
    );
    await object.set("b", "2");
    const held = errorOf(object.hold());
    void errorOf(object.exit(5));
    expect(await held).toBeInstanceOf(ThreadCrashedError);
    expect(await object.get("a")).toBe("1");
    expect(await object.get("b")).toBeUndefined();
    expect(await object.madeBy).toBe("maker");
    await release(object);
  });

  it("says why it cannot be constructed again", async () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const object = await spawn<Module, "Failing">(pool, url, "Failing", [flag], { onLost: "restart" });
    expect(await errorOf(object.exit())).toBeInstanceOf(ThreadCrashedError);
    expect(await errorOf(object.exit())).toMatchObject({ code: "E_MADE" });
    await release(object);
  });
});

describe("close of its pool", () => {
  it("waits for its calls, then ends it; takes no new ones", async () => {
    const ends = new Int32Array(new SharedArrayBuffer(8));
    const own = new ThreadPool();
    const object = await spawn<Module, "Store">(own, url, "Store", [{}, ends]);
    const gate = Promise.withResolvers<string>();
    const asked = object.ask(() => gate.promise);
    const closing = own.close();
    expect(await errorOf(object.size)).toMatchObject({ code: "ERR_SKEIN_OBJECT_DISPOSED" });
    gate.resolve("let go");
    expect(await asked).toBe("let go");
    await closing;
    expect([...ends]).toEqual([1, 1]);
  });

  it("without draining ends it at once: its calls reject", async () => {
    const ends = new Int32Array(new SharedArrayBuffer(8));
    const own = new ThreadPool();
    const object = await spawn<Module, "Store">(own, url, "Store", [{}, ends]);
    const held = errorOf(object.hold());
    await own.close({ drain: false });
    expect(await held).toBeInstanceOf(PoolClosedError);
    expect([...ends]).toEqual([0, 1]);
  });

  it("rejects what is made afterwards", async () => {
    const own = new ThreadPool();
    await own.close();
    expect(await errorOf(spawn<Module, "Store">(own, url, "Store", []))).toBeInstanceOf(PoolClosedError);
  });
});
