/**
 * The life of a pool thread: look for a job, run it, look again.
 *
 * | state   | means                                                              | goes on                                          |
 * | ------- | ------------------------------------------------------------------ | ------------------------------------------------ |
 * | RUNNING | on the stack: takes jobs and runs them                             | to TURN, HELD, IDLE                              |
 * | TURN    | a turn of the event loop was asked for                             | to RUNNING, in that turn                         |
 * | HELD    | its jobs await something that is no job of the pool: it is theirs; | to RUNNING when one ends; to TURN by `wake`      |
 * |         | or it is paused, until the host says whether it shall leave        |                                                  |
 * |         | (a module that it cannot load, module-table.ts, or recycling.ts);  |                                                  |
 * |         | or what they have printed has to arrive before their outcomes      |                                                  |
 * | IDLE    | nothing to do: in its event loop, with a waitAsync (rest.ts)       | to RUNNING when it is woken                      |
 *
 * The event loop is never starved (hazard H1): one turn per quantum while busy (A3.12), one turn before each sleep if since the last a job
 * ran, messages came, or the thread was woken, be it in vain, and all the time while idle or while a job awaits. Timers, sockets and exporters
 * keep running, and what the host posts is heard.
 *
 * A job that awaits holds one of the thread's places for jobs (jobsPerThread, by default one), with one exception: while a job of this
 * thread waits for jobs that this thread submitted, the thread takes others, theirs first. So a pool of one thread runs jobs that
 * await jobs, to any depth. An exclusive job is alone: the thread begins it only when it has nothing else, and takes nothing until it
 * has ended but what that job itself has submitted (shared/reach.ts). A stream that is suspended (stream-jobs.ts) holds no place; one that
 * can go on does so before the thread takes another job.
 *
 * A thread that was told to leave takes no more jobs, waits for what its jobs wait for, and ends between two jobs. To the other threads
 * that is the same as one that died there: if it was woken for a job, the host wakes another when it has ended.
 *
 * All of it runs in the empty context: what a job has entered ends with it.
 */
import { AsyncScope } from "@skein/context";
import { promiseThen } from "../shared/intrinsics.ts";
import { NO_JOB } from "../shared/job-queues.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { ALL, OWN, type Reach, SHARED } from "../shared/reach.ts";
import { COUNTERS } from "../shared/statistics.ts";
import { idleImmediate, now as clockNow, setImmediate, setTimeout } from "../shared/timers.ts";
import type { Ledger } from "../submit/ledger.ts";
import type { Arrivals } from "./arrivals.ts";
import { outputPending, whenOutputFlushed } from "./console-output.ts";
import type { JobClock } from "./job-clock.ts";
import type { JobRunner } from "./job-runner.ts";
import { Pace } from "./pace.ts";
import type { Recycling } from "./recycling.ts";
import type { Rest } from "./rest.ts";

/** How often a thread that takes no jobs looks for the results of its own. */
const PAUSED_POLL_MS = 2;

const RUNNING = 0;
const TURN = 1;
const HELD = 2;
const IDLE = 3;

export interface LoopParts {
  readonly thread: number;
  readonly serial: number;
  readonly memory: PoolMemory;
  readonly runner: JobRunner;
  readonly arrivals: Arrivals;
  readonly clock: JobClock;
  readonly rest: Rest;
  /** How many jobs that await something else than jobs of this thread it has at once. */
  readonly jobsPerThread: number;
  /** Null: the thread is not replaced because of a limit. */
  readonly recycling: Recycling | null;
  /** Asks the host whether the thread shall leave, because it has reached one. */
  readonly recycle: () => void;
  /** Takes in what the host has posted, without waiting. */
  readonly takeMessages: () => void;
  /** The thread was told to leave, and has nothing left to do. May be called again. */
  readonly end: () => void;
}

export class DispatchLoop {
  /** See `idleImmediate`. */
  static readonly kept: NodeJS.Immediate = AsyncScope.root.run(idleImmediate);

