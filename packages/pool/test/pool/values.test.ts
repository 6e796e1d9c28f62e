/** Values and errors keep what they are, through the whole pool. */
// oxlint-disable typescript/no-unsafe-type-assertion -- whatever a job throws arrives as unknown
import { runInNewContext } from "node:vm";
import { afterAll, describe, expect, it } from "vitest";
import { droppedProperties } from "../../src/codec/error-record.ts";
import { registerError, ThreadPool } from "../../src/index.ts";
import { HttpError } from "../fixtures/http-error.ts";
import type * as Values from "../fixtures/values.jobs.ts";

registerError(HttpError);
const pool = new ThreadPool({ maxThreads: 1 });
const jobs = pool.module<typeof Values>(new URL("../fixtures/values.jobs.ts", import.meta.url));
afterAll(() => pool.close());

const failureOf = (task: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(task).then(
    () => "resolved",
    (error: unknown) => error,
  );

describe("large results", () => {
  it("arrive whole, and are the thread's afterwards, too", async () => {
    for (const count of [8, 9]) {
      const { bytes, text } = await jobs.large(1 << 20);
      expect([bytes.length, bytes[0], bytes.at(-1), bytes.buffer.byteLength]).toEqual([
        1 << 20,
        count,
        7,
        1 << 20,
      ]);
      expect(text === "\u00e9".repeat(1 << 20)).toBe(true);
    }
  });

  it("wait for a main thread that is busy, however many they are", async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const count = 10;
    const results = Array.from({ length: count }, () => jobs.all(words));
    for (let done = 0; done < count; done = Atomics.load(words, 0)) Atomics.wait(words, 0, done, 1000);
    for (const bytes of await Promise.all(results))
      expect([bytes.length, bytes.at(-1)]).toEqual([32 << 20, 7]);
  });
});

describe("Buffers", () => {
  it("arrive as Buffers in arguments, at every depth", async () => {
    const buffer = Buffer.from("hello");
    const texts = await jobs.texts(buffer, { map: new Map([["key", buffer]]) }, [Buffer.from("x")]);
    expect(texts).toEqual(["aGVsbG8=", "aGVsbG8=", "eA=="]);
  });

  it("arrive as Buffers in results, with memory of their own", async () => {
    const { list, map, error } = await jobs.buffers("hello");
    expect(list[0]!.toString("base64")).toBe("aGVsbG8=");
    expect(list[0]!.buffer.byteLength).toBe(5);
    expect(map.get("key")).toBe(list[0]);
    expect(error.cause).toBe(list[0]);
  });

  it.each([16, 64 << 10])("of %d moved bytes arrive as Buffers too", async (bytes) => {
    const buffer = Buffer.from(new ArrayBuffer(bytes));
    expect(await pool.run(jobs.isBuffer, [buffer], { transfer: [buffer.buffer] })).toBe(true);
    expect(buffer).toHaveLength(0);
  });
});

describe("promises, tasks and other thenables", () => {
  it("are refused by path among arguments, and nothing is submitted", async () => {
    const { submitted } = pool.stats();
    for (const value of [Promise.resolve(1), jobs.isBuffer(1), { then() {} }]) {
      expect(await failureOf(jobs.isBuffer(value))).toMatchObject({
        code: "ERR_SKEIN_NOT_CLONEABLE",
        path: "args[0]",
        message: expect.stringContaining("await it before you pass it"),
      });
      expect(await failureOf(jobs.isBuffer({ list: [value] }))).toMatchObject({ path: "args[0].list[0]" });
    }
    // The task among the values was submitted itself.
    expect(pool.stats().submitted).toBe(submitted + 1);
  });

  it("are refused by path within results; a result that is one is awaited", async () => {
    for (const what of ["promise", "thenable"] as const) {
      expect(await failureOf(jobs.returnNested(what))).toMatchObject({
        code: "ERR_SKEIN_NOT_CLONEABLE",
        path: "result.list[0]",
        message: expect.stringContaining("await it before you pass it"),
      });
    }
    expect(await jobs.returnThenable()).toBe("awaited");
    expect(await jobs.returnCallableThenable()).toBe("awaited");
  });
});

describe("errors", () => {
  it("keep hidden properties, nested errors, and what is left without their uncloneable parts", async () => {
    const error = (await failureOf(jobs.failLikeLibraries())) as Error & Record<string | symbol, unknown>;
    expect(Object.getPrototypeOf(error)).toBe(HttpError.prototype);
    expect(error.message).toBe("HTTP 503");
    expect(error.issues).toEqual([{ path: ["a"] }]);
    expect(Object.keys(error)).not.toContain("issues");
    expect(error.config).toEqual({ url: "/x", transformRequest: [,], headers: { accept: "json" } }); // oxlint-disable-line no-sparse-arrays -- the hole is what is left
    expect(error[droppedProperties]).toEqual(["config.transformRequest[0] is a function"]);
    expect((error.bytes as Buffer).toString("utf8")).toBe("body");
    expect(error.results).toEqual([{ status: "rejected", reason: expect.any(TypeError) }]);
    expect((error.results as { reason: object }[])[0]!.reason).toMatchObject({ code: "E_INNER" });
  });

  it.each([null, undefined])("a thrown %s rejects with an error that says so", async (nothing) => {
    expect(await failureOf(jobs.throwNothing(nothing))).toMatchObject({ code: "ERR_SKEIN_NOTHING_THROWN" });
  });
});

describe("objects", () => {
  it("whose keys are those of Object.prototype arrive with them", async () => {
    const value = (await jobs.namedLikePrototype()) as object;
    expect(JSON.stringify(value)).toBe(
      '{"constructor":"Bosch","toString":"x","list":[{"valueOf":1},{"valueOf":2}]}',
    );
  });

  it("of classes called like Node's arrive with their fields", async () => {
    class FileHandle {
      path = "data.csv";
    }
    expect(await pool.run((file: { path: string }) => file.path, [new FileHandle()])).toBe("data.csv");
  });

  it("of another realm arrive as what they are", async () => {
    const [list, map, plain] = runInNewContext("[[1], new Map(), { a: 1 }]") as object[];
    expect(await jobs.kindOf(list!)).toEqual(["true", "false", "false"]);
    expect(await jobs.kindOf(map!)).toEqual(["false", "true", "false"]);
    expect(await jobs.kindOf(plain!)).toEqual(["false", "false", "true"]);
  });
});
