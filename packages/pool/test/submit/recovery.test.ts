/**
 * A thread dies between any two steps of its work, played through by hand: what Ledger.recover then finds, and that each job
 * settles once. The steps themselves, under every interleaving: ../shared/*.model.test.ts.
 */
import { Task } from "@skein/scheduling";
import { beforeEach, describe, expect, it } from "vitest";
import { defaultSubmitOptions } from "../../src/submit/submit-options.ts";
import { Deque } from "../../src/shared/deque.ts";
import { NO_JOB } from "../../src/shared/job-queues.ts";
import { dequeBase, ringBase } from "../../src/shared/layout.ts";
import { HOST } from "../../src/shared/pool-memory.ts";
import { Ring } from "../../src/shared/ring.ts";
import type { TaskJob } from "../../src/submit/task-job.ts";
import { crash, PlayedPool } from "./played-pool.ts";

const [VICTIM, OTHER] = [0, 1];

let pool: PlayedPool;
let settlements: string[];

beforeEach(() => {
  pool = new PlayedPool();
  settlements = [];
});

/** A job of one argument, submitted by the host or by thread `submitter - 1`. */
function submit(
  name: string,
  submitter: number = HOST,
  retries = 0,
  args: readonly unknown[] = [name],
): TaskJob {
  const job = pool.submit(args, { retries }, submitter);
  const say = (outcome: string) => (): void => {
    settlements.push(`${name} ${outcome}`);
  };
  job.task.then(say("succeeded"), say("failed"));
  return job;
}

const take = (thread: number): number => pool.take(thread);
const recover = (submitter: number = HOST): void => pool.recover(VICTIM, submitter);

async function settled(): Promise<string[]> {
  await Task.yield();
  await new Promise((resolve) => setImmediate(resolve));
  return settlements.toSorted();
}

function assertNothingLeft(): void {
  for (const { ledger } of pool.submitters) expect(ledger.outstanding).toBe(0);
  const total = (counter: "submitted" | "completed" | "failed" | "crashed"): number =>
    pool.host.allStatistics.total(counter);
  expect(total("completed") + total("failed") + total("crashed")).toBe(total("submitted"));
}

