/**
 * The life of a pool thread: look for a job, run it, look again; with nothing to do spin a few microseconds, sleep a few
 * milliseconds, then rest in the event loop until somebody wakes it (parking.ts).
 *
 * The event loop is never starved (hazard H1): one turn per quantum while busy (A3.12), one turn before each sleep if a job
 * ran since the last, and all the time while idle or while a job awaits. Timers, sockets and exporters keep running.
 *
 * A job that awaits holds one of the thread's places for jobs (jobsPerThread, by default one), with one exception: while a job of this
 * thread waits for jobs that this thread submitted, the thread takes others, theirs first. So a pool of one thread runs jobs that
 * await jobs, to any depth.
 *
 * A thread that was told to leave takes no more jobs, waits for what its jobs wait for, and ends between two jobs. To the other threads
 * that is the same as one that died there: if it was woken for a job, the host wakes another when it has ended.
 */
import { type JobQueues, NO_JOB } from "../shared/job-queues.ts";
import type { Parking } from "../shared/parking.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { Settlement } from "../submit/settlement.ts";
import { OUTCOME_RESULT } from "../shared/slot.ts";
import { COUNTERS, timestampUs } from "../shared/statistics.ts";
import { outputPending, whenOutputFlushed } from "./console-output.ts";
import type { JobRunner } from "./job-runner.ts";
import { Spinner } from "./spinner.ts";

/** How long jobs may follow each other without a turn of the event loop. */
const QUANTUM_MS = 30;
/** How long a thread blocks in one sleep before it goes back to its event loop. */
const SLEEP_MS = 2;
/** Jobs shorter than this are timed once in so many. */
const SHORT_US = 20;
const SHORT_TIMED_EVERY = 16;
/** The clock is read once in as many jobs as take about this long, at most 64. */
const CLOCK_INTERVAL_MS = 1;

export interface LoopOptions {
  readonly spinLimitUs: number;
  /** How many jobs that await something else than jobs of this thread it has at once. */
  readonly jobsPerThread: number;
}

export class DispatchLoop {
  readonly #thread: number;
  readonly #serial: number;
  readonly #memory: PoolMemory;
  readonly #queues: JobQueues;
  readonly #parking: Parking;
  readonly #runner: JobRunner;
  readonly #settlement: Settlement;
  readonly #spinner: Spinner;
  readonly #onAllBusy: () => void;
  readonly #takeMessages: () => void;
  readonly #giveBack: (slots: readonly number[]) => void;
  /** Jobs of this thread that await something. */
  #awaiting = 0;
  #jobsPerThread: number;
  #isLeaving = false;
  /** Slots of jobs for this thread alone. */
  readonly #assigned: number[] = [];
  /** Slots of jobs that were begun, to find that their carried values were not here. Now they are. */
  readonly #resumable: number[] = [];
  /** Slots of jobs that came with their carried values, and were not begun. */
  readonly #handed: number[] = [];
  /** Whether dispatching goes on by itself: on the stack now, in a turn that was asked for, or when the thread is ready. */
  #active = true;
  #stolen = 0;
  #untilTimed = 1;
  #timedEvery = 1;
  #busySince = performance.now();
  #restingSince = 0;
  #turnStartedAt = 0;
  #ranSinceTurn = false;
  /** Whether the parking word says so: it must say BUSY before a job runs, or a turn of the event loop (parking.ts P2). */
  #searching = false;
  #jobsPerClock = 1;
  #jobsUntilClock = 1;
  #clockReadAt = 0;

