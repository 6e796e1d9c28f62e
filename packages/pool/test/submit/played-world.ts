/**
 * Jobs of a played pool, with what must hold of them after each command: the stages of the table in src/submit/ledger.ts, one owner for each
 * slot, counters that agree. Continuations run inline, in the middle of settling, and give commands themselves.
 */
// oxlint-disable vitest/no-standalone-expect -- the checks of a class that tests use
import type { Task } from "@skein/scheduling";
import { expect } from "vitest";
import { PoolClosedError } from "../../src/errors.ts";
import { NO_JOB } from "../../src/shared/job-queues.ts";
import { HOST } from "../../src/shared/pool-memory.ts";
import { mailboxRing } from "../../src/shared/mailbox.ts";
import { QUEUED, RUNNING } from "../../src/shared/slot.ts";
import { ForkedJob, type Joiner } from "../../src/submit/forked-job.ts";
import { DECIDED, HERE, type PendingJob, IN_SLOT, SETTLED, WAITING } from "../../src/submit/pending-job.ts";
import { defaultSubmitOptions, type Placement } from "../../src/submit/submit-options.ts";
import { crash, PlayedPool, serialOf } from "./played-pool.ts";

export const THREADS = 2;
/** Of the submitters that take part: the host, and thread 0, which forks. */
const FORKER = 1;
const inline = { continuations: { continuations: "inline" } } as const;
const placementOf = (kind: Kind, n: number): Placement | null =>
  kind === "affinity"
    ? { kind, key: String(n % 3) }
    : kind === "thread"
      ? { kind, threadId: n % THREADS }
      : null;
const error = (): Error => new RangeError("given up");

export type Kind = "plain" | "large" | "carried" | "retry" | "exclusive" | "forked" | "affinity" | "thread";
export type Command =
  | { readonly do: "submit"; readonly kind: Kind; readonly then: readonly Command[] }
  | {
      readonly do: "take" | "write" | "finish" | "link" | "end" | "lose" | "giveBack";
      readonly thread: number;
    }
  | { readonly do: "cancel" | "fail" | "takeBack"; readonly job: number }
  | {
      readonly do: "collect" | "deliver" | "drain" | "failWaiting" | "failAll" | "drop" | "close" | "refill";
    };

/** Which stages follow which. */
const next: Record<number, readonly number[]> = {
  [WAITING]: [IN_SLOT, DECIDED, SETTLED],
  [IN_SLOT]: [WAITING, HERE, DECIDED, SETTLED],
  [HERE]: [SETTLED],
  [DECIDED]: [SETTLED],
  [SETTLED]: [],
};

/** What a thread has in its hands: a slot, and how far it has come. */
/** Its caller has a task. */
type CalledJob = PendingJob & { readonly task: Task<unknown> };

interface Hand {
  readonly slot: number;
  readonly job: PendingJob;
  step: "claimed" | "written" | "finished";
}

export class World {
  readonly pool = new PlayedPool({
    slots: 4,
    threads: THREADS,
    threadSlots: 4,
    maxJobs: 24,
    maxBytes: 1 << 16,
  });
  readonly jobs: CalledJob[] = [];
  readonly #submitterOf = new Map<PendingJob, number>();
  readonly #stages = new Map<PendingJob, number>();
  /** In which order jobs wait: as they were accepted, or again. */
  readonly #turns = new Map<PendingJob, number>();
  #turn = 0;
  readonly hands: (Hand | null)[] = Array.from({ length: THREADS }, () => null);
  /** Threads that were given up and have not ended, or that are just ending. */
  readonly #gone = new Set<number>();
  readonly #ending = new Set<number>();
  /** How often each task was told, by the channels. */
  readonly told = new Map<object, number>();
  isClosed = false;
  readonly #joiner: Joiner = { options: defaultSubmitOptions, join: () => {} };

  do(command: Command): void {
    switch (command.do) {
      case "submit":
        this.#submit(command.kind, command.then);
        break;
      case "take":
        this.#take(command.thread);
        break;
      case "write":
      case "finish":
      case "link":
        this.#step(command.thread, command.do);
        break;
      case "end":
        this.#end(command.thread);
        break;
      case "lose":
        this.#lose(command.thread);
        break;
      case "giveBack":
        this.#giveBack(command.thread);
        break;
      case "cancel":
      case "fail": {
        const job = this.jobs[command.job % Math.max(1, this.jobs.length)];
        if (job !== undefined) this.#ledgerOf(job)[command.do](job, error());
        break;
      }
      case "takeBack":
        this.#takeBack(command.job);
        break;
      case "close":
        this.isClosed = true;
        for (const { ledger } of this.pool.submitters) ledger.close();
        break;
      case "failWaiting":
      case "failAll":
      case "drop":
        for (const { ledger } of this.#taking()) {
          ledger[command.do](() => new PoolClosedError());
          ledger.deliver();
        }
        break;
      case "collect":
      case "deliver":
      case "drain":
      case "refill":
        for (const { ledger } of this.#taking()) ledger[command.do]();
        break;
    }
    this.check();
  }

  /** The submitters that live. */
  #taking() {
    return [this.pool.submitters[HOST]!, this.pool.submitters[FORKER]!];
  }

