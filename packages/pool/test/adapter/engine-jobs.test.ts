import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { MessageChannel } from "node:worker_threads";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeValue, type JobCarrier } from "../../src/engine.ts";
import { PoolClosedError, ThreadCrashedError } from "../../src/index.ts";
import { HeldJobs, replyOf } from "./held-jobs.ts";

const nothing = (): void => {};

describe("EngineJobs", () => {
  it("takes one end of a job, and the first", async () => {
    const engine = new HeldJobs();
    const task = engine.submit();
    const { ends } = engine.held[0]!;
    ends.arrived(replyOf(1));
    ends.arrived(replyOf(2));
    ends.failed(new Error("late"));
    expect(await task).toBe(1);
    await engine.jobs.close(true, undefined);
  });

  it("rejects with what `carry` throws", async () => {
    const engine = new HeldJobs();
    engine.carry = () => {
      throw new RangeError("no way");
    };
    await expect(engine.submit()).rejects.toThrow("no way");
    await engine.jobs.close(true, undefined);
  });

  it("a request that lies around when its job has failed begins no more", async () => {
    const engine = new HeldJobs();
    const task = engine.submit();
    const { ends, state } = engine.held[0]!;
    ends.failed(new Error("no room"));
    await expect(task).rejects.toThrow("no room");
    expect(state.begin()).toBe(false);
  });

  it("a crash runs the job again as often as `retries` says, with a state of its own each time", async () => {
    const engine = new HeldJobs();
    const task = engine.submit([], { retries: 1 });
    const first = engine.held[0]!;
    first.state.begin();
    first.ends.failed(new ThreadCrashedError(1));
    const second = engine.held[1]!;
    expect([first.job.request.attempt, second.state.begin()]).toEqual([2, true]);
    first.ends.arrived(replyOf("of the dead"));
    expect(task.isCompleted).toBe(false);
    second.ends.failed(new ThreadCrashedError(2));
    await expect(task).rejects.toMatchObject({ exitCode: 2 });
    expect(engine.held).toHaveLength(2);
  });

  it("any other failure does not", async () => {
    const engine = new HeldJobs();
    const task = engine.submit([], { retries: 5 });
    engine.held[0]!.ends.failed(new Error("full"));
    await expect(task).rejects.toThrow("full");
    expect(engine.held).toHaveLength(1);
  });

  it("a job that was given up is terminated after its grace period, if it still runs then", async () => {
    const engine = new HeldJobs();
    const controller = new AbortController();
    const options = { signal: controller.signal, onCancel: "terminate", terminateAfterMs: 0 } as const;
    const tasks = [1, 2, 3].map(() => engine.submit([], options));
    const [stops, stays] = engine.held;
    stops!.state.begin();
    stays!.state.begin();
    controller.abort();
    stops!.state.end();
    await Promise.allSettled(tasks);
    while (engine.terminated.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(engine.terminated).toEqual([stays!.job]);
  });

  it("a port that comes with a reply nobody waits for is closed", async () => {
    const engine = new HeldJobs();
    const controller = new AbortController();
    const task = engine.submit([], { signal: controller.signal });
    const { ends, state } = engine.held[0]!;
    state.begin();
    controller.abort();
    await expect(task).rejects.toBe(controller.signal.reason);
    const { port1, port2 } = new MessageChannel();
    const closed = new Promise((resolve) => port1.once("close", resolve));
    ends.arrived({ kind: "result", value: { ...encodeValue(null, "result").value, carried: [port2] } });
    await closed;
  });

  it("what is current when a job settles may do anything: submit, cancel, close", async () => {
    const engine = new HeldJobs();
    const controller = new AbortController();
    const inline = { continuations: { continuations: "inline" } } as const;
    const first = engine.submit([], inline);
    const second = engine.submit([], { signal: controller.signal });
    let third: PromiseLike<unknown> = first;
    first
      .then(() => {
        third = engine.submit();
        controller.abort();
        void engine.jobs.close(false, undefined);
      })
      .catch(nothing);
    engine.held[0]!.ends.arrived(replyOf(1));
    await expect(second).rejects.toBe(controller.signal.reason);
    await expect(third).rejects.toBeInstanceOf(PoolClosedError);
    await engine.jobs.close(true, undefined);
  });

  it("a job whose signal takes no listener rejects, and holds up neither `close` nor who has the other end of its port", async () => {
    const engine = new HeldJobs();
    const closings: PromiseLike<void>[] = [];
    const close = (): void => void closings.push(engine.jobs.close(true, undefined));
    const { port1, port2 } = new MessageChannel();
    const closed = new Promise((resolve) => port1.once("close", resolve));
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: () => {
        throw new RangeError("nobody listens here");
      },
      removeEventListener: nothing,
    };
    subscribe("skein:job:submit", close);
    const task = engine.submit([port2], { signal, transfer: [port2] });
    unsubscribe("skein:job:submit", close);
    await expect(task).rejects.toThrow("nobody listens here");
    expect(engine.held).toEqual([]);
    await Promise.all(closings);
    await closed;
  });

  it("a job whose submission closes the engine without draining never runs, also where the carrier stops jobs", async () => {
    const engine: HeldJobs & JobCarrier = new HeldJobs();
    engine.stop = nothing;
    const close = (): void => void engine.jobs.close(false, undefined);
    subscribe("skein:job:submit", close);
    const task = engine.submit();
    unsubscribe("skein:job:submit", close);
    await expect(task).rejects.toThrow(PoolClosedError);
    expect(engine.held).toEqual([]);
    await engine.jobs.close(true, undefined);
  });

  it("each job settles once and `close` ends, whatever happens in whatever order", async () => {
    const step = fc.tuple(
      fc.constantFrom("submit", "begin", "reply", "crash", "cancel", "close", "drop"),
      fc.nat({ max: 7 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const engine = new HeldJobs();
        const settled: number[] = [];
        const controllers: AbortController[] = [];
        const tasks: PromiseLike<unknown>[] = [];
        for (const [what, which] of steps) {
          const held = engine.held[which];
          if (what === "submit" && engine.jobs.isClosed) continue;
          if (what === "submit") {
            const controller = new AbortController();
            const number = controllers.push(controller) - 1;
            settled[number] = 0;
            const count = (): void => void settled[number]!++;
            tasks.push(
              engine.submit([], { signal: controller.signal, retries: which % 2 }).then(count, count),
            );
          } else if (what === "begin") held?.state.begin();
          else if (what === "reply") {
            held?.state.end();
            held?.ends.arrived(replyOf(which));
          } else if (what === "crash") held?.ends.failed(new ThreadCrashedError(1));
          else if (what === "cancel") controllers[which]?.abort();
          else void engine.jobs.close(what === "close", undefined);
        }
        const closing = engine.jobs.close(true, undefined);
        // Twice: a crash may have brought a job back.
        for (const end of ["crash", "reply"] as const) {
          for (const { ends } of engine.held.slice())
            if (end === "crash") ends.failed(new ThreadCrashedError(1));
            else ends.arrived(replyOf(0));
        }
        await Promise.all(tasks);
        await closing;
        expect(settled).toEqual(settled.map(() => 1));
      }),
    );
  });
});