  readonly #parts: LoopParts;
  readonly #memory: PoolMemory;
  /** Of the jobs that jobs of this thread submit; null: none has. */
  #ledger: Ledger | null = null;
  readonly #runner: JobRunner;
  readonly #arrivals: Arrivals;
  readonly #clock: JobClock;
  readonly #rest: Rest;
  readonly #pace: Pace;
  readonly #recycling: Recycling | null;
  #state: typeof RUNNING | typeof TURN | typeof HELD | typeof IDLE = TURN;
  /** Jobs of this thread that await something. */
  #awaiting = 0;
  #jobsPerThread: number;
  #isLeaving = false;
  /** While any is open the thread takes no jobs: the host was asked whether it shall leave. */
  #pauses = 0;
  /** Whether the thread is at an exclusive job. */
  #isExclusive = false;
  #stolen = 0;
  #turnsAsked = 0;
  /** Whether the event loop gets a turn before this thread sleeps. */
  #owesTurn = false;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#runner = parts.runner;
    this.#arrivals = parts.arrivals;
    this.#clock = parts.clock;
    this.#rest = parts.rest;
    this.#pace = new Pace(parts.memory.parking, parts.thread);
    this.#recycling = parts.recycling;
    this.#jobsPerThread = parts.jobsPerThread;
  }

  /** Jobs of this thread submit jobs, from now on. */
  submits(ledger: Ledger): void {
    this.#ledger = ledger;
  }

  /** How many of those have not settled. */
  get #outstanding(): number {
    return this.#ledger === null ? 0 : this.#ledger.outstanding;
  }

  /** The thread is ready. It begins as one that searches: what it finds, and cannot take, is for others (parking.ts P2). */
  start(): void {
    this.#rest.search(ALL);
    this.#nextTurn();
  }

  /** Goes on in a fresh turn of the event loop, if it does not go on anyway. */
  wake(): void {
    if (this.#state <= TURN || this.#memory.parking.wake(this.#parts.thread)) return;
    this.#nextTurn();
  }

  /** Takes no more jobs, and ends the thread when it has none. */
  leave(): void {
    this.#isLeaving = true;
    this.#jobsPerThread = 1;
    this.wake();
  }

  /** Takes no more jobs until `resume`, or for good when `leave` follows. */
  pause(): void {
    this.#pauses++;
  }

  /** One `pause` is over. */
  resume(): void {
    this.#pauses--;
    this.wake();
  }

  get #isPaused(): boolean {
    return this.#pauses > 0;
  }

  /** Whether the thread has nothing to do, and has not had since `rest.since`. */
  get isIdle(): boolean {
    return this.#state === IDLE && this.#awaiting === 0 && !this.#runner.hasStreams;
  }

  /** Whether jobs of this thread have begun and not ended. */
  get hasUnfinished(): boolean {
    return this.#awaiting > 0 || this.#runner.hasStreams;
  }

  // For jobs that wait in `join`.

  /**
   * Runs a job whose carried values have come, on the stack of a job that waits in `join`. What came with them and `accepts` refuses is
   * given to others.
   * @returns false when there is none.
   */
  helpArrived(accepts: (slot: number) => boolean): boolean {
    if (!this.#arrivals.hasResumable) {
      const next = this.#arrivals.nextHanded;
      if (next === undefined) return false;
      if (this.#isExclusive || !accepts(next)) {
        this.#arrivals.giveBackHanded();
        return false;
      }
    }
    const pending = this.#runArrived();
    if (pending !== null) this.adopt(pending);
    this.#runner.releaseOutcomes();
    return true;
  }

  get hasReadyStream(): boolean {
    return this.#runner.hasReadyStream;
  }

  /** Goes on with a stream on the stack of a job that waits in `join`. @returns false when there is none that can. */
  helpStream(): boolean {
    if (!this.hasReadyStream) return false;
    const pending = this.#runner.resumeStream();
    if (pending !== null) this.adopt(pending);
    this.#runner.releaseOutcomes();
    return true;
  }

  /** Runs a claimed job on the stack of a job that waits in `join`. If it awaits, it goes on when that stack is gone. */
  help(slot: number): void {
    const pending = this.#start(slot);
    if (pending !== null) this.adopt(pending);
    this.#runner.releaseOutcomes();
  }

  /** A job blocks this thread in `join`: what has ended is told now. */
  blocks(): void {
    this.#runner.releaseOutcomes();
  }

  /** A job of this thread awaits something: the thread is its own until the promise resolves. */
  adopt(pending: Promise<void>): void {
    this.#awaiting++;
    AsyncScope.root.run(() => {
      promiseThen(pending, this.#onAwaited);
    });
  }

  readonly #onAwaited = (): void => {
    this.#awaiting--;
    if (this.#state <= TURN || this.#memory.parking.wake(this.#parts.thread)) return;
    // In the microtask in which the job settled, unless the event loop has waited long enough.
    if (this.#clock.isQuantumOver()) this.#nextTurn();
    else this.#dispatch();
  };

  // The loop.

  #nextTurn(): void {
    this.#state = TURN;
    const number = ++this.#turnsAsked;
    AsyncScope.root.run(() => setImmediate(this.#onAskedTurn, number));
  }

  readonly #onAskedTurn = (number: number): void => {
    // Unless it was woken meanwhile, and went on from there. It may have asked again since: what was asked for before may come in the same turn.
    if (this.#state !== TURN || number !== this.#turnsAsked) return;
    this.#owesTurn = false;
    this.#onTurn();
  };

  /** A fresh turn: everything else on this thread had its chance just now. */
  readonly #onTurn = (): void => {
    const now = clockNow();
    this.#rest.turnStarted(now);
    this.#clock.turnStarted(now);
    this.#dispatch();
  };

  #dispatch(): void {
    this.#state = RUNNING;
    for (;;) {
      if (this.#ledger !== null && this.#ledger.drain() > 0) {
        // Whoever awaited these results goes on first.
        this.#rest.stopSearching();
        this.#nextTurn();
        return;
      }
      if (this.#runner.hasHeldOutcomes) {
        this.#hold();
        return;
      }
      if (this.#runner.hasReadyStream) {
        this.#rest.stopSearching();
        this.#owesTurn = true;
        if (!this.#goesOnAfter(this.#runner.resumeStream())) return;
        continue;
      }
      if (this.#outstanding === 0 && !this.#arrivals.hasResumable && this.#waitsOrLeaves()) return;
      if (this.#recycling !== null) this.#lookAtLimits(this.#recycling);
      this.#memory.queues.reach = this.#reach;
      if (this.#isExclusive || this.#isPaused) this.#arrivals.giveBackHanded();
      if (this.#arrivals.hasResumable || this.#arrivals.hasHanded) {
        this.#rest.stopSearching();
        if (!this.#goesOnAfter(this.#runArrived())) return;
        continue;
      }
      // What was sent was queued before what still is.
      if (this.#takeMail()) continue;
      if (this.#isPaused && this.#arrivals.isEmpty) {
        this.#hold();
        // Nobody wakes a thread that is not asleep for the results of the jobs that it submitted.
        if (this.#outstanding > 0) AsyncScope.root.run(setTimeout, () => this.wake(), PAUSED_POLL_MS);
        return;
      }
      const assigned = this.#arrivals.takeAssigned(this.#mayStart);
      const slot = assigned ?? this.#memory.queues.take(this.#parts.serial);
      if (slot === NO_JOB) {
        if (!this.#findOrRest()) return;
        continue;
      }
      this.#rest.stopSearching();
      if (assigned !== undefined && !this.#runner.mayBegin(assigned)) continue;
      if (!this.#goesOnAfter(this.#start(slot))) return;
    }
  }

  /** What the thread may take now, between two jobs. */
  get #reach(): Reach {
    if (this.#isExclusive) return OWN;
    const isAlone = this.#awaiting === 0 && this.#outstanding === 0;
    return isAlone && !this.#runner.hasLate && !this.#runner.hasStreams ? ALL : SHARED;
  }

  readonly #mayStart = (slot: number): boolean =>
    !this.#isExclusive && (this.#memory.queues.reach === ALL || !this.#memory.slots.isExclusive(slot));

  /** No job that this thread waits for is under way. @returns whether it takes nothing now: it is held by its jobs, or about to end. */
  #waitsOrLeaves(): boolean {
    if (this.#awaiting > 0 && this.#awaiting >= this.#places && !this.#mayRunHanded()) {
      // They wait for something that is not a job: the thread is theirs.
      this.#hold();
      return true;
    }
    if (!this.#isLeaving || this.#awaiting > 0 || !this.#arrivals.isEmpty) return false;
    this.#hold();
    if (!this.#runner.hasLate && !this.#runner.hasStreams) this.#parts.end();
    return true;
  }

  /** Not while its jobs wait for jobs: those may need it. */
  #lookAtLimits(recycling: Recycling): void {
    if (this.#isLeaving || this.#isExclusive || this.#outstanding > 0) return;
    const reached = recycling.reached();
    if (reached === null) return;
    if (reached === "jobs") this.pause();
    this.#parts.recycle();
  }

  #hold(): void {
    this.#rest.stopSearching();
    this.#state = HELD;
  }

  /** For jobs that await. While exclusive jobs wait, a thread with several of them lets them end, or it would never be alone. */
  get #places(): number {
    const { queues } = this.#memory;
    const isWanted = this.#jobsPerThread > 1 && (!queues.isExclusiveEmpty() || queues.hasExclusiveHere);
    return this.#isExclusive || isWanted ? 1 : this.#jobsPerThread;
  }

  /** While the thread's jobs await: whether they were not begun. Otherwise what was handed to the thread is for others. */
  #mayRunHanded(): boolean {
    if (!this.#arrivals.hasHanded) return false;
    if (!this.#isExclusive && this.#awaiting - this.#runner.lateHolding < this.#jobsPerThread) return true;
    this.#arrivals.giveBackHanded();
    return false;
  }

  #runArrived(): Promise<void> | null {
    const resumable = this.#arrivals.takeResumable();
    const slot = resumable ?? this.#arrivals.takeHanded()!;
    const { queues, slots } = this.#memory;
    const isExclusive = slots.isExclusive(slot);
    this.#owesTurn = true;
    queues.reach = this.#isExclusive ? OWN : SHARED;
    if (!this.#runner.mayBegin(slot)) {
      if (isExclusive) this.#isExclusive = false;
      return null;
    }
    const startedAt = clockNow();
    const pending = resumable === undefined ? this.#start(slot) : this.#runner.resume(slot);
    if (resumable !== undefined && isExclusive) this.#releaseAfter(slot, pending);
    if (pending === null) this.#pace.ended(startedAt);
    else AsyncScope.root.run(() => promiseThen(pending, () => this.#pace.ended(startedAt)));
    return pending;
  }

  #start(slot: number): Promise<void> | null {
    const { statistics, slots, queues } = this.#memory;
    this.#owesTurn = true;
    statistics.count(COUNTERS.executed);
    if (this.#recycling !== null) this.#recycling.ran();
    if (queues.stolen !== this.#stolen) {
      this.#stolen = queues.stolen;
      statistics.count(COUNTERS.stolen);
      this.#runner.reportSteal(slot);
    }
    if (slots.isExclusive(slot)) return this.#startExclusive(slot);
    queues.reach = this.#isExclusive ? OWN : SHARED;
    return this.#clock.time(slot, this.#run);
  }

  #startExclusive(slot: number): Promise<void> | null {
    this.#isExclusive = true;
    this.#memory.queues.reach = OWN;
    const { parking } = this.#memory;
    const { thread } = this.#parts;
    // From now on the host sends it nothing that would be lost if the thread is ended; what it has sent is for others (parking.ts P6).
    parking.setReach(thread, OWN);
    parking.awaitHanding(thread);
    this.#takeMail();
    this.#arrivals.giveBackHanded();
    const pending = this.#clock.time(slot, this.#run);
    this.#releaseAfter(slot, pending);
    return pending;
  }

  /** The thread is for others again when the exclusive job in `slot` is over. One whose arguments are not here has yet to begin. */
  #releaseAfter(slot: number, pending: Promise<void> | null): void {
    const release = (): void => {
      this.#isExclusive = this.#runner.isLate(slot) || this.#arrivals.isResumable(slot);
    };
    if (pending === null) release();
    else promiseThen(pending, release);
  }

  readonly #run = (slot: number): Promise<void> | null => this.#runner.run(slot);

  /** @returns false when the loop goes on later, from the event loop. */
  #goesOnAfter(pending: Promise<void> | null): boolean {
    if (pending !== null) {
      this.adopt(pending);
      // Its microtasks come first: it may settle, or submit jobs, without waiting for anything else.
      const goesOn = this.#outstanding > 0 || this.#awaiting < this.#places || !this.#arrivals.isEmpty;
      if (goesOn) this.#nextTurn();
      else this.#state = HELD;
      return false;
    }
    if (!this.#clock.isTurnDue()) return true;
    this.#nextTurn();
    return false;
  }

  /** @returns whether there were messages of the host to take in. */
  #takeMail(): boolean {
    if (!this.#memory.parking.takeMail(this.#parts.thread)) return false;
    this.#parts.takeMessages();
    // What is more than knowledge waits for the event loop.
    this.#owesTurn = true;
    return true;
  }

  readonly #onWoken = (): void => {
    this.#rest.wokeUp(this.#reach);
    // In the middle of one: its timers or its messages may not have had their chance.
    this.#owesTurn = true;
    this.#onTurn();
  };

  /** Nothing found. @returns true: look again; false: the loop goes on later, from the event loop. */
  #findOrRest(): boolean {
    const { parking, queues } = this.#memory;
    const { thread } = this.#parts;
    const isFlushing = outputPending();
    if (isFlushing) parking.setOutputPending(thread, true);
    this.#rest.search(queues.reach);
    if (this.#awaiting === 0 && this.#rest.spin()) return true;
    if (this.#owesTurn) {
      // What the jobs left behind, microtasks and timers, and what the host has posted, runs before this thread sleeps.
      this.#rest.stopSearching();
      this.#nextTurn();
      return false;
    }
    const blocks = !isFlushing && this.#awaiting === 0 && !this.#runner.hasAsyncStreams;
    const woken = this.#rest.sleep(queues.reach, blocks);
    if (isFlushing) whenOutputFlushed(() => parking.setOutputPending(thread, false));
    if (woken === null) {
      this.#owesTurn = true;
      return true;
    }
    this.#state = IDLE;
    promiseThen(woken, this.#onWoken);
    return false;
  }
}
