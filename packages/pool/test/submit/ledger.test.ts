/**
 * Code of the user's in the middle of every step: whatever it does there, each job keeps its arguments and settles once, and in the end
 * nothing is left.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { setFlagsFromString } from "node:v8";
import { AsyncLocal } from "@skein/context";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Encoder } from "../../src/codec/encoder.ts";
import { PoolClosedError, QueueFullError } from "../../src/errors.ts";
import { NO_JOB } from "../../src/shared/job-queues.ts";
import { TaskJob } from "../../src/submit/task-job.ts";
import type { SubmitOptions } from "../../src/submit/submit-options.ts";
import { HOST, HOST_SERIAL } from "../../src/shared/pool-memory.ts";
import { OUTCOME_RESULT } from "../../src/shared/slot-fields.ts";
import { ringBytes, STREAM_SHAPE, StreamWriter } from "../../src/shared/stream-ring.ts";
import type { OpenedStream } from "../../src/submit/job-stream.ts";
import { SharedBuffers } from "../../src/transfer/shared-buffers.ts";
import { move } from "../../src/transfer/move.ts";
import { ItemWriter } from "../../src/transfer/item-writer.ts";
import { UncaughtErrors } from "../uncaught.ts";
import { PlayedPool, serialOf } from "./played-pool.ts";

const MAX_JOBS = 16;
const MAX_BYTES = 1 << 16;
const inline = { continuations: { continuations: "inline" } } as const;

/** A pool with jobs that have names. Each is called with its name, and so tells who runs with its arguments. */
class Play {
  readonly pool = new PlayedPool({ maxJobs: MAX_JOBS, maxBytes: MAX_BYTES });
  /** By name: what has become of the job. */
  readonly outcomes = new Map<string, string[]>();
  readonly #controllers = new Map<string, AbortController>();
  /** Called by `act`, the first time. */
  #act: (play: Play) => void;

  constructor(act: (play: Play) => void) {
    this.#act = act;
  }

  /** What the user's code does at the place in question. */
  readonly act = (): void => {
    const act = this.#act;
    this.#act = () => {};
    act(this);
  };

  get hasActed(): boolean {
    return this.#act.length === 0;
  }

  /** `rest`: arguments behind the name. */
  submit(name: string, options: Partial<SubmitOptions> = {}, rest: readonly unknown[] = []): TaskJob | null {
    const outcomes: string[] = [];
    if (this.outcomes.has(name)) throw new Error(`${name} was submitted before`);
    this.outcomes.set(name, outcomes);
    const controller = new AbortController();
    this.#controllers.set(name, controller);
    let job: TaskJob;
    try {
      job = this.pool.submit([name, ...rest], { signal: controller.signal, ...options });
    } catch (error) {
      outcomes.push(`refused: ${(error as Error).message}`);
      return null;
    }
    job.task.then(
      (result) =>
        outcomes.push(String(result).includes(name) ? "own arguments" : `those of ${String(result)}`),
      (error: unknown) => outcomes.push(`rejected: ${(error as Error).name}`),
    );
    return job;
  }

  abort(name: string): void {
    this.#controllers.get(name)?.abort();
  }

  /** Runs what waits, on thread 0, and takes the results in. */
  go(): void {
    this.pool.runAll(0);
    this.pool.submitter.ledger.drain();
  }
}

type Place = (play: Play) => void | (() => void);

function on(channel: string): Place {
  return (play) => {
    const listener = (): void => play.act();
    subscribe(channel, listener);
    return () => void unsubscribe(channel, listener);
  };
}

let codecs = 0;

/** Where code of the user's runs, and what a job has to be like for that. */
const places: Record<
  string,
  { prepare?: Place; submit: (play: Play) => void; after?: (play: Play) => void }