describe("the thread is ended", () => {
  it("while claiming: it has popped a job and not claimed it. Another one runs it", async () => {
    submit("lost");
    submit("next");
    const lost = new Ring(pool.control, ringBase(pool.layout, 1), pool.layout.ringCells).pop();
    recover();
    expect(pool.queued).toBe(3);
    for (let slot = take(OTHER); slot !== NO_JOB; slot = take(OTHER))
      pool.run(OTHER, slot, slot === lost ? "lost" : "next");
    pool.submitters[HOST]!.ledger.drain();
    expect(await settled()).toEqual(["lost succeeded", "next succeeded"]);
    assertNothingLeft();
  });

  it("while running: its job rejects, the queued one runs", async () => {
    const job = submit("running");
    submit("queued");
    expect(take(VICTIM)).toBe(job.slot);
    recover();
    expect(job.task.error).toMatchObject({ code: crash.code, exitCode: crash.exitCode });
    pool.run(OTHER, take(OTHER), "queued");
    pool.submitters[HOST]!.ledger.drain();
    expect(await settled()).toEqual(["queued succeeded", "running failed"]);
    assertNothingLeft();
  });

  it("while it waits for carried arguments: the job runs elsewhere, unless they had been sent", async () => {
    const job = submit("carried", HOST, 0, [new Blob(["x"])]);
    expect(take(VICTIM)).toBe(job.slot);
    pool.untouched = true;
    recover();
    expect([job.task.isCompleted, pool.queued]).toEqual([false, 2]);
    expect(take(OTHER)).toBe(job.slot);
    pool.run(OTHER, job.slot, "carried");
    pool.submitters[HOST]!.ledger.drain();
    const sent = submit("sent", HOST, 0, [new Blob(["x"])]);
    expect(take(VICTIM)).toBe(sent.slot);
    pool.untouched = false;
    recover();
    expect(sent.task.error).toMatchObject({ code: crash.code, exitCode: crash.exitCode });
    expect(await settled()).toEqual(["carried succeeded", "sent failed"]);
    assertNothingLeft();
  });

  it("while writing the result: half an outcome is none; a job that may run again has its arguments", async () => {
    const once = submit("once");
    const again = submit("again", HOST, 1);
    for (const job of [once, again]) {
      const slot = take(VICTIM);
      expect(slot).toBe(job.slot);
      pool.writeOutcome(VICTIM, slot, "over the arguments");
    }
    recover();
    expect(once.task.error).toMatchObject({ code: crash.code, exitCode: crash.exitCode });
    const slot = take(OTHER);
    expect(pool.argumentsIn(slot)).toContain("again");
    pool.run(OTHER, slot, "done");
    pool.submitters[HOST]!.ledger.drain();
    expect(again.task.result).toBe("done");
    expect(await settled()).toEqual(["again succeeded", "once failed"]);
    assertNothingLeft();
  });

  it("with the result written and not linked: it counts", async () => {
    const job = submit("written");
    const slot = take(VICTIM);
    pool.writeOutcome(VICTIM, slot, 42);
    pool.finish(VICTIM, slot);
    recover();
    expect(job.task.result).toBe(42);
    expect(await settled()).toEqual(["written succeeded"]);
    assertNothingLeft();
  });

  it("with the result linked and nobody told: it counts, once", async () => {
    const job = submit("linked");
    pool.run(VICTIM, take(VICTIM), 42);
    recover();
    recover();
    expect(job.task.result).toBe(42);
    expect(await settled()).toEqual(["linked succeeded"]);
    assertNothingLeft();
  });

  it("while stealing: what it has taken from another thread's deque and not claimed is run by somebody else", async () => {
    submit("stolen", OTHER + 1);
    const slot = new Deque(pool.control, dequeBase(pool.layout, OTHER), pool.layout.dequeCells).steal();
    expect(slot).toBeGreaterThanOrEqual(0);
    expect(take(OTHER)).toBe(NO_JOB);
    recover();
    recover(OTHER + 1);
    expect(take(OTHER)).toBe(slot);
    pool.run(OTHER, slot, "stolen");
    pool.submitters[OTHER + 1]!.ledger.drain();
    expect(await settled()).toEqual(["stolen succeeded"]);
    assertNothingLeft();
  });

  it("while running what it has stolen: the job rejects where it was submitted", async () => {
    const job = submit("stolen", OTHER + 1);
    expect(take(VICTIM)).toBe(job.slot);
    recover();
    recover(OTHER + 1);
    expect(job.task.error).toMatchObject({ code: crash.code, exitCode: crash.exitCode });
    expect(await settled()).toEqual(["stolen failed"]);
    assertNothingLeft();
  });

  it("with a job that its caller has given up: that is not settled again, and its slot is free", async () => {
    const controller = new AbortController();
    const { functions } = pool.submitters[HOST]!;
    const job = pool.submitters[HOST]!.jobs.submit(
      functions.ofExport("file:///jobs.js", "echo"),
      [1],
      { ...defaultSubmitOptions, signal: controller.signal },
      submit,
    );
    job.task.then(null, () => settlements.push("given up"));
    expect(take(VICTIM)).toBe(job.slot);
    controller.abort();
    recover();
    recover();
    expect(await settled()).toEqual(["given up"]);
    for (const name of ["a", "b", "c", "d"]) submit(name);
    for (let slot = take(OTHER); slot !== NO_JOB; slot = take(OTHER)) pool.run(OTHER, slot, 1);
    pool.submitters[HOST]!.ledger.drain();
    expect(await settled()).toHaveLength(5);
  });
});