  /**
   * @param onAllBusy Jobs wait, and no thread is free to look for them.
   * @param takeMessages Takes in what the host has posted, without waiting.
   * @param giveBack Gives jobs that were handed to this thread, and not begun, to others.
   */
  constructor(
    thread: number,
    serial: number,
    memory: PoolMemory,
    runner: JobRunner,
    settlement: Settlement,
    { spinLimitUs, jobsPerThread }: LoopOptions,
    onAllBusy: () => void,
    takeMessages: () => void,
    giveBack: (slots: readonly number[]) => void,
  ) {
    this.#jobsPerThread = jobsPerThread;
    this.#onAllBusy = onAllBusy;
    this.#takeMessages = takeMessages;
    this.#giveBack = giveBack;
    this.#thread = thread;
    this.#serial = serial;
    this.#memory = memory;
    this.#queues = memory.queues;
    this.#parking = memory.parking;
    this.#runner = runner;
    this.#settlement = settlement;
    this.#spinner = new Spinner(
      () => !memory.queues.isEmpty() || memory.parking.hasMail(thread),
      memory.parking,
      spinLimitUs,
    );
  }

  /** The thread is ready. It begins as one that searches: what it finds, and cannot take, is for others (parking.ts P2). */
  start(): void {
    this.#search();
    this.#nextTurn();
  }

  /** Goes on in a fresh turn of the event loop, if it does not go on anyway. */
  wake(): void {
    if (this.#active || this.#parking.wake(this.#thread)) return;
    this.#nextTurn();
  }

  /** Takes no more jobs, and ends the thread when it has none. */
  leave(): void {
    this.#isLeaving = true;
    this.#jobsPerThread = 1;
    this.wake();
  }

  /** How long the thread has had nothing to do, in milliseconds. */
  get restedMs(): number {
    return this.#active || this.#awaiting > 0 ? 0 : performance.now() - this.#restingSince;
  }

  /** A job for this thread alone: it runs when the thread looks for its next job. */
  assign(slot: number): void {
    this.#assigned.push(slot);
    this.wake();
  }

  /**
   * A job that this thread has begun, and whose carried values are here: it runs next, even while another job of this thread awaits
   * something, since nobody else can run it. The caller sees to it that dispatching goes on.
   */
  resumeNext(slot: number): void {
    this.#resumable.push(slot);
  }

  /** A job that has come with its carried values: before those in the queues, when this thread takes jobs. The caller calls `wake` then. */
  hand(slot: number): void {
    this.#handed.push(slot);
  }

  /** Whether `resumeNext` was called for this slot, and nothing more has happened to it. */
  hasArrived(slot: number): boolean {
    return this.#resumable.includes(slot);
  }

  /**
   * Runs a job whose carried values have come, on the stack of a job that waits in `join`. What came with them and `accepts` refuses is
   * given to others.
   * @returns false when there is none.
   */
  helpArrived(accepts: (slot: number) => boolean): boolean {
    if (this.#resumable.length === 0) {
      if (this.#handed.length === 0) return false;
      if (!accepts(this.#handed[0]!)) {
        this.#giveBack(this.#handed.splice(0));
        return false;
      }
    }
    const pending = this.#runArrived();
    if (pending !== null) this.adopt(pending);
    return true;
  }

  /** Runs a claimed job on the stack of a job that waits in `join`. If it awaits, it goes on when that stack is gone. */
  help(slot: number): void {
    const pending = this.#start(slot);
    if (pending !== null) this.adopt(pending);
  }

  /** A fresh turn: everything else on this thread had its chance just now. */
  readonly #onTurn = (): void => {
    const now = performance.now();
    if (!this.#searching) this.#countBusy(now);
    this.#turnStartedAt = this.#clockReadAt = now;
    this.#ranSinceTurn = false;
    this.#dispatch();
  };

  #nextTurn(): void {
    this.#active = true;
    setImmediate(this.#onTurn);
  }

  #dispatch(): void {
    this.#active = true;
    for (;;) {
      if (this.#settlement.drain() > 0) {
        // Whoever awaited these results goes on first.
        this.#stopSearching();
        this.#nextTurn();
        return;
      }
      if (this.#settlement.outstanding === 0 && this.#resumable.length === 0) {
        if (this.#awaiting >= this.#jobsPerThread && !this.#mayRunHanded()) {
          // They wait for something that is not a job: the thread is theirs.
          this.#stopSearching();
          this.#active = false;
          return;
        }
        if (this.#isLeaving && this.#awaiting === 0 && this.#assigned.length + this.#handed.length === 0) {
          this.#stopSearching();
          if (!this.#runner.hasLate) process.exit();
          this.#active = false;
          return;
        }
      }
      if (this.#resumable.length + this.#handed.length > 0) {
        this.#stopSearching();
        if (!this.#goesOnAfter(this.#runArrived())) return;
        continue;
      }
      // What was sent was queued before what still is.
      if (this.#takeMail()) continue;
      const slot = this.#assigned.length > 0 ? this.#assigned.shift()! : this.#queues.take(this.#serial);
      if (slot === NO_JOB) {
        if (!this.#findOrRest()) return;
        continue;
      }
      this.#stopSearching();
      if (!this.#goesOnAfter(this.#start(slot))) return;
    }
  }

  /** While the thread's jobs await: whether they were not begun. Otherwise what was handed to the thread is for others. */
  #mayRunHanded(): boolean {
    if (this.#handed.length === 0) return false;
    if (this.#awaiting - this.#runner.lateHolding < this.#jobsPerThread) return true;
    this.#giveBack(this.#handed.splice(0));
    return false;
  }

  #runArrived(): Promise<void> | null {
    const resumable = this.#resumable.shift();
    const slot = resumable ?? this.#handed.shift()!;
    this.#ranSinceTurn = true;
    if (this.#runner.endIfCancelled(slot)) return null;
    if (resumable !== undefined) return this.#runner.resume(slot);
    this.#memory.slots.setOutcome(slot, OUTCOME_RESULT);
    return this.#start(slot);
  }

  /** @returns false when the loop goes on later, from the event loop. */
  #goesOnAfter(pending: Promise<void> | null): boolean {
    if (pending !== null) {
      this.adopt(pending);
      // Its microtasks come first: it may settle, or submit jobs, without waiting for anything else.
      this.#active = false;
      const goesOn =
        this.#settlement.outstanding > 0 ||
        this.#awaiting < this.#jobsPerThread ||
        this.#handed.length + this.#resumable.length > 0;
      if (goesOn) this.#nextTurn();
      return false;
    }
    if (--this.#jobsUntilClock > 0 || !this.#quantumIsOver()) return true;
    this.#nextTurn();
    return false;
  }

  #start(slot: number): Promise<void> | null {
    const { statistics, slots } = this.#memory;
    this.#ranSinceTurn = true;
    statistics.count(COUNTERS.executed);
    if (this.#queues.stolen !== this.#stolen) {
      this.#stolen = this.#queues.stolen;
      statistics.count(COUNTERS.stolen);
      this.#runner.reportSteal(slot);
    }
    const submittedAt = slots.submittedAt(slot);
    if (submittedAt !== 0) statistics.record("wait", (timestampUs() - submittedAt) | 0, 1);
    if (--this.#untilTimed > 0) return this.#runner.run(slot);
    // Long jobs are all timed, short ones one in 16: reading the clock twice costs as much as running one.
    const weight = this.#timedEvery;
    const startedAt = timestampUs();
    const pending = this.#runner.run(slot);
    const record = (): void => {
      const us = (timestampUs() - startedAt) | 0;
      statistics.record("run", us, weight);
      this.#timedEvery = us < SHORT_US ? SHORT_TIMED_EVERY : 1;
    };
    if (pending === null) record();
    else void pending.then(record);
    this.#untilTimed = this.#timedEvery;
    return pending;
  }

  /** A job of this thread awaits something: the thread is its own until the promise resolves. */
  adopt(pending: Promise<void>): void {
    this.#awaiting++;
    void pending.then(() => {
      this.#awaiting--;
      if (this.#active || this.#parking.wake(this.#thread)) return;
      // In the microtask in which the job settled, unless the event loop has waited long enough.
      if (this.#quantumIsOver()) this.#nextTurn();
      else this.#dispatch();
    });
  }

  #quantumIsOver(): boolean {
    const now = performance.now();
    const perJob = (now - this.#clockReadAt) / this.#jobsPerClock;
    this.#clockReadAt = now;
    this.#jobsPerClock = this.#jobsUntilClock = Math.max(
      1,
      Math.min(64, Math.floor(CLOCK_INTERVAL_MS / perJob)),
    );
    return now - this.#turnStartedAt >= QUANTUM_MS;
  }

  /** @returns whether there were messages of the host to take in. */
  #takeMail(): boolean {
    if (!this.#parking.takeMail(this.#thread)) return false;
    this.#takeMessages();
    return true;
  }

  /** Nothing found. @returns true: look again; false: the loop goes on later, from the event loop. */
  #findOrRest(): boolean {
    const flushing = outputPending();
    if (flushing) this.#parking.setOutputPending(this.#thread, true);
    this.#search();
    if (this.#awaiting === 0 && this.#spinner.spin()) return true;
    if (this.#ranSinceTurn) {
      // What the jobs left behind, microtasks and timers, runs before this thread sleeps.
      this.#stopSearching();
      this.#nextTurn();
      return false;
    }
    this.#parking.announceSleep(this.#thread);
    if (!this.#queues.isEmpty() || !this.#memory.inbox.isEmpty() || this.#parking.hasMail(this.#thread)) {
      this.#parking.stayAwake(this.#thread);
      return true;
    }
    if (flushing) whenOutputFlushed(() => this.#parking.setOutputPending(this.#thread, false));
    return this.#sleep(flushing || this.#awaiting > 0 ? 0 : SLEEP_MS);
  }

  #sleep(timeoutMs: number): boolean {
    this.#memory.trace?.parked();
    this.#restingSince = performance.now();
    this.#spinner.sleeping(this.#restingSince);
    if (this.#parking.sleep(this.#thread, timeoutMs) === "awake") {
      this.#wokeUp();
      return true;
    }
    const woken = this.#parking.whenWoken(this.#thread);
    if (woken === null) {
      this.#wokeUp();
      return true;
    }
    this.#active = false;
    void woken.then(() => {
      this.#wokeUp();
      this.#onTurn();
    });
    return false;
  }

  #wokeUp(): void {
    this.#memory.trace?.wokeUp();
    const now = performance.now();
    this.#memory.statistics.addTime("parked", (now - this.#restingSince) * 1000);
    this.#spinner.wokeUp(now);
    this.#search();
  }

  #search(): void {
    if (!this.#searching) this.#countBusy(performance.now());
    this.#searching = true;
    this.#parking.setSearching(this.#thread);
  }

  #countBusy(now: number): void {
    this.#memory.statistics.addTime("busy", (now - this.#busySince) * 1000);
    this.#busySince = now;
  }

  /** If more jobs remain than this thread can take, somebody else has to look (parking.ts P2), or to be started. */
  #stopSearching(): void {
    if (!this.#searching) return;
    this.#searching = false;
    this.#busySince = performance.now();
    this.#parking.setBusy(this.#thread);
    if (!this.#queues.isEmpty() && this.#parking.wakeOne() === "none") this.#onAllBusy();
  }
}
