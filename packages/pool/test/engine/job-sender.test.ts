/** JobSender: jobs whose outcomes are called back. */
import { AsyncLocal } from "@skein/context";
import { afterAll, describe, expect, it } from "vitest";
import { eventually } from "../../../../test/support/eventually.ts";
import { type JobReceiver, JobSender, jobModule, type SentJob } from "../../src/engine.ts";
import {
  JobCanceledError,
  JobTimeoutError,
  NotCloneableError,
  NotSupportedError,
  PoolClosedError,
  ThreadCrashedError,
  ThreadGoneError,
  ThreadPool,
} from "../../src/index.ts";
import { InlineEngine } from "../../src/inline.ts";
import type * as Sample from "../fixtures/sample.jobs.ts";
import { makeGate, open, opened, sampleJobs } from "../gate.ts";
import { UncaughtErrors } from "../uncaught.ts";

const jobs = jobModule<typeof Sample>(sampleJobs);
const pool = new ThreadPool({ maxThreads: 1 });
afterAll(() => pool.close());

type Outcome = readonly ["completed" | "failed", unknown];

/** Everything that it is told. */
class Heard implements JobReceiver {
  readonly outcomes: Outcome[] = [];

  completed(result: unknown): void {
    this.outcomes.push(["completed", result]);
  }

  failed(error: unknown): void {
    this.outcomes.push(["failed", error]);
  }

  async outcome(): Promise<Outcome> {
    await eventually("the job has ended", () => this.outcomes.length > 0);
    return this.outcomes[0]!;
  }
}

function send<A extends unknown[]>(sender: JobSender<A>, ...args: A): Heard & { readonly job: SentJob } {
  const heard = new Heard();
  return Object.assign(heard, { job: sender.send(args, heard) });
}

async function failureOf(heard: Heard): Promise<unknown> {
  const [kind, error] = await heard.outcome();
  expect(kind).toBe("failed");
  return error;
}

describe("a job that is sent", () => {
  it("fails, once, with what its signal throws when it is watched", async () => {
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: () => {
        throw new RangeError("no listeners");
      },
      removeEventListener: () => {},
    };
    const heard = new Heard();
    new JobSender(pool, jobs.add).send([2, 3], heard, { signal: signal as never, timeoutMs: 10_000 });
    expect(await failureOf(heard)).toMatchObject({ message: "no listeners" });
    await using engine = new InlineEngine();
    const task = engine.run(jobs.add, [2, 3], { signal: signal as never });
    await expect(Promise.resolve(task)).rejects.toThrow("no listeners");
    expect(await send(new JobSender(pool, jobs.add), 2, 3).outcome()).toEqual(["completed", 5]);
    expect(heard.outcomes).toHaveLength(1);
  });

  it("tells its receiver the result, or what it threw", async () => {
    expect(await send(new JobSender(pool, jobs.add), 2, 3).outcome()).toEqual(["completed", 5]);
    const error = await failureOf(send(new JobSender(pool, jobs.fail), "no"));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: "no", code: "E_SAMPLE", detail: { a: 1 } });
    const list = await failureOf(
      send(
        new JobSender(pool, () => {
          // oxlint-disable-next-line no-throw-literal -- what jobs throw
          throw [1, 2];
        }),
      ),
    );
    expect(list).toEqual([1, 2]);
  });

  it("sees the context of its call, and has the caller's frames below those of its error", async () => {
    const tenant = new AsyncLocal<string>({ name: "test.tenant", flow: "thread" });
    const where = new JobSender(pool, jobs.context);
    const seen = await tenant.run("acme", () => send(where)).outcome();
    expect(seen).toMatchObject(["completed", { tenant: "acme" }]);
    const failing = new JobSender(pool, jobs.fail);
    const heard = new Heard();
    (function submitter() {
      (function adapter() {
        failing.send(["x"], heard, undefined, adapter);
      })();
    })();
    const { stack } = (await failureOf(heard)) as Error;
    expect(stack).toMatch(/at submitter/);
    expect(stack).not.toMatch(/at adapter/);
  });

  it("has no frames of the caller's when nobody wants them", async () => {
    const heard = new Heard();
    (function submitter() {
      new JobSender(pool, jobs.fail).send(["x"], heard, undefined, null);
    })();
    const { stack } = (await failureOf(heard)) as Error;
    expect(stack).toMatch(/at fail/);
    expect(stack).not.toMatch(/at submitter|job-sender/);
  });

  it("has the options of its sender, but for those that it is given", async () => {
    const gate = makeGate();
    const late = await failureOf(send(new JobSender(pool, jobs.block, { timeoutMs: 20 }), gate));
    expect(late).toBeInstanceOf(JobTimeoutError);
    open(gate);
    const thread = await pool.run(jobs.thread);
    const heard = new Heard();
    new JobSender(pool, jobs.thread).send([], heard, { thread });
    expect(await heard.outcome()).toEqual(["completed", thread]);
  });

  it("may be followed by another at once; what its receiver throws is nobody's error but its own", async () => {
    using errors = new UncaughtErrors();
    const sender = new JobSender(pool, jobs.add);
    const second = new Heard();
    const thrown = new Error("of the receiver");
    sender.send([1, 1], {
      completed() {
        sender.send([2, 2], second);
        throw thrown;
      },
      failed() {},
    });
    expect(await second.outcome()).toEqual(["completed", 4]);
    await eventually("the error is there", () => errors.seen.length > 0);
    expect(errors.seen).toEqual([thrown]);
  });

  it("fails when its thread dies, and when it returns a generator", async () => {
    const error = await failureOf(send(new JobSender(pool, jobs.exit), 7));
    expect(error).toBeInstanceOf(ThreadCrashedError);
    expect(error).toMatchObject({ exitCode: 7 });
    const streamed = new JobSender(pool, function* () {
      yield 1;
    });
    expect(await failureOf(send(streamed))).toMatchObject({
      constructor: NotSupportedError,
      capability: "streams",
    });
  });
});