> = {
  "a getter of the arguments": {
    submit(play) {
      play.submit("outer", {}, [
        {
          get value() {
            play.act();
            return "x";
          },
        },
      ]);
    },
  },
  "a getter behind bytes that are moved": {
    submit(play) {
      const buffer = new ArrayBuffer(64 << 10);
      const holder = {
        get value() {
          play.act();
          return "x";
        },
      };
      play.submit("outer", { transfer: [buffer] }, [buffer, holder]);
    },
  },
  "the codec of a context": {
    submit(play) {
      const local = new AsyncLocal<string>({
        name: `ledger.test.${codecs++}`,
        flow: "thread",
        codec: {
          encode(value) {
            play.act();
            return value;
          },
          decode: (text) => text,
        },
      });
      local.run("value", () => play.submit("outer"));
    },
  },
  "a listener that hears of a new thread": {
    prepare(play) {
      play.pool.onQueued = play.act;
    },
    submit(play) {
      play.submit("outer");
    },
  },
  "a subscriber of submit": {
    prepare: on("skein:job:submit"),
    submit(play) {
      play.submit("outer");
    },
  },
  "a subscriber of end": {
    prepare: on("skein:job:end"),
    submit(play) {
      play.submit("outer");
    },
  },
  "a subscriber of error": {
    prepare: on("skein:job:error"),
    submit(play) {
      play.submit("outer");
      play.pool.failNext(0);
    },
  },
  "a subscriber of cancel": {
    prepare: on("skein:job:cancel"),
    submit(play) {
      play.submit("outer");
      play.abort("outer");
    },
  },
  "an inline continuation of a result": {
    submit(play) {
      play
        .submit("outer", inline)
        ?.task.then(play.act)
        .catch(() => {});
    },
  },
  "an inline continuation of an error": {
    submit(play) {
      play
        .submit("outer", inline)
        ?.task.then(null, play.act)
        .catch(() => {});
      play.pool.failNext(0);
    },
  },
  "an inline continuation of a cancelled job": {
    submit(play) {
      play
        .submit("outer", inline)
        ?.task.then(null, play.act)
        .catch(() => {});
      play.abort("outer");
    },
  },
  "a progress listener": {
    submit(play) {
      const job = play.submit("outer", { onProgress: () => play.act() })!;
      play.pool.submitter.progress.report(job.extras.progressId, "half");
    },
  },
  "a clock of the user's": {
    prepare() {
      const { setTimeout, clearTimeout } = globalThis;
      return () => Object.assign(globalThis, { setTimeout, clearTimeout });
    },
    submit(play) {
      const clearTimeout = (): void => play.act();
      Object.assign(globalThis, { clearTimeout });
      play.submit("outer", { timeoutMs: 1_000_000 });
    },
  },
};
const acts: Record<string, (play: Play) => void> = {
  "submits a job": (play) => void play.submit("inner"),
  "submits a large job": (play) => void play.submit("inner", {}, ["x".repeat(1000)]),
  "submits more jobs than there are slots": (play) => {
    for (let i = 0; i < 6; i++) play.submit(`inner ${i}`);
  },
  "submits a job whose getter submits another": (play) => {
    const holder = {
      get value() {
        play.submit("innermost", {}, ["y".repeat(500)]);
        return "x".repeat(500);
      },
    };
    play.submit("inner", {}, [holder]);
  },
  "submits a job that cannot be cloned": (play) => void play.submit("inner", {}, [() => {}]),
  throws: () => {
    throw new TypeError("from the user's code");
  },
  "aborts the signal of the job": (play) => play.abort("outer"),
  "cancels another job": (play) => play.abort("second"),
  "submits a job and cancels it": (play) => {
    play.submit("inner");
    play.abort("inner");
  },
  drains: (play) => play.go(),
  "submits a job, runs it and drains": (play) => {
    play.submit("inner");
    play.go();
  },
  "is where a thread ends that has a job": (play) => {
    play.pool.take(1);
    play.pool.recover(1);
  },
  closes: (play) => {
    const { ledger } = play.pool.submitter;
    ledger.close();
    ledger.drop(() => new PoolClosedError());
    ledger.deliver();
  },
  "gives everything up": (play) => {
    const { ledger } = play.pool.submitter;
    ledger.close();
    ledger.failAll(() => new PoolClosedError());
    ledger.deliver();
  },
};