  #ledgerOf(job: PendingJob) {
    return this.pool.submitters[this.#submitterOf.get(job)!]!.ledger;
  }

  #submit(kind: Kind, then: readonly Command[]): void {
    const { pool } = this;
    const name = `job ${this.jobs.length}.`;
    const from = kind === "forked" ? FORKER : HOST;
    const { functions, jobs } = pool.submitters[from]!;
    const fn = functions.ofExport("file:///jobs.js", "echo");
    const args: unknown[] = [name];
    if (kind === "large") args.push("x".repeat(700));
    if (kind === "carried") args.push(new Blob(["x"]));
    const options = {
      ...defaultSubmitOptions,
      ...inline,
      retries: kind === "retry" || kind === "affinity" ? 1 : 0,
      isExclusive: kind === "exclusive" || (kind === "thread" && this.jobs.length % 2 === 0),
      placement: placementOf(kind, this.jobs.length),
      priority: (this.jobs.length + Math.floor(this.jobs.length / 3)) % 3,
    };
    let job: CalledJob;
    try {
      job =
        kind === "forked"
          ? jobs.fork(this.#joiner, fn, args, () => {})
          : jobs.submit(fn, args, options, () => {});
    } catch (refused) {
      expect(refused).toMatchObject({ code: expect.stringMatching(/POOL_CLOSED|QUEUE_FULL|THREAD_GONE/) });
      return;
    }
    this.jobs.push(job);
    this.#submitterOf.set(job, from);
    this.#stages.set(job, WAITING);
    this.#turns.set(job, this.#turn++);
    let runs = 0;
    const goOn = (): void => {
      expect(++runs).toBe(1);
      for (const command of then) this.do(command);
    };
    job.task
      .then(
        (result) => {
          // Nobody else's arguments.
          expect(String(result)).toContain(name);
          goOn();
        },
        () => goOn(),
      )
      .catch((failure: unknown) => void (this.#failure ??= failure));
  }

  /** Of an assertion in a continuation. */
  #failure: unknown = null;

  #take(thread: number): void {
    if (this.hands[thread] !== null || this.#gone.has(thread)) return;
    const slot = this.pool.take(thread);
    if (slot === NO_JOB) return;
    const job = this.#jobIn(slot);
    expect(this.hands.filter((hand) => hand?.slot === slot)).toEqual([]);
    // Only where it belongs.
    expect(job.extras.home?.serial).toBe(job.options.placement === null ? undefined : serialOf(thread));
    this.#checkTurn(job);
    this.hands[thread] = { slot, job, step: "claimed" };
  }

  /** None of its key and priority waits that came before it. */
  #checkTurn(taken: PendingJob): void {
    const { placement, priority } = taken.options;
    if (placement?.kind !== "affinity") return;
    const isBefore = (job: PendingJob): boolean =>
      job.options.placement?.kind === "affinity" &&
      job.options.placement.key === placement.key &&
      job.options.priority === priority &&
      this.#turns.get(job)! < this.#turns.get(taken)! &&
      (job.stage === WAITING || (job.stage === IN_SLOT && this.pool.host.slots.state(job.slot) === QUEUED));
    expect(this.jobs.filter(isBefore)).toEqual([]);
  }

  /** A job for one thread waits only if its home is full for its priority, or there is no room at all. */
  #checkPlaced({ options: { placement, priority } }: PendingJob): void {
    const { pool } = this;
    const home = pool.homes.known(placement!);
    if (home === null || !pool.submitter.ledger.hasSlots(1)) return;
    const { mailboxCells } = pool.layout;
    if (mailboxRing(pool.control, pool.layout, home.place).size === mailboxCells) return;
    expect(home.inSlots).toBeGreaterThanOrEqual(pool.homes.maxSlots);
    expect(home.inSlotsOf[priority]).toBeGreaterThanOrEqual(pool.homes.slotsOfPriority);
  }

