/** `broadcast`: every thread gets the whole argument list. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ThreadPool } from "../../src/index.ts";
import type * as Transfer from "../fixtures/transfer.jobs.ts";
import { allStarted, makeGate, open } from "../gate.ts";

const threads = 3;
const url = new URL("../fixtures/transfer.jobs.ts", import.meta.url);
const pool = new ThreadPool({ maxThreads: threads });
const jobs = pool.module<typeof Transfer>(url);
beforeAll(() => allStarted(pool, threads));
afterAll(() => pool.close());

function onAll<T>(value: T): T[] {
  return Array.from({ length: threads }, () => value);
}

describe("the arguments of a broadcast reach every thread", () => {
  it.each([
    ["a short text", "short"],
    ["a text of more than a slot holds", "a".repeat(500)],
    ["a long text", "a".repeat(5000)],
    ["a long text that is not Latin-1", "→".repeat(5000)],
    ["long bytes", new Uint8Array(8192).fill(7)],
    ["a Buffer", Buffer.alloc(100_000, 7)],
    ["long texts and bytes between others", [1, "b".repeat(6000), { c: Buffer.alloc(5000, 2) }, "d"]],
  ])("%s, also after a larger message", async (_name, value) => {
    expect(await pool.broadcast(jobs.echo, [value])).toEqual(onAll(value));
    await jobs.echo(Array.from({ length: 3000 }, (_, i) => ({ of: `another call ${i}` })));
    expect(await pool.broadcast(jobs.echo, [value])).toEqual(onAll(value));
  });

  it.each([0, 5000])("a Blob, with a text of %d characters", async (length) => {
    const text = "a".repeat(length);
    const got = await pool.broadcast(jobs.blobBehind, [text, new Blob(["all"])]);
    expect(got).toEqual(onAll(`${text}all`));
  });

  it.each([0, 5000])("again when a thread dies, with a text of %d characters", async (length) => {
    await using fresh = new ThreadPool({ maxThreads: threads });
    const { dieOnceOn } = fresh.module<typeof Transfer>(url, { retries: 1 });
    await allStarted(fresh, threads);
    const gate = makeGate();
    const text = "a".repeat(length);
    const dying = fresh.threads[1]!.threadId;
    const ended = (): number => fresh.stats().completed + fresh.stats().failed;
    const before = ended();
    const all = fresh.broadcast(dieOnceOn, [dying, gate, text, new Blob(["all"])]);
    // The others have ended, and what they carried is gone.
    while (ended() < before + threads - 1) await new Promise((resolve) => setTimeout(resolve, 1));
    open(gate, 1);
    expect(await all).toEqual(onAll(`${text}all`));
    expect(gate[0]).toBe(1);
  });
});

describe("a call that is refused rejects in the same way, with `run` and with `broadcast`", () => {
  const nothing = expect.objectContaining({ code: "ERR_SKEIN_NOTHING_THROWN" });
  const list = [new Error("one"), new Error("two")];
  const both = (args: [unknown]): unknown[] => [pool.run(jobs.echo, args), pool.broadcast(jobs.echo, args)];

  it.each([
    ["null", null, nothing],
    ["undefined", undefined, nothing],
    ["a list, which stays one", list, list],
    ["an error", list[0], list[0]],
  ])("when a getter throws %s", async (_name, thrown, expected) => {
    const argument = {
      get value() {
        throw thrown;
      },
    };
    for (const refused of both([argument])) await expect(refused).rejects.toEqual(expected);
  });

  it("an error of the engine says which job it is about", async () => {
    for (const refused of both([() => 1]))
      await expect(refused).rejects.toMatchObject({
        code: "ERR_SKEIN_NOT_CLONEABLE",
        job: `echo (${url.href})`,
      });
  });
});
