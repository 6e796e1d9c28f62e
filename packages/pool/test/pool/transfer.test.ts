/** Values that are moved, and values that only a message carries, through a pool. */
import { createSecretKey, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { open as openFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { MessageChannel, type MessagePort, type Transferable } from "node:worker_threads";
import { afterAll, describe, expect, it } from "vitest";
import { move, ThreadPool } from "../../src/index.ts";
import { move as moveInWorker } from "../../src/worker.ts";
import type * as Transfer from "../fixtures/transfer.jobs.ts";
import { allStarted, makeGate, open, opened } from "../gate.ts";

const url = new URL("../fixtures/transfer.jobs.ts", import.meta.url);
const pool = new ThreadPool({ maxThreads: 2 });
const jobs = pool.module<typeof Transfer>(url);
afterAll(() => pool.close());

function filled(length: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value);
}

async function errorOf(task: PromiseLike<unknown>): Promise<unknown> {
  return task.then(
    () => null,
    (error: unknown) => error,
  );
}

/** Blocks every thread of a pool until the returned function is called. */
async function blockAll(target: ThreadPool, threads: number): Promise<() => Promise<void>> {
  await allStarted(target, threads);
  const gate = makeGate(2);
  const hold = (words: Int32Array): void => {
    Atomics.add(words, 1, 1);
    Atomics.wait(words, 0, 0);
  };
  const tasks = Array.from({ length: threads }, () => target.run(hold, [gate]));
  while (Atomics.load(gate, 1) < threads) await new Promise((resolve) => setTimeout(resolve, 1));
  return async () => {
    open(gate);
    await Promise.all(tasks);
  };
}

describe("arguments that are moved", () => {
  it.each([
    [
      "by the option",
      (bytes: Uint8Array<ArrayBuffer>) => pool.run(jobs.increment, [bytes], { transfer: [bytes.buffer] }),
    ],
    ["by move()", (bytes: Uint8Array<ArrayBuffer>) => jobs.increment(move(bytes, [bytes.buffer]))],
  ])("%s: they are detached when the call returns, and come back moved", async (_name, run) => {
    for (let i = 0; i < 20; i++) {
      const bytes = filled(1 << 16, i);
      const task = run(bytes);
      expect(bytes.buffer.detached).toBe(true);
      const back = await task;
      expect(back).toHaveLength(1 << 16);
      expect(back[(1 << 16) - 1]).toBe(i + 1);
    }
  });

  it.each([100, 50_000])(
    "arrive also when all threads are busy, each with its own job: %i bytes",
    async (length) => {
      const release = await blockAll(pool, 2);
      const tasks = Array.from({ length: 100 }, (_, i) => {
        const bytes = filled(length, i);
        const task = pool.run(jobs.increment, [bytes], { transfer: [bytes.buffer] });
        expect(bytes.buffer.detached).toBe(true);
        return task;
      });
      await release();
      expect((await Promise.all(tasks)).map((bytes) => bytes[99])).toEqual(
        Array.from({ length: 100 }, (_, i) => i + 1),
      );
    },
  );

  it.each([8, 50_000])("start a thread when there is none: %i bytes", async (length) => {
    await using fresh = new ThreadPool({ maxThreads: 1 });
    const bytes = filled(length, 1);
    expect(await fresh.module<typeof Transfer>(url).increment(move(bytes, [bytes.buffer]))).toEqual(
      filled(length, 2),
    );
  });

  it.each([
    [20_000, 8],
    [6000, 17_000],
  ])(
    "A3.2 many at once, more than there are slots, each run once with its own: %i of %i bytes",
    async (count, length) => {
      const tasks = Array.from({ length: count }, (_, i) => {
        const bytes = filled(length, i & 63);
        return jobs.increment(move(bytes, [bytes.buffer]));
      });
      const results = await Promise.all(tasks);
      expect(results.every((bytes, i) => bytes[7] === (i & 63) + 1)).toBe(true);
    },
  );

  it("may be parts of the value, aliases included, while the rest is copied", async () => {
    const moved = new ArrayBuffer(16);
    const copied = filled(16, 3);
    const value = { whole: moved, parts: [new Uint8Array(moved, 4, 4), new Int32Array(moved)], copied };
    const echoed = (await pool.run(jobs.echo, [value], { transfer: [moved] })) as typeof value;
    expect(moved.detached).toBe(true);
    expect(copied.buffer.detached).toBe(false);
    expect(echoed.parts.map((part) => part.buffer)).toEqual([echoed.whole, echoed.whole]);
    expect(echoed.parts[0]!.byteOffset).toBe(4);
    expect(echoed.copied).toEqual(copied);
  });

  it("pass through map()", async () => {
    const items = Array.from({ length: 40 }, (_, i) => filled(10, i));
    const results: number[] = [];
    for await (const bytes of pool.map(
      jobs.increment,
      items.map((bytes) => move(bytes, [bytes.buffer])),
    ))
      results.push(bytes[9]!);
    expect(results).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(items.every((bytes) => bytes.buffer.detached)).toBe(true);
  });

  it.each([1, 2])(
    "go to one job at a time on each of %i threads, between quick jobs too, when jobs await",
    async (maxThreads) => {
      await using own = new ThreadPool({ maxThreads });
      const { countOverlaps, increment } = own.module<typeof Transfer>(url);
      const overlaps = new Int32Array(new SharedArrayBuffer(4));
      const calls = Array.from({ length: 300 }, (_, i) => {
        const bytes = filled(17_000, i & 63);
        const moved = move(bytes, [bytes.buffer]);
        return i % 10 === 9 ? countOverlaps(moved, overlaps) : increment(moved);
      });
      const results = await Promise.all(calls);
      expect(results.map((bytes) => bytes[16_999])).toEqual(calls.map((_, i) => (i & 63) + 1));
      // A thread that has waited 20 ms for the host goes on with other jobs (late-arguments.ts). On a busy machine that happens.
      expect(overlaps[0]).toBeLessThan(10);
    },
  );

  it("are not lost while threads are told to leave and others start", async () => {
    await using own = new ThreadPool({ minThreads: 1, maxThreads: 3 });
    const { increment } = own.module<typeof Transfer>(url);
    const tasks: PromiseLike<Uint8Array>[] = [];
    for (let round = 0; round < 24; round++) {
      for (let i = 0; i < 20; i++) {
        const bytes = filled(17_000, i);
        tasks.push(increment(move(bytes, [bytes.buffer])));
      }
      own.setMinThreads(1);
      own.setMaxThreads(1 + (round % 3));
      own.setMinThreads(1 + (round % 3));
      await new Promise((resolve) => setImmediate(resolve));
      if (round % 4 === 0) await tasks[tasks.length - 10];
    }
    const results = await Promise.all(tasks);
    expect(results.map((bytes) => bytes[0])).toEqual(results.map((_, i) => (i % 20) + 1));
  });

  it("do not wait behind a job that awaits while another thread is free", async () => {
    await using own = new ThreadPool({ maxThreads: 2 });
    await allStarted(own, 2);
    const { increment, waitForGate } = own.module<typeof Transfer>(url);
    for (let round = 0; round < 20; round++) {
      const send = (): PromiseLike<Uint8Array> => {
        const bytes = filled(17_000, 1);
        return increment(move(bytes, [bytes.buffer]));
      };
      await Promise.all(Array.from({ length: 50 }, send));
      const gate = makeGate();
      const bytes = filled(17_000, 1);
      const waiting = waitForGate(gate, move(bytes, [bytes.buffer]));
      // They settle before the gate opens, so none of them is stuck behind it.
      expect(await Promise.all(Array.from({ length: 20 }, send))).toHaveLength(20);
      open(gate);
      await waiting;
    }
  });

  it("go to jobs that await in the order of their calls: none is sent ahead, to be given back behind the others", async () => {
    await using own = new ThreadPool({ maxThreads: 1 });
    const { incrementLater } = own.module<typeof Transfer>(url);
    const order: number[] = [];
    const calls = Array.from({ length: 40 }, async (_, i) => {
      const bytes = filled(17_000, i);
      await incrementLater(move(bytes, [bytes.buffer]));
      order.push(i);
    });
    await Promise.all(calls);
    expect(order).toEqual(calls.map((_, i) => i));
  });

  it("arrive when the job's function was not loaded yet, and when it is async", async () => {
    await using fresh = new ThreadPool({ maxThreads: 1 });
    const bytes = filled(8, 1);
    const task = fresh.module<typeof Transfer>(url).incrementLater(move(bytes, [bytes.buffer]));
    expect(await task).toEqual(filled(8, 2));
  });
});

describe("what cannot be moved is refused, and nothing is detached", () => {
  const good = new ArrayBuffer(8);
  const gone = new ArrayBuffer(8);
  structuredClone(gone, { transfer: [gone] });
  const locked = new ReadableStream();
  locked.getReader();
  const shared = new SharedArrayBuffer(8);
  const cases: [name: string, list: unknown, message: string][] = [
    ["no array", good, "Expected `transfer` to be an array"],
    ["a primitive", [good, 5], "Expected `transfer[1]` to be a transferable object, got the number 5"],
    ["null", [good, null], "Expected `transfer[1]` to be a transferable object, got null"],
    ["a plain object", [good, {}], "Expected `transfer[1]` to be a transferable object"],
    ["listed twice", [good, good], "Expected `transfer[1]` to be an object that is listed once"],
    [
      "transferred before",
      [good, gone],
      "Expected `transfer[1]` to be an ArrayBuffer that was not transferred before",
    ],
    ["a view", [good, new Uint8Array(8)], "(list the `buffer` of a view)"],
    ["shared memory", [good, shared], "(shared memory need not be listed)"],
    ["the memory of small Buffers", [good, Buffer.from("x").buffer], "an ArrayBuffer of your own"],
    ["a locked stream", [good, locked], "a stream that is not locked"],
    ["a Blob", [good, new Blob(["x"])], "Expected `transfer[1]` to be a transferable object"],
  ];
  it.each(cases)("%s", (_name, list, message) => {
    const transfer = list as Transferable[];
    expect(() => pool.run(jobs.echo, [good], { transfer })).toThrow(message);
    expect(() => pool.run(jobs.echo, [good], { transfer })).toThrow(TypeError);
    expect(() => move([good], transfer)).toThrow(message.replace("`transfer", "`transferList"));
    expect(good.detached).toBe(false);
  });

  it("move() wants an object; both entries of the package export it", () => {
    expect(() => move(5 as never, [])).toThrow("Expected `value` to be an object, got the number 5");
    expect(moveInWorker).toBe(move);
  });

  it("a port that was transferred before rejects", async () => {
    const { port1, port2 } = new MessageChannel();
    structuredClone(port2, { transfer: [port2] });
    const error = await errorOf(pool.run(jobs.echo, [good], { transfer: [good, port2] }));
    expect(error).toMatchObject({ code: "ERR_SKEIN_NOT_CLONEABLE", path: "args" });
    expect(good.detached).toBe(false);
    port1.close();
  });

  it("with retries: what was moved cannot be given again", async () => {
    expect(() => pool.run(jobs.echo, [good], { transfer: [good], retries: 1 })).toThrow(
      "Expected `retries` to be 0 for a job whose arguments are moved, got the number 1",
    );
    const withRetries = pool.module<typeof Transfer>(url, { retries: 2 });
    const error = await errorOf(withRetries.echo(move({ good }, [good])));
    expect(error).toMatchObject({ code: "ERR_SKEIN_OUT_OF_RANGE" });
    expect(good.detached).toBe(false);
  });

  it("as a default of a module, and with broadcast", () => {
    expect(() => pool.module(url, { transfer: [good] })).toThrow(
      "Expected `transfer` to be given with a call",
    );
    expect(() => pool.broadcast(jobs.echo, [move({ good }, [good])])).toThrow(TypeError);
    move({ good }, []);
    expect(good.detached).toBe(false);
  });

  it("another argument cannot be cloned; the queue is full; the pool is closed; the signal has fired", async () => {
    const refused = await errorOf(pool.run(jobs.echo, [[good, () => 1]], { transfer: [good] }));
    expect(refused).toMatchObject({ path: "args[0][1]" });
    const full = new ThreadPool({ maxThreads: 1, maxQueue: 0 });
    const release = await blockAll(full, 1);
    const error = await errorOf(full.run(jobs.echo, [good], { transfer: [good] }));
    expect(error).toMatchObject({ code: "ERR_SKEIN_QUEUE_FULL" });
    await release();
    await full.close();
    const closed = await errorOf(full.run(jobs.echo, [good], { transfer: [good] }));
    expect(closed).toMatchObject({ code: "ERR_SKEIN_POOL_CLOSED" });
    const signal = AbortSignal.abort();
    expect(await errorOf(pool.run(jobs.echo, [good], { transfer: [good], signal }))).toBe(signal.reason);
    expect(good.detached).toBe(false);
  });

  it.each([16, 64 << 10])("Node refuses what goes beside %d moved bytes", async (bytes) => {
    const moved = new ArrayBuffer(bytes);
    const sent = pool.run(jobs.echo, [[moved, new Proxy(new Blob([]), {})]], { transfer: [moved] });
    expect(await errorOf(sent)).toMatchObject({
      path: "args",
      message: expect.stringContaining("Node refuses"),
    });
    expect(moved.detached).toBe(false);
    await using one = new ThreadPool({ maxThreads: 1 });
    expect(await one.run(jobs.moveBesideRefused, [bytes])).toEqual({
      result: "result Blob",
      item: "item Blob",
      forked: "result Blob",
      lengths: [bytes, bytes, bytes],
    });
  });

  it("what needs to be moved and is not listed rejects with its path", async () => {
    const { port1, port2 } = new MessageChannel();
    expect(await errorOf(jobs.echo({ deep: [port2] }))).toMatchObject({
      code: "ERR_SKEIN_NOT_CLONEABLE",
      path: "args[0].deep[0]",
      message: expect.stringContaining("list it in `transfer`"),
    });
    expect(await errorOf(jobs.returnPortUnlisted())).toMatchObject({ path: "result.deep[0]" });
    port1.close();
  });
});

describe("results that are moved", () => {
  it("are detached in the thread that returned them", async () => {
    await using one = new ThreadPool({ maxThreads: 1 });
    const { makeAndMove, lastLength } = one.module<typeof Transfer>(url);
    const { bytes } = await makeAndMove(5000);
    expect(bytes.byteLength).toBe(5000);
    expect(await lastLength()).toBe(0);
  });

  it("the value is marked once: sent a second time it is copied", async () => {
    const value: { bytes: ArrayBuffer } = { bytes: new ArrayBuffer(8) };
    await jobs.echo(move(value, [value.bytes]));
    value.bytes = new ArrayBuffer(8);
    await jobs.echo(value);
    expect(value.bytes.detached).toBe(false);
  });

  it("an empty list takes the mark back", async () => {
    const value = { bytes: new ArrayBuffer(8) };
    await jobs.echo(move(move(value, [value.bytes]), []));
    expect(value.bytes.detached).toBe(false);
  });
});

describe("many results that are moved", () => {
  const MB = 1 << 20;
  const COUNT = 12;
  const SOON_MS = 5;

  /** On a pool of one thread, whose last job says that it has begun: all others are over then. The main thread takes nothing in until then. */
  function runAll(own: ThreadPool, last: (gate: Int32Array) => void) {
    const gate = makeGate();
    const { makeAndMove } = own.module<typeof Transfer>(url);
    const results = Array.from({ length: COUNT }, () => makeAndMove(MB));
    const end = own.run(last, [gate]);
    return { gate, outcomes: Promise.allSettled([...results, end]) };
  }
  const outcomesOf = (ended: readonly PromiseSettledResult<{ bytes: ArrayBuffer } | void>[]): unknown[] =>
    ended.map((each) => (each.status === "fulfilled" ? each.value?.bytes.byteLength : each.reason.name));
  const expected = (last: string): unknown[] => [...Array.from({ length: COUNT }, () => MB), last];

  it("are there though their thread has died since", async () => {
    await using own = new ThreadPool({ maxThreads: 1 });
    await own.module<typeof Transfer>(url).makeAndMove(MB);
    const { gate, outcomes } = runAll(own, (words) => {
      Atomics.store(words, 1, 1);
      Atomics.notify(words, 1);
      process.exit(1);
    });
    Atomics.wait(gate, 1, 0);
    expect(outcomesOf(await outcomes)).toEqual(expected("ThreadCrashedError"));
  });

  it("are there at the deadline of close(), if their jobs are over by then", async () => {
    const own = new ThreadPool({ maxThreads: 1 });
    await own.module<typeof Transfer>(url).makeAndMove(MB);
    const { gate, outcomes } = runAll(own, (words) => {
      Atomics.store(words, 1, 1);
      Atomics.notify(words, 1);
      Atomics.wait(words, 0, 0);
    });
    const closed = own.close({ timeoutMs: 1 });
    Atomics.wait(gate, 1, 0);
    Atomics.wait(gate, 0, 0, SOON_MS);
    await closed;
    expect(outcomesOf(await outcomes)).toEqual(expected("PoolClosedError"));
  });

  it("and arguments arrive, whatever was canceled between them", async () => {
    await using own = new ThreadPool({ maxThreads: 2 });
    const { increment } = own.module<typeof Transfer>(url);
    for (let round = 0; round < 2; round++) {
      const calls = Array.from({ length: 60 }, (_, i) => {
        const bytes = filled(300_000, i);
        const controller = new AbortController();
        const task = own.run(increment, [bytes], { transfer: [bytes.buffer], signal: controller.signal });
        if (i % 3 === 0) queueMicrotask(() => controller.abort());
        if (i % 7 === 0) setImmediate(() => controller.abort());
        return task;
      });
      const ended = await Promise.allSettled(calls);
      const seen = ended.map((each) =>
        each.status === "fulfilled" ? [each.value.length, each.value[0]] : [each.reason.name],
      );
      const mayBeCanceled = (i: number): boolean => i % 3 === 0 || i % 7 === 0;
      expect(seen).toEqual(
        seen.map(([first], i) =>
          first === "AbortError" && mayBeCanceled(i) ? ["AbortError"] : [300_000, i + 1],
        ),
      );
    }
    expect(own.stats()).toMatchObject({ failed: 0, crashed: 0 });
  });
});

describe("ports and streams", () => {
  it("a job awaits messages on a port it was given", async () => {
    const { port1, port2 } = new MessageChannel();
    const task = pool.run(jobs.answer, [port2], { transfer: [port2] });
    port1.postMessage("hello");
    const [answer] = (await once(port1, "message")) as [string];
    expect([await task, answer]).toEqual(["hello", "hello!"]);
  });

  it("a port whose other end closes before a thread has it closes for the job", async () => {
    await using cold = new ThreadPool({ maxThreads: 1 });
    const { port1, port2 } = new MessageChannel();
    const closed = cold.run(
      (port: MessagePort) =>
        new Promise<string>((resolve) => port.once("close", () => resolve("closed")).ref()),
      [port2],
      { transfer: [port2] },
    );
    port1.close();
    expect(await closed).toBe("closed");
  });

  it("a port works between jobs, while its thread has nothing else to do and while it has", async () => {
    const { port1, port2 } = new MessageChannel();
    await pool.run(jobs.serve, [port2], { transfer: [port2] });
    for (let i = 0; i < 3; i++) {
      port1.postMessage(i);
      expect((await once(port1, "message"))[0]).toBe(`${i}?`);
      await Promise.all([jobs.echo(1), jobs.echo(2), jobs.echo(3)]);
    }
    port1.close();
  });

  it("a port that a job returns works", async () => {
    const port: MessagePort = await jobs.makePort();
    port.postMessage("x");
    expect((await once(port, "message"))[0]).toBe("x.");
    port.close();
  });

  it("a file and a stream", async () => {
    const file = await openFile(fileURLToPath(url));
    expect(await pool.run(jobs.readFirst, [file], { transfer: [file] })).toBe("impor");
    expect(file.fd).toBe(-1);
    const stream = ReadableStream.from<number>([1, 2, 3]);
    expect(await pool.run(jobs.sumStream, [stream], { transfer: [stream as never] })).toBe(6);
  });
});

describe("values that only a message carries", () => {
  it("go there and back, and in errors", async () => {
    expect(await jobs.blobText(new Blob(["to the job"]))).toBe("to the job");
    expect(await (await jobs.blobWith("from the job")).text()).toBe("from the job");
    const error = (await errorOf(jobs.failWithBlob("x"))) as { name: string; blob: Blob };
    expect([error.name, await error.blob.text()]).toEqual(["RangeError", "x"]);
    const key = (await jobs.echo({ nested: [createSecretKey(Buffer.from("secret"))] })) as {
      nested: KeyObject[];
    };
    expect(key.nested[0]!.export().toString()).toBe("secret");
  });

  it("go to every thread with broadcast", async () => {
    await allStarted(pool, 2);
    expect(await pool.broadcast(jobs.blobText, [new Blob(["all"])])).toEqual(["all", "all"]);
  });

  it("are given again when a job runs again", async () => {
    for (const threads of [1, 2]) {
      await using fresh = new ThreadPool({ maxThreads: threads });
      const { dieUntilWithBlob } = fresh.module<typeof Transfer>(url);
      const log = makeGate();
      expect(await fresh.run(dieUntilWithBlob, [log, 3, new Blob(["again"])], { retries: 2 })).toBe("again");
    }
  });
});

describe("jobs that submit jobs", () => {
  it("move their arguments and get moved results", async () => {
    expect(await jobs.nestedIncrement(filled(3, 7))).toEqual([1, 8, 8, 8]);
    expect(await jobs.nestedMany(100)).toBe(
      Array.from({ length: 100 }, (_, i) => (i & 63) + 1).reduce((a, b) => a + b),
    );
  });

  it.each([1, 2])("fork and join, %i threads", async (maxThreads) => {
    await using own = new ThreadPool({ maxThreads });
    const { forkIncrement } = own.module<typeof Transfer>(url);
    expect(await forkIncrement(60)).toBe((60 * 61) / 2);
  });

  it("fork and join what is moved, of any length", async () => {
    for (const length of [100, 4095, 4096, 8192, 16_384, 16_385, 200_000])
      expect(await jobs.forkOne(filled(length, 1))).toEqual(filled(length, 2));
  });

  it("cancel one: the port is closed", async () => {
    expect(await jobs.nestedCancel()).toEqual(["AbortError", "closed"]);
  });
});

describe("a job that ends before a thread has its arguments", () => {
  /** Resolves when the other end of the port was closed. */
  function channel(): { port: MessagePort; closed: Promise<unknown> } {
    const { port1, port2 } = new MessageChannel();
    return { port: port2, closed: once(port1, "close") };
  }

  it("cancelled while it waits: rejects once, and the port is closed", async () => {
    const release = await blockAll(pool, 2);
    const { port, closed } = channel();
    const controller = new AbortController();
    const task = pool.run(jobs.answer, [port], { transfer: [port], signal: controller.signal });
    controller.abort();
    expect(await errorOf(task)).toMatchObject({ name: "AbortError" });
    await closed;
    await release();
  });

  it("timed out while it waits: the same", async () => {
    const release = await blockAll(pool, 2);
    const { port, closed } = channel();
    const task = pool.run(jobs.answer, [port], { transfer: [port], timeoutMs: 5 });
    expect(await errorOf(task)).toMatchObject({ code: "ERR_SKEIN_JOB_TIMEOUT" });
    await closed;
    await release();
  });

  it("close({ drain: false }): rejects, and the port is closed", async () => {
    const own = new ThreadPool({ maxThreads: 1 });
    const release = await blockAll(own, 1);
    const { port, closed } = channel();
    const task = own.run(jobs.answer, [port], { transfer: [port] });
    const closing = own.close({ drain: false });
    expect(await errorOf(task)).toMatchObject({ code: "ERR_SKEIN_POOL_CLOSED" });
    await closed;
    await release();
    await closing;
  });

  it("close() drains: the job runs with its arguments", async () => {
    const own = new ThreadPool({ maxThreads: 1 });
    const release = await blockAll(own, 1);
    const bytes = filled(8, 1);
    const task = own.run(jobs.increment, [bytes], { transfer: [bytes.buffer] });
    const closing = own.close();
    await release();
    expect(await task).toEqual(filled(8, 2));
    await closing;
  });

  it("cancelled while it runs: the late result is dropped, its port closed", async () => {
    const gate = makeGate();
    const { port, closed } = channel();
    const controller = new AbortController();
    const task = pool.run(jobs.holdPortUntil, [gate, port], { transfer: [port], signal: controller.signal });
    await opened(gate);
    controller.abort();
    expect(await errorOf(task)).toMatchObject({ name: "AbortError" });
    open(gate, 1);
    await closed;
  });
});

describe("threads that die", () => {
  it("with the job: it rejects, the others run", async () => {
    const tasks = Array.from({ length: 100 }, (_, i) => {
      const bytes = filled(50, i);
      const job = i % 25 === 24 ? jobs.exitWith : jobs.increment;
      return pool.run(job, [bytes], { transfer: [bytes.buffer] }) as PromiseLike<Uint8Array>;
    });
    const outcomes = await Promise.allSettled(tasks);
    const crashed = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(crashed.map(({ reason }) => (reason as { code: string }).code)).toEqual(
      Array.from({ length: 4 }, () => "ERR_SKEIN_THREAD_CRASHED"),
    );
    expect(outcomes.every((o, i) => o.status === "rejected" || o.value[49] === ((i + 1) & 255))).toBe(true);
  });

  it("while the main thread does not answer it: the job runs elsewhere, or ends with it if the answer was on its way", async () => {
    await using own = new ThreadPool({ maxThreads: 1 });
    const { increment, die } = own.module<typeof Transfer>(url);
    const release = await blockAll(own, 1);
    const bytes = filled(8, 1);
    const task = own.run(increment, [bytes], { transfer: [bytes.buffer] });
    const settled = Promise.allSettled([task]);
    const dead = errorOf(die());
    const released = release();
    // The thread asks, and nobody answers; so it goes on with the next job.
    const until = performance.now() + 200;
    while (performance.now() < until);
    expect(await dead).toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED" });
    const [outcome] = await settled;
    const result =
      outcome.status === "fulfilled" ? outcome.value[7] : (outcome.reason as { code: string }).code;
    expect([2, "ERR_SKEIN_THREAD_CRASHED"]).toContain(result);
    await released;
  });

  it("having submitted jobs: what was held for them is given up, and the pool goes on", async () => {
    expect(await errorOf(jobs.submitAndDie())).toMatchObject({
      code: "ERR_SKEIN_THREAD_CRASHED",
      exitCode: 3,
    });
    const bytes = filled(8, 1);
    expect(await jobs.increment(move(bytes, [bytes.buffer]))).toEqual(filled(8, 2));
  });
});

describe("memory", () => {
  it("nothing of what was moved is kept: done, cancelled while it waits, cancelled while it runs", async () => {
    const own = new ThreadPool({ maxThreads: 1 });
    const { increment, echo } = own.module<typeof Transfer>(url);
    const megabyte = 1 << 20;
    const once = async (): Promise<void> => {
      const bytes = filled(megabyte, 1);
      const controller = new AbortController();
      const { signal } = controller;
      const done = await own.run(increment, [bytes], { transfer: [bytes.buffer] });
      const running = own.run(echo, [done], { transfer: [done.buffer as ArrayBuffer], signal });
      const other = filled(megabyte, 2);
      const waiting = own.run(echo, [other], { transfer: [other.buffer], signal });
      controller.abort();
      await Promise.all([errorOf(running), errorOf(waiting), echo(1)]);
    };
    const used = (): number => {
      globalThis.gc!();
      return process.memoryUsage().arrayBuffers;
    };
    await once();
    const before = used();
    for (let i = 0; i < 30; i++) await once();
    await own.close();
    // Memory is given back beside the collection, and by the turn of the event loop.
    for (let turn = 0; turn < 100 && used() - before >= 4 * megabyte; turn++)
      await new Promise((resolve) => setImmediate(resolve));
    expect(used() - before).toBeLessThan(4 * megabyte);
  });
});