  #jobIn(slot: number): PendingJob {
    for (const { ledger } of this.#taking()) {
      try {
        const job = ledger.jobIn(slot);
        if (job !== null) return job;
      } catch {
        // Not one of its slots.
      }
    }
    throw new Error(`Slot ${slot} was taken, and is nobody's`);
  }

  #step(thread: number, step: "write" | "finish" | "link"): void {
    const hand = this.hands[thread]!;
    if (hand === null) return;
    if (step === "write" && hand.step === "claimed") {
      this.pool.writeOutcome(thread, hand.slot, this.pool.argumentsIn(hand.slot).slice(0, 40));
      hand.step = "written";
    } else if (step === "finish" && hand.step === "written") {
      this.pool.finish(thread, hand.slot);
      hand.step = "finished";
    } else if (step === "link" && hand.step === "finished") {
      this.hands[thread] = null;
      this.pool.link(hand.slot);
    }
  }

  /** The thread ends where it is, and another one takes its place, with the same number. */
  #end(thread: number): void {
    // Once, whatever the continuations below command: with its number the next one has its serial, which in a pool nobody has again.
    if (this.#ending.has(thread)) return;
    this.#ending.add(thread);
    const hand = this.hands[thread]!;
    this.hands[thread] = null;
    // Continuations run in between, and nobody takes anything in its name.
    this.#gone.add(thread);
    this.pool.homes.gone.add(thread);
    for (const { ledger } of this.#taking()) {
      ledger.collect();
      ledger.recover(serialOf(thread), crash);
      if (hand !== null && hand.job.stage < DECIDED) this.#turns.set(hand.job, this.#turn++);
      ledger.deliver();
    }
    this.#ending.delete(thread);
    this.#gone.delete(thread);
    this.pool.homes.gone.delete(thread);
    this.pool.submitter.ledger.settleHomeless();
  }

  #lose(thread: number): void {
    this.#gone.add(thread);
    this.pool.homes.gone.add(thread);
    for (const { ledger } of this.#taking()) {
      ledger.closeHome(serialOf(thread));
      ledger.lose(serialOf(thread), crash);
      // By a timer.
      ledger.refill();
      ledger.deliver();
    }
  }

  /** As a thread does with what it was handed and has not begun. */
  #giveBack(thread: number): void {
    const hand = this.hands[thread]!;
    if (hand === null || hand.step !== "claimed" || hand.job.extras.carriedId === 0) return;
    this.hands[thread] = null;
    this.pool.submitter.ledger.requeue(hand.slot, hand.job.extras.carriedId);
  }

  #takeBack(index: number): void {
    const job = this.jobs[index % Math.max(1, this.jobs.length)];
    if (!(job instanceof ForkedJob) || job.stage !== IN_SLOT) return;
    if (!this.pool.memories[FORKER]!.queues.takeBack(job.slot)) return;
    const { ledger } = this.pool.submitters[FORKER]!;
    ledger.takeBack(job);
    this.check();
    job.trySetResult((job.args as readonly unknown[])[0]);
    ledger.endHere(job, "completed");
  }

  check(): void {
    if (this.#failure !== null) throw this.#failure;
    let outstanding = 0;
    const slots = new Set<number>();
    for (const job of this.jobs) {
      const before = this.#stages.get(job)!;
      if (job.stage !== before)
        expect([before, next[before]]).toEqual([before, expect.arrayContaining([job.stage])]);
      this.#stages.set(job, job.stage);
      if (job.stage < SETTLED) outstanding++;
      if (job.stage === WAITING && job.options.placement !== null) this.#checkPlaced(job);
      if (job.slot < 0) continue;
      expect(slots.has(job.slot)).toBe(false);
      slots.add(job.slot);
      expect(this.#ledgerOf(job).jobIn(job.slot)).toBe(job);
      // Given up, and in a slot: a thread has it.
      if (job.stage >= DECIDED) expect(this.pool.host.slots.state(job.slot)).toBeGreaterThanOrEqual(RUNNING);
    }
    const counted = this.#taking().reduce((sum, { ledger }) => sum + ledger.outstanding, 0);
    expect(counted).toBe(outstanding);
  }

  /** Everybody does what there is to do. */
  finish(): void {
    for (let round = 0; round < 40; round++) {
      for (let thread = 0; thread < THREADS; thread++) {
        if (this.#gone.has(thread)) this.#end(thread);
        for (const step of ["write", "finish", "link"] as const) this.#step(thread, step);
        for (;;) {
          this.#take(thread);
          if (this.hands[thread] === null) break;
          for (const step of ["write", "finish", "link"] as const) this.#step(thread, step);
        }
      }
      for (const { ledger } of this.#taking()) {
        ledger.drain();
        // What was popped and not claimed, and rings that were full.
        ledger.recover(0x7fff, crash);
        ledger.deliver();
      }
    }
    this.check();
    const { pool } = this;
    const { allStatistics } = pool.host;
    const total = (counter: "submitted" | "completed" | "failed" | "canceled" | "crashed"): number =>
      allStatistics.total(counter);
    expect(this.jobs.filter(({ stage }) => stage !== SETTLED)).toEqual([]);
    expect(total("submitted")).toBe(this.jobs.length);
    expect(total("completed") + total("failed") + total("canceled") + total("crashed")).toBe(
      this.jobs.length,
    );
    expect(this.jobs.map(({ task }) => this.told.get(task) ?? 0)).toEqual(this.jobs.map(() => 1));
    expect([pool.slotsInUse(HOST), pool.slotsInUse(FORKER), [...pool.held]]).toEqual([[], [], []]);
    if (!this.isClosed) {
      pool.submitter.ledger.admit(2048, null, 24);
      expect(() => pool.submitter.ledger.admit(0, null, 25)).toThrow(/maxQueue/);
    }
  }
}