describe("cancel", () => {
  it("withdraws a job that waits, asks one that runs to stop, and does nothing to one that is over", async () => {
    const gate = makeGate();
    const log = makeGate(2);
    const running = send(new JobSender(pool, jobs.spinUntilCancelled), gate);
    await opened(gate);
    const waiting = send(new JobSender(pool, jobs.append), log, 1);
    const reason = new Error("changed my mind");
    waiting.job.cancel(reason);
    expect(waiting.outcomes).toMatchObject([["failed", { constructor: JobCanceledError, reason }]]);
    running.job.cancel();
    expect(await failureOf(running)).toBeInstanceOf(JobCanceledError);
    await opened(gate, 1);
    const done = send(new JobSender(pool, jobs.add), 1, 2);
    await done.outcome();
    done.job.cancel();
    for (const { outcomes } of [running, waiting, done]) expect(outcomes).toHaveLength(1);
    expect(log[0]).toBe(0);
  });

  it("ends the thread of a job with `onCancel: 'terminate'`", async () => {
    const gate = makeGate();
    const sender = new JobSender(pool, jobs.spinForever, { onCancel: "terminate", graceMs: 0 });
    const heard = send(sender, gate);
    await opened(gate);
    heard.job.cancel();
    expect(await failureOf(heard)).toBeInstanceOf(JobCanceledError);
    expect(await pool.run(jobs.add, [1, 1])).toBe(2);
  });
});

describe("at the door", () => {
  it("bad arguments are refused by name", () => {
    const sender = new JobSender(pool, jobs.add);
    const receiver = new Heard();
    expect(() => new JobSender(new InlineEngine() as never, jobs.add)).toThrow(/`?pool`?.*ThreadPool/);
    expect(() => new JobSender(pool, "add" as never)).toThrow(/job/);
    expect(() => new JobSender(pool, jobs.add, { timeout: 1 } as never)).toThrow(/timeoutMs/);
    expect(() => new JobSender(pool, jobs.add, { transfer: [new ArrayBuffer(1)] })).toThrow(/transfer/);
    expect(() => sender.send(3 as never, receiver)).toThrow(/args/);
    for (const bad of [undefined, null, {}, { completed() {} }])
      expect(() => sender.send([1, 2], bad as never)).toThrow(/receiver/);
    expect(receiver.outcomes).toEqual([]);
  });

  it("what cannot be sent throws, and its receiver hears nothing", async () => {
    const receiver = new Heard();
    const echo = new JobSender<unknown[]>(pool, jobs.echo);
    expect(() => echo.send([() => {}], receiver)).toThrow(NotCloneableError);
    expect(() => echo.send([1], receiver, { thread: 987_654 })).toThrow(ThreadGoneError);
    const reason = new Error("too late");
    expect(() => echo.send([1], receiver, { signal: AbortSignal.abort(reason) })).toThrow(reason);
    const closed = new ThreadPool({ maxThreads: 1 });
    const sender = new JobSender(closed, jobs.add);
    await closed.close();
    expect(() => sender.send([1, 2], receiver)).toThrow(PoolClosedError);
    expect(receiver.outcomes).toEqual([]);
  });
});
