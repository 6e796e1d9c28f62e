/** What a pool holds, and lets go. */
import { AsyncLocal } from "@skein/context";
import { ThreadPool } from "@skein/pool";
import { describe, expect, it } from "vitest";
import { makeGate, open, opened } from "../gate.ts";
import { runScriptThatFrees } from "../run-script.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const collect = (globalThis as unknown as { gc: () => void }).gc;
const hold = (gate: Int32Array): void => {
  Atomics.store(gate, 1, 1);
  Atomics.wait(gate, 0, 0);
};
const first = ({ memory }: { memory: SharedArrayBuffer }): number => new Uint8Array(memory)[0]!;
const nothing = (): void => {};

/** The collector decides when: it is asked until it has. */
async function collected(reference: WeakRef<object>): Promise<void> {
  // What `deref` has returned stays until the next turn.
  do {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  } while (reference.deref() !== undefined);
}

describe("memory of a pool", () => {
  it(
    "a burst of large payloads gives its memory back, with the pool open and closed",
    { timeout: timeLimit(120_000) },
    async () => {
      const { stdout, stderr, code } = await runScriptThatFrees("gives-memory-back.ts");
      expect({ stderr, code, stdout }).toEqual({
        stderr: "",
        code: 0,
        stdout: "taken\ngiven back\ngiven back by a closed pool 2\n",
      });
    },
  );

  it("a job that was refused leaves nothing of its arguments behind", async () => {
    await using pool = new ThreadPool({ maxThreads: 1, maxQueueBytes: 1000 });
    const reference = await (async () => {
      const bytes = new Uint8Array(5000);
      await expect(Promise.resolve(pool.run(nothing, [bytes] as never))).rejects.toMatchObject({
        code: "ERR_SKEIN_QUEUE_FULL",
      });
      return new WeakRef(bytes.buffer);
    })();
    await collected(reference);
    expect(reference.deref()).toBe(undefined);
  });

  it("what it took to encode large arguments goes with them", async () => {
    await using pool = new ThreadPool({ maxThreads: 1 });
    const count = (list: readonly object[]): number => list.length;
    await pool.run(count, [[{}]]);
    collect();
    const before = process.memoryUsage().arrayBuffers;
    const records = Array.from({ length: 30_000 }, (_, i) => ({ [`key ${i}`]: "x".repeat(300) }));
    expect(await pool.run(count, [records])).toBe(30_000);
    await eventually("the memory has gone", () => {
      collect();
      return process.memoryUsage().arrayBuffers - before < 5 << 20;
    });
  });

  it("a SharedArrayBuffer of an argument stays until its job has run, whatever the caller does to the argument", async () => {
    await using pool = new ThreadPool({ maxThreads: 1 });
    const gate = makeGate();
    const blocker = pool.run(hold, [gate]);
    await opened(gate, 1);
    const [task, memory] = (() => {
      const message = { memory: new SharedArrayBuffer(8) as SharedArrayBuffer | null };
      new Uint8Array(message.memory!)[0] = 42;
      const reference = new WeakRef(message.memory!);
      const submitted = pool.run(first, [message as { memory: SharedArrayBuffer }]);
      message.memory = null;
      return [submitted, reference] as const;
    })();
    for (let i = 0; i < 10; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    expect(memory.deref()).not.toBe(undefined);
    open(gate);
    await blocker;
    expect(await task).toBe(42);
    await collected(memory);
  });

  it("a SharedArrayBuffer that a job returns is let go by its thread, and by the pool, when nobody has it", async () => {
    await using pool = new ThreadPool({ maxThreads: 1 });
    const make = (): SharedArrayBuffer => {
      const buffer = new SharedArrayBuffer(20 << 20);
      new Uint8Array(buffer)[0] = 7;
      (globalThis as { last?: WeakRef<SharedArrayBuffer> }).last = new WeakRef(buffer);
      return buffer;
    };
    const isThere = (): boolean => {
      (globalThis as { gc?: () => void }).gc!();
      return (globalThis as { last?: WeakRef<SharedArrayBuffer> }).last!.deref() !== undefined;
    };
    const here = await (async () => {
      const buffer = await pool.run(make, []);
      expect(new Uint8Array(buffer)[0]).toBe(7);
      return new WeakRef(buffer);
    })();
    while (await pool.run(isThere, [])) await new Promise((resolve) => setImmediate(resolve));
    await collected(here);
  });

  it("contexts of waiting jobs count in maxQueueBytes, each distinct one once", async () => {
    const value = new AsyncLocal<string>({ name: "memory.value", flow: "thread" });
    await using pool = new ThreadPool({ maxThreads: 1, maxQueueBytes: 100_000 });
    const gate = makeGate();
    const blocker = pool.run(hold, [gate]);
    await opened(gate, 1);
    const text = "x".repeat(10_000);
    const same = value.run(text, () => Array.from({ length: 50 }, () => pool.run(nothing, [])));
    const different = Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => value.run(text + i, () => pool.run(nothing, []))),
    );
    open(gate);
    await blocker;
    await Promise.all(same);
    const refused = (await different).filter((outcome) => outcome.status === "rejected");
    expect(refused.length).toBe(50 - 8);
    expect(refused[0]).toMatchObject({ reason: { code: "ERR_SKEIN_QUEUE_FULL" } });
    // All of it is free again.
    await Promise.all(Array.from({ length: 8 }, (_, i) => value.run(text + i, () => pool.run(nothing, []))));
  });

  it("an idle pool keeps no context of a job that is over", async () => {
    const request = new AsyncLocal<object>();
    const tenant = new AsyncLocal<string>({ name: "memory.tenant", flow: "thread" });
    await using pool = new ThreadPool({ maxThreads: 1 });
    const reference = await (async () => {
      const body = { large: true };
      await request.run(body, () => tenant.run("acme", () => pool.run(nothing, [])));
      return new WeakRef(body);
    })();
    await collected(reference);
    expect(pool.stats().completed).toBe(1);
  });
});