/** Counts what the channels say of each job: a task would hide a second time. */
function countSettlements(): { readonly counts: Map<object, number>; readonly stop: () => void } {
  const counts = new Map<object, number>();
  const listener = (message: unknown): void => {
    const { task } = message as { task: object };
    counts.set(task, (counts.get(task) ?? 0) + 1);
  };
  const names = ["skein:job:end", "skein:job:error", "skein:job:cancel"];
  for (const name of names) subscribe(name, listener);
  return {
    counts,
    stop: () => {
      for (const name of names) unsubscribe(name, listener);
    },
  };
}

function expectNothingLeft({ pool }: Play): void {
  const { ledger, progress } = pool.submitter;
  expect(ledger.outstanding).toBe(0);
  expect(progress.isEmpty).toBe(true);
  expect(pool.slotsInUse()).toEqual([]);
  expect([...pool.held]).toEqual([]);
  const total = pool.host.allStatistics;
  expect(
    total.total("completed") + total.total("failed") + total.total("canceled") + total.total("crashed"),
  ).toBe(total.total("submitted"));
}

/** The limits are as if nothing had ever been submitted. */
function expectLimitsUntouched({ pool }: Play): void {
  const { ledger } = pool.submitter;
  ledger.admit(MAX_BYTES / MAX_JOBS, null, MAX_JOBS);
  expect(() => ledger.admit(0, null, MAX_JOBS + 1)).toThrow(QueueFullError);
  expect(() => ledger.admit(MAX_BYTES + 1, null)).toThrow(QueueFullError);
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(Object.keys(places))("%s", (where) => {
  it.each(Object.keys(acts))("%s", async (what) => {
    using uncaught = new UncaughtErrors();
    const { counts, stop } = countSettlements();
    const place = places[where]!;
    const play = new Play(acts[what]!);
    const undo = place.prepare?.(play);
    try {
      place.submit(play);
      play.submit("second");
      play.submit("third");
      for (let round = 0; round < 4; round++) play.go();
      await turns(1);
      for (let round = 0; round < 4; round++) play.go();
    } finally {
      undo?.();
    }
    await turns(4);
    stop();
    expect(play.hasActed).toBe(true);
    for (const [name, outcomes] of play.outcomes) {
      expect([name, outcomes]).toEqual([
        name,
        [expect.stringMatching(/^(own arguments|rejected: |refused: )/)],
      ]);
    }
    expect([...counts.values()].every((count) => count === 1)).toBe(true);
    expect(counts.size).toBe(play.pool.host.allStatistics.total("submitted"));
    // Only what the user's code itself threw, where nobody else could catch it.
    for (const error of uncaught.seen) expect(error).toMatchObject({ message: "from the user's code" });
    expectNothingLeft(play);
    if (!what.startsWith("closes") && !what.startsWith("gives")) expectLimitsUntouched(play);
  });
});

describe("jobs that were given up", () => {
  it("while a thread has it: its slot is the thread's until it is done, and its outcome is dropped", async () => {
    const play = new Play(() => {});
    const job = play.submit("given up", { onProgress: () => {} }, ["x".repeat(1000)])!;
    const slot = play.pool.take(0);
    play.abort("given up");
    expect([job.slot, play.pool.slotsInUse()]).toEqual([slot, [slot]]);
    for (const name of ["a", "b", "c", "d"]) play.submit(name);
    for (let i = 0; i < 3; i++) expect(play.pool.take(1)).not.toBe(slot);
    expect(play.pool.take(1)).toBe(NO_JOB);
    play.pool.run(0, slot, "too late");
    for (const each of play.pool.slotsInUse()) if (each !== slot) play.pool.run(1, each, "");
    play.go();
    play.go();
    await turns(2);
    expect(play.outcomes.get("given up")).toEqual(["rejected: AbortError"]);
    expectNothingLeft(play);
    expectLimitsUntouched(play);
  });

  it("while a thread has it: its listener hears what was reported before it settled, and nothing after", async () => {
    const heard: unknown[] = [];
    const { pool } = new Play(() => {});
    const { progress, ledger } = pool.submitter;
    const job = pool.submit(["given up"], { ...inline, onProgress: (value) => void heard.push(value) });
    job.task.then(null, () => void heard.push("rejected"));
    const { progressId } = job.extras;
    const slot = pool.take(0);
    progress.report(progressId, "before");
    ledger.cancel(job, new Error("enough"));
    progress.report(progressId, "after");
    progress.lost(progressId);
    ledger.deliver();
    expect(heard).toEqual(["before", "rejected"]);
    // The thread reports under this number until it is done.
    expect(pool.submit(["next"], { onProgress: () => {} }).extras.progressId).not.toBe(progressId);
    pool.run(0, slot, "late");
    ledger.drain();
    pool.runAll(0);
    ledger.drain();
    await Promise.resolve();
    expect([heard, pool.slotsInUse()]).toEqual([["before", "rejected"], []]);
  });

  it("while it waits for a slot: it is skipped there, and those behind it move up in order", async () => {
    const play = new Play(() => {});
    for (let i = 0; i < 8; i++) play.submit(`job ${i}`);
    for (const name of ["job 4", "job 6"]) play.abort(name);
    const order: string[] = [];
    for (;;) {
      const slot = play.pool.take(0);
      if (slot === NO_JOB) break;
      const text = play.pool.argumentsIn(slot);
      order.push(/job \d/.exec(text)![0]);
      play.pool.run(0, slot, text);
      play.pool.submitter.ledger.drain();
    }
    await turns(2);
    expect(order).toEqual(["job 0", "job 1", "job 2", "job 3", "job 5", "job 7"]);
    expectNothingLeft(play);
    expectLimitsUntouched(play);
  });

  it("a job whose thread was given up fails at once; its slot is free when that thread has ended, not before", async () => {
    const play = new Play(() => {});
    const job = play.submit("stuck", { retries: 1 })!;
    const slot = play.pool.take(0);
    const { ledger } = play.pool.submitter;
    ledger.lose(1, new Error("in a native call"));
    ledger.deliver();
    expect(job.task.isCompleted).toBe(true);
    expect([ledger.outstanding, play.pool.slotsInUse()]).toEqual([0, [slot]]);
    // It comes back from its call after all, and finishes.
    play.pool.run(0, slot, "too late");
    play.go();
    await turns(1);
    expect(play.outcomes.get("stuck")).toEqual(["rejected: Error"]);
    play.pool.recover(0);
    expectNothingLeft(play);
    expectLimitsUntouched(play);
  });
});

describe("what a job holds", () => {
  it("a refused job gives everything back: block, context, what is carried, listener", () => {
    const play = new Play(() => {});
    const local = new AsyncLocal<string>({ name: "ledger.test.refused", flow: "thread" });
    const bytes = new ArrayBuffer(64 << 10);
    local.run("value", () => {
      play.submit("refused", { retries: 1, transfer: [bytes], onProgress: () => {} }, [
        bytes,
        "x".repeat(1000),
      ]);
    });
    expect(play.outcomes.get("refused")).toEqual([expect.stringMatching(/^refused: .*retries/)]);
    expect(bytes.detached).toBe(false);
    expectNothingLeft(play);
    expectLimitsUntouched(play);
  });

  it("shared memory that the arguments name stays reachable, also when a getter behind it submits a job", () => {
    const play = new Play((p) => void p.submit("inner"));
    const holder = {
      get value() {
        play.act();
        return "x";
      },
    };
    const args = [new SharedArrayBuffer(8), holder];
    const kept = play.submit("outer", {}, args)!.extras.keepAlive as readonly unknown[] | null;
    expect(kept?.[0] === args[0]).toBe(true);
    expect(play.submit("later")!.extras.keepAlive).toBeNull();
  });
});

it("subscribers of end, error and cancel hear in the context of the call", async () => {
  const play = new Play(() => {});
  const request = new AsyncLocal<string>({ name: "ledger.test.request", flow: "local" });
  const heard: (string | undefined)[] = [];
  const listener = (): void => void heard.push(request.value);
  const names = ["skein:job:end", "skein:job:error", "skein:job:cancel"];
  for (const name of names) subscribe(name, listener);
  request.run("ends", () => play.submit("ends"));
  request.run("fails", () => play.submit("fails"));
  request.run("cancelled", () => play.submit("cancelled"));
  play.pool.run(0, play.pool.take(0), "");
  play.pool.failNext(0);
  request.run("somebody else's", () => {
    play.pool.submitter.ledger.drain();
    play.abort("cancelled");
  });
  for (const name of names) unsubscribe(name, listener);
  await turns(1);
  expect(heard).toEqual(["ends", "fails", "cancelled"]);
});

describe("inline continuations, deeper than any stack should be", () => {
  const DEPTH = 200;

  it("that give up jobs whose continuations give up jobs: each settles once", async () => {
    const pool = new PlayedPool();
    const { ledger } = pool.submitter;
    const settled: number[] = [];
    const jobs = Array.from({ length: DEPTH }, (_, i) => pool.submit([i], inline));
    for (const [i, job] of jobs.entries()) {
      const next = (): void => {
        settled.push(i);
        if (i + 1 < DEPTH) ledger.fail(jobs[i + 1]!, new RangeError("given up"));
      };
      job.task.then(null, next).catch(() => {});
    }
    ledger.fail(jobs[0]!, new RangeError("given up"));
    await turns(1);
    expect(settled).toEqual(Array.from({ length: DEPTH }, (_, i) => i));
    expect([ledger.outstanding, ledger.backlogSize(1), pool.slotsInUse()]).toEqual([0, 0, []]);
  });

  it("that wait for a job which has ended have it at once, at any depth", async () => {
    const pool = new PlayedPool({ slots: 512 });
    const { ledger } = pool.submitter;
    let waited = 0;
    const jobs = Array.from({ length: 2 * DEPTH }, (_, i) => pool.submit([i], inline));
    for (const [i, job] of jobs.slice(0, DEPTH).entries()) {
      const wait = (): void => {
        ledger.deliverTo(jobs[DEPTH + i]!);
        if (jobs[DEPTH + i]!.isOver) waited++;
      };
      job.task.then(wait).catch(() => {});
    }
    pool.runAll(0);
    ledger.drain();
    await turns(1);
    expect([waited, ledger.outstanding]).toEqual([DEPTH, 0]);
  });
});

describe("drain, as far as so much moved memory", () => {
  const MB = 1 << 20;
  let pool: PlayedPool;
  let told: string[];

  beforeEach(() => {
    pool = new PlayedPool({ slots: 16 });
    told = [];
  });

  function submit(name: string): TaskJob {
    const job = pool.submit([name], inline);
    job.task.then(
      (result) => told.push(`${name}: ${(result as ArrayBuffer).byteLength / MB} MB`),
      (error: unknown) => told.push(`${name}: ${(error as Error).message}`),
    );
    return job;
  }

  /** A thread has run the next job, and its result is in the hands of the host. */
  function runNext(): void {
    const { carried, sharedBuffers } = pool.parts.get(HOST_SERIAL)!;
    const { slots } = pool.memories[1]!;
    const slot = pool.take(0);
    const result = new ArrayBuffer(MB);
    const message = new Encoder(sharedBuffers, carried.nextId).encode(result, "result", [result]);
    carried.add(message.carried!);
    slots.setInlinePayload(slot, message.bytes, message.length);
    message.release();
    slots.setOutcome(slot, OUTCOME_RESULT);
    pool.finish(0, slot);
    pool.link(slot);
  }

  function run(...names: string[]): TaskJob[] {
    const jobs = names.map((name) => submit(name));
    for (const _ of names) runNext();
    return jobs;
  }

  it("goes on where it has stopped, before it takes the inbox anew", () => {
    const { ledger } = pool.submitter;
    run("a", "b", "c");
    expect([ledger.drain(2 * MB), ledger.hasMore, ledger.outstanding]).toEqual([2, true, 1]);
    run("d", "e");
    expect([ledger.drain(2 * MB), told]).toEqual([2, ["a: 1 MB", "b: 1 MB", "c: 1 MB", "d: 1 MB"]]);
    expect([ledger.drain(2 * MB), ledger.hasMore, told.at(-1)]).toEqual([1, false, "e: 1 MB"]);
    expect([ledger.drain(2 * MB), ledger.outstanding, pool.slotsInUse()]).toEqual([0, 0, []]);
  });

  it("takes one that is larger than that", () => {
    run("a", "b");
    expect([pool.submitter.ledger.drain(1), told]).toEqual([1, ["a: 1 MB"]]);
  });

  it("has left results of a thread that then ends: they are its jobs' outcomes", () => {
    run("a", "b", "c");
    submit("d");
    pool.take(0);
    pool.submitter.ledger.drain(1);
    pool.recover(0);
    expect(told.slice(0, 3)).toEqual(["a: 1 MB", "b: 1 MB", "c: 1 MB"]);
    expect(told[3]).toMatch(/^d: .*while it ran this job/);
    expect([pool.submitter.ledger.outstanding, pool.slotsInUse()]).toEqual([0, []]);
  });

  it("has left the result of a job that is then given up: it is dropped with its memory", () => {
    const { ledger } = pool.submitter;
    const { carried } = pool.parts.get(HOST_SERIAL)!;
    const jobs = run("a", "b", "c");
    ledger.drain(1);
    ledger.cancel(jobs[1]!, new Error("stop"));
    ledger.drain();
    expect(told).toEqual(["a: 1 MB", "b: stop", "c: 1 MB"]);
    expect([1, 2, 3].map((id) => carried.has(id))).toEqual([false, false, false]);
    expect([ledger.outstanding, pool.slotsInUse()]).toEqual([0, []]);
  });

  it("drops shared memory that is gone once what had come by then was read, though more has come", () => {
    const { ledger } = pool.submitter;
    const { sharedBuffers } = pool.parts.get(HOST_SERIAL)!;
    for (const id of [77, 78]) sharedBuffers.add(id, new SharedArrayBuffer(8));
    run("a", "b", "c");
    sharedBuffers.gone(77);
    ledger.drain(2 * MB);
    sharedBuffers.gone(78);
    run("d", "e", "f");
    expect([sharedBuffers.has(77), ledger.hasMore]).toEqual([true, true]);
    ledger.drain(2 * MB);
    expect([77, 78].map((id) => sharedBuffers.has(id))).toEqual([false, true]);
    expect(ledger.hasMore).toBe(true);
    ledger.drain(2 * MB);
    expect(sharedBuffers.has(78)).toBe(false);
  });
});

describe("streams", () => {
  /** Of a job that thread 1 has, in memory of who reads it; what its items carry does not come by itself. */
  function makeStream(from: number = HOST) {
    const pool = new PlayedPool();
    const { payloads, arenas, carried, sharedBuffers } = pool.parts.get(
      from === HOST ? HOST_SERIAL : serialOf(from - 1),
    )!;
    const opened = pool.submit(["streams"], {}, from).task as PromiseLike<OpenedStream>;
    const slot = pool.take(1);
    const { slots } = pool.host;
    const { ledger } = pool.submitters[from]!;
    const givenBack: number[] = [];
    const giveBack = arenas.giveBack.bind(arenas);
    arenas.giveBack = (arena, block) => {
      givenBack.push(block);
      giveBack(arena, block);
    };
    const block = payloads.allocate(ringBytes(STREAM_SHAPE));
    const ring = payloads.blockOf(block);
    slots.setStream(slot, payloads.arenaOf(block), ring);
    const bytes = payloads.bytes(block);
    const at = payloads.offset(block);
    const theirs = new SharedBuffers(99, () => {}, { announce: () => {}, gone: () => {} });
    const items = new ItemWriter(
      {
        encoder: new Encoder(theirs, carried.nextId),
        payloads,
        sharedBuffers: theirs,
        carry: () => {},
      },
      new StreamWriter(bytes, at, STREAM_SHAPE, slots.highWaterMark(slot)),
      bytes,
      at,
    );
    const link = (isOver: boolean): void => {
      slots.wantLink(slot, isOver);
      pool.link(slot);
      ledger.drain();
    };
    const end = (): void => {
      pool.writeOutcome(1, slot, "end");
      pool.finish(1, slot);
      link(true);
    };
    const writeMoved = (text: string): void => {
      const bytes = new Uint8Array(100_000);
      items.write(move({ bytes, text }, [bytes.buffer]));
    };
    link(false);
    return { pool, ledger, items, carried, writeMoved, end, givenBack, ring, sharedBuffers, theirs, opened };
  }
  const unread = { code: "ERR_SKEIN_NOT_CLONEABLE" };
  const large = "x".repeat(200_000);

  it("items that the host cannot receive are told as errors, in order, while it reads", async () => {
    const { items, writeMoved, givenBack, opened } = makeStream();
    writeMoved("short");
    writeMoved(large);
    items.write("readable");
    const stream = await opened;
    await expect(stream.next()).rejects.toMatchObject(unread);
    await expect(stream.next()).rejects.toMatchObject(unread);
    expect(await stream.next()).toEqual({ done: false, value: "readable" });
    expect(givenBack).toHaveLength(1);
  });

  it("and at the end of the job", async () => {
    const { pool, items, writeMoved, end, givenBack, ring, opened } = makeStream();
    writeMoved(large);
    items.write("readable");
    end();
    const stream = await opened;
    await expect(stream.next()).rejects.toMatchObject(unread);
    expect(await stream.next()).toEqual({ done: false, value: "readable" });
    expect(await stream.next()).toEqual({ done: true, value: "end" });
    expect([givenBack.length, givenBack.at(-1)]).toEqual([2, ring]);
    expect([pool.submitter.ledger.outstanding, pool.slotsInUse()]).toEqual([0, []]);
  });

  it("a SharedArrayBuffer that is gone where it was numbered stays while an item that names it is unread", async () => {
    const { pool, items, end, sharedBuffers, theirs, opened } = makeStream();
    const buffer = new SharedArrayBuffer(8);
    sharedBuffers.add(77, buffer);
    theirs.add(77, buffer);
    items.write(buffer);
    sharedBuffers.gone(77);
    pool.submitter.ledger.drain();
    expect(await (await opened).next()).toEqual({ done: false, value: buffer });
    expect(sharedBuffers.has(77)).toBe(true);
    end();
    expect(sharedBuffers.has(77)).toBe(false);
  });

  it("an item that comes late is told once, though the end of its job waited for it too", async () => {
    const { ledger, carried, writeMoved, end, opened } = makeStream(1);
    const stream = await opened;
    writeMoved("late");
    const next = stream.next();
    ledger.deliver();
    end();
    const id = carried.nextId() - 1;
    carried.add({ id, values: [new ArrayBuffer(100_000)], transfer: [] });
    expect(ledger.arrived(id)).toBe(true);
    ledger.drain();
    expect(await next).toMatchObject({ done: false, value: { text: "late" } });
    expect([ledger.arrived(id), ledger.outstanding]).toEqual([false, 0]);
  });

  it("nobody waits any more for what the thread that has died has not sent", async () => {
    const { pool, ledger, carried, writeMoved, end, opened } = makeStream(1);
    const stream = await opened;
    writeMoved("never");
    end();
    const id = carried.nextId() - 1;
    pool.recover(1, 1);
    await expect(stream.next()).rejects.toMatchObject(unread);
    expect([ledger.arrived(id), ledger.outstanding]).toEqual([false, 0]);
  });
});

describe("a submission whose stack ends in the middle", () => {
  function overflow(): never {
    throw new RangeError("Maximum call stack size exceeded");
  }

  it.each<[string, (pool: PlayedPool) => void]>([
    ["counting", ({ host }) => vi.spyOn(host.statistics, "count").mockImplementationOnce(overflow)],
    ["filling a slot", ({ host }) => vi.spyOn(host.slots, "describeJob").mockImplementationOnce(overflow)],
    ["publishing it", ({ host }) => vi.spyOn(host.slots, "publish").mockImplementationOnce(overflow)],
    ["queueing it", ({ host }) => vi.spyOn(host.queues, "push").mockImplementationOnce(overflow)],
    [
      "waking a thread",
      (pool) => {
        pool.onQueued = () => {
          pool.onQueued = () => {};
          overflow();
        };
      },
    ],
  ])("at %s, leaves nothing, and the next one is as usual", async (_, prepare) => {
    const pool = new PlayedPool({ slots: 1 });
    const { ledger } = pool.submitter;
    prepare(pool);
    expect(() => pool.submit(["broken off"])).toThrow(RangeError);
    await Promise.resolve();
    expect([ledger.outstanding, pool.slotsInUse()]).toEqual([0, []]);
    const { task } = pool.submit(["next"]);
    pool.runAll(0);
    ledger.drain();
    expect(task.result).toContain("next");
    expect([ledger.outstanding, pool.slotsInUse()]).toEqual([0, []]);
  });

  it.each<[string, (pool: PlayedPool) => void]>([
    ["filling a slot", ({ host }) => vi.spyOn(host.slots, "describeJob").mockImplementationOnce(overflow)],
    ["publishing it", ({ host }) => vi.spyOn(host.slots, "publishPlaced").mockImplementationOnce(overflow)],
    ["putting it in", ({ host }) => vi.spyOn(host.queues, "pushPlaced").mockImplementationOnce(overflow)],
    ["waking the thread", ({ host }) => vi.spyOn(host.parking, "wake").mockImplementationOnce(overflow)],
  ])("at %s, for the mailbox of one thread, leaves nothing either", async (_, prepare) => {
    const pool = new PlayedPool({ slots: 1 });
    const { ledger } = pool.submitter;
    const onThread: Partial<SubmitOptions> = { placement: { kind: "thread", threadId: 0 } };
    prepare(pool);
    expect(() => pool.submit(["broken off"], onThread)).toThrow(RangeError);
    await Promise.resolve();
    expect([ledger.outstanding, pool.slotsInUse(), ledger.placedWaiting]).toEqual([0, [], 0]);
    expect(ledger.isHome(serialOf(0), "any")).toBe(false);
    const { task } = pool.submit(["next"], onThread);
    pool.runAll(0);
    ledger.drain();
    expect(task.result).toContain("next");
    expect([ledger.outstanding, pool.slotsInUse()]).toEqual([0, []]);
  });

  it("when a thread has found the job already, lets it run to its end", async () => {
    const pool = new PlayedPool({ slots: 1 });
    const { ledger } = pool.submitter;
    let taken = NO_JOB;
    const { queues } = pool.host;
    const push = queues.push.bind(queues);
    vi.spyOn(queues, "push").mockImplementationOnce((...args) => {
      push(...args);
      taken = pool.take(0);
      return overflow();
    });
    expect(() => pool.submit(["broken off"])).toThrow(RangeError);
    await Promise.resolve();
    expect([ledger.outstanding, pool.slotsInUse()]).toEqual([0, [taken]]);
    pool.run(0, taken, 1);
    ledger.drain();
    expect([ledger.outstanding, pool.slotsInUse()]).toEqual([0, []]);
  });
});

it("keeps the hidden class of jobs, whatever happens to them, by one that stays", () => {
  setFlagsFromString("--allow-natives-syntax");
  // oxlint-disable-next-line typescript/no-implied-eval -- a function of V8, by its own syntax
  const haveSameClass = new Function("a", "b", "return %HaveSameMap(a, b)") as (
    a: object,
    b: object,
  ) => boolean;
  const pool = new PlayedPool({ slots: 2 });
  const jobs = ["a", "b", "c"].map((name) => pool.submit([name]));
  jobs[2]!.task.catch(() => {});
  pool.run(0, pool.take(0), 0.5);
  pool.run(0, pool.take(0), "text");
  pool.submitter.ledger.drain();
  pool.failNext(0);
  pool.submitter.ledger.drain();
  expect(jobs.map((job) => job.task.status)).toEqual(["succeeded", "succeeded", "faulted"]);
  expect(jobs.map((job) => haveSameClass(job, TaskJob.kept))).toEqual([true, true, true]);
});
