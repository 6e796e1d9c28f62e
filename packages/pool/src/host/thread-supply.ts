/**
 * How many threads there are (A3.13–A3.15). Up to `minThreads` start as soon as jobs wait and all others are busy; more, up to
 * `maxThreads`, when that goes on (thread-demand.ts). Those above `minThreads` leave after `idleTimeoutMs` without a job, those above
 * `maxThreads` as soon as they have finished the job they are at.
 *
 * One more than `maxThreads` starts, for as long as it has jobs, when exclusive jobs wait and every thread sleeps while jobs of its own are
 * outstanding: those may be what it waits for, and no thread may begin an exclusive job on top of another (shared/reach.ts).
 */
import { AsyncScope } from "@skein/context";
import { process, Promise, promiseThen } from "../shared/intrinsics.ts";
import { ASLEEP, IDLE } from "../shared/parking.ts";
import { ALL } from "../shared/reach.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { QueueLimits } from "../submit/job-holdings.ts";
import { clearInterval, clearTimeout, now as clockNow, setInterval, setTimeout } from "../shared/timers.ts";
import { availableCores } from "./available-cores.ts";
import type { PoolThread } from "./pool-thread.ts";
import { Recycling } from "./recycling.ts";
import { ReloadLimit } from "./reload-limit.ts";
import { DEMAND_INTERVAL_MS, ThreadDemand } from "./thread-demand.ts";
import type { ThreadRoster } from "./thread-roster.ts";

/** Taken now: a timer asks, and tests put something else in its place. */
const cpuUsage = process.cpuUsage.bind(process);

/** How often a thread that could not start is tried again: others still run jobs of the dead one whose place it would take. */
const START_RETRY_MS = 10;

const settled: Promise<void> = Promise.resolve();

/** Of a thread above `maxThreads`. */
export const EXTRA_IDLE_TIMEOUT_MS = 1;
/** Threads above `maxThreads` that a pool has places for: so deep may exclusive jobs that wait for exclusive jobs be nested there. */
export const EXTRA_PLACES = 16;

export interface ThreadCounts {
  readonly minThreads: number;
  readonly maxThreads: number;
  /** How far `setMaxThreads` can go. */
  readonly mostThreads: number;
  readonly jobsPerThread: number;
}

/** What the host knows of the jobs. */
export interface JobCounts {
  /** Jobs of the host that have not settled. */
  outstanding(): number;
  /** Jobs that no thread has taken. */
  waiting(): number;
  /** The pool closes, and its threads are ended, or are about to be. */
  areOver(): boolean;
  /** There is one more thread that counts: it takes jobs from here on, or as soon as it is ready. */
  started(): void;
  /** The thread takes no more jobs. */
  left(thread: PoolThread): void;
  /** Whether the thread is the only one that may run some job: any, or one that asks for it by its id. */
  isHome(thread: PoolThread, kind: "any" | "thread"): boolean;
  /** A thread did not start: jobs that no other thread can run are to be told, and who called `start`, if that had asked for it. */
  cannotStart(error: unknown, wasAsked: boolean): void;
}

export class ThreadSupply {
  readonly #memory: PoolMemory;
  readonly #roster: ThreadRoster;
  readonly #jobs: JobCounts;
  readonly #limits: QueueLimits;
  readonly #jobsPerThread: number;
  readonly #mostThreads: number;
  readonly #reloads = new ReloadLimit();
  /** Threads that are replaced because of a limit. */
  readonly recycling: Recycling;
  #minThreads: number;
  #startRetry: NodeJS.Timeout | null = null;
  #isStarting = false;
  /** Another thread was wanted while one was made. */
  #startAgain = false;
  /** Threads above `maxThreads` are still there, because jobs have asked for them by their id. */
  #isShrinking = false;
  /** What `start` has asked for: how many threads, and what they load first. Until it was tried. */
  #asked: { readonly count: number; readonly modules: readonly string[] } | null = null;
  #watch: NodeJS.Timeout | null = null;
  #isWatchDue = false;

  /** @param limits Kept up to date: more threads may have more jobs. */
  constructor(
    memory: PoolMemory,
    roster: ThreadRoster,
    { minThreads, maxThreads, mostThreads, jobsPerThread }: ThreadCounts,
    limits: QueueLimits,
    jobs: JobCounts,
  ) {
    this.#memory = memory;
    this.#roster = roster;
    this.#jobs = jobs;
    this.#limits = limits;
    this.#jobsPerThread = jobsPerThread;
    this.#mostThreads = mostThreads;
    this.#minThreads = minThreads;
    this.recycling = new Recycling({
      startSpare: (thread) => this.#startSpare(thread),
      count: (thread) => {
        roster.promote(thread);
        this.#countChanged();
        jobs.started();
      },
      leave: (thread) => this.#leave(thread),
      keep: (thread) => thread.post({ type: "kept" }),
      mayLeave: (thread) => !jobs.isHome(thread, "thread"),
      room: () => this.maxThreads - roster.count,
    });
    memory.places.initialize(maxThreads);
    this.#countChanged();
  }

  get minThreads(): number {
    return this.#minThreads;
  }

  get maxThreads(): number {
    return this.#memory.places.maxThreads;
  }

  /** Whether a thread is about to be started, as soon as there is a place for it. */
  get isStarting(): boolean {
    return this.#startRetry !== null;
  }

  /** As .NET: false for what is out of bounds, and 0 reads back as 1. */
  setMinThreads(count: number): boolean {
    if (count < 0 || count > this.maxThreads) return false;
    this.#minThreads = Math.max(1, count);
    this.#countChanged();
    // They have said so before, when they were still needed.
    for (const thread of this.#roster.staying()) {
      if (thread.isIdle && this.#isIdle(thread)) this.idle(thread);
    }
    for (
      let waiting = this.#jobs.waiting();
      waiting > 0 && this.#roster.count < this.#minThreads;
      waiting--
    ) {
      if (!this.#start()) break;
    }
    return true;
  }

  /** As .NET: false below `minThreads`; above `mostThreads` it is that number. */
  setMaxThreads(count: number): boolean {
    if (count < this.#minThreads) return false;
    this.#memory.places.setMaxThreads(Math.min(count, this.#mostThreads));
    this.#shrink();
    return true;
  }

  /** Threads above `maxThreads` leave, but for those that jobs have asked for by their id: these are asked again later (`#look`). */
  #shrink(): void {
    this.#isShrinking = false;
    const rank = (thread: PoolThread): number => (this.#isIdle(thread) ? 0 : 1);
    for (const thread of this.#roster.staying().toSorted((a, b) => rank(a) - rank(b))) {
      if (thread.isSpare || this.#roster.count <= this.maxThreads) continue;
      if (!this.#jobs.isHome(thread, "thread")) {
        this.#leave(thread);
        continue;
      }
      this.#isShrinking = true;
    }
    if (this.#isShrinking && this.#watch === null) this.#startWatching();
  }

  #isIdle({ index }: PoolThread): boolean {
    const state = this.#memory.parking.state(index);
    return state === IDLE || state === ASLEEP;
  }

  /** Starts threads until there are `count`, before there are jobs for them. Each loads `modules` first. */
  start(count: number, modules: readonly string[]): void {
    if (this.#roster.count >= count) return;
    const before = this.#asked;
    this.#asked = {
      count: Math.max(count, before?.count ?? 0),
      modules: before === null ? modules : [...new Set([...before.modules, ...modules])],
    };
    // Somebody has called this to have another try.
    this.#roster.forgetFailedStarts();
    this.#start();
  }

  /** A job was queued. */
  queued(isExclusive: boolean): void {
    if (this.#watch === null && !this.#isWatchDue) this.#watchSoon();
    if (this.#memory.parking.wakeOne(-1, isExclusive) !== "none" || !this.#isShort) return;
    if (isExclusive) this.wanted();
    else if (this.#isBelowMinimum) this.#start();
  }

  /** A job waits for a thread that can be its home, and would rather have a new one. */
  homeWanted(): void {
    if (this.#roster.count < this.#minThreads) this.#start();
  }

  /** Jobs wait, and all threads are busy, or may not take them. */
  wanted(): void {
    if (this.#isBelowMinimum || this.#areStuck) this.#start();
  }

  get #isBelowMinimum(): boolean {
    return this.#roster.count < this.#minThreads && this.#needsMore();
  }

  /** Whether exclusive jobs wait for threads that wait for jobs: maybe for those. */
  get #areStuck(): boolean {
    const { parking, queues } = this.#memory;
    return (
      !queues.isExclusiveEmpty() &&
      this.#roster
        .staying()
        .every((thread) => thread.isReady && this.#isIdle(thread) && parking.reachOf(thread.index) !== ALL)
    );
  }

  /** Whether more jobs wait than threads are starting. */
  #needsMore(): boolean {
    return this.#jobs.waiting() > this.#roster.starting;
  }

  /** A thread has ended: the others have its share to do. */
  ended(): void {
    this.#countChanged();
    if (this.#isShort) this.#start();
  }

  /** A thread has had nothing to do for a while. */
  idle(thread: PoolThread): void {
    thread.isIdle = true;
    const isMany = this.#roster.count > this.#minThreads;
    if (!thread.isLeaving && isMany && !this.#jobs.isHome(thread, "any")) this.#leave(thread);
  }

  /** A thread cannot load the module at `url` any more: it is replaced, at once or later. */
  retire(thread: PoolThread, url: string): void {
    const serials = this.#roster.live().map(({ serial }) => serial);
    const delayMs = this.#reloads.delayMs(url, thread.serial, Math.max(...serials), clockNow());
    if (delayMs === 0) return this.#replace(thread);
    thread.post({ type: "stay" });
    AsyncScope.root.run(() => setTimeout(() => this.#replace(thread), delayMs).unref());
  }

  #replace(thread: PoolThread): void {
    if (thread.hasEnded) return;
    if (!thread.isLeaving) this.#leave(thread);
    if (this.#isShort) this.#start();
  }

  /** The thread is about to be ended. */
  dismiss(thread: PoolThread): void {
    if (!thread.isLeaving) this.#leave(thread);
  }

  close(): void {
    if (this.#watch !== null) clearInterval(this.#watch);
    if (this.#startRetry !== null) clearTimeout(this.#startRetry);
  }

  get #isShort(): boolean {
    return this.#jobs.outstanding() > this.#roster.count;
  }

  /** Beyond the queue, as many jobs as the threads that are there, or start when they are wanted, have at once. */
  #countChanged(): void {
    const threads = Math.max(this.#minThreads, this.#roster.count);
    this.#limits.jobs = threads * this.#jobsPerThread + this.#limits.maxQueue;
  }

  /** @returns false when no more may start, or not now: then it is tried again. */
  #start(): boolean {
    // Node tells listeners of the user's of each new worker, and they may submit jobs.
    if (this.#isStarting) {
      this.#startAgain = true;
      return true;
    }
    this.#isStarting = true;
    let started: boolean;
    try {
      do {
        this.#startAgain = false;
        started = this.#startOne();
      } while (started && (this.#isAsked || (this.#startAgain && this.#isBelowMinimum)));
    } finally {
      this.#isStarting = false;
    }
    this.#asked = null;
    this.#jobs.started();
    // Whoever was told that it could not start has submitted another job.
    if (this.#startAgain && !started) this.#startLater();
    return started;
  }

  get #isAsked(): boolean {
    return this.#asked !== null && this.#roster.count < this.#asked.count;
  }

  #startOne(): boolean {
    const isExtra = this.#roster.count >= this.maxThreads;
    if ((isExtra && !this.#areStuck) || this.#roster.cannotStart || this.#jobs.areOver()) return false;
    const modules = this.#isAsked ? this.#asked!.modules : null;
    try {
      if (this.#roster.add(isExtra, modules) !== null) {
        this.#countChanged();
        return true;
      }
    } catch (error) {
      this.#jobs.cannotStart(error, modules !== null);
      return false;
    }
    this.#startLater();
    return false;
  }

  #startLater(): void {
    this.#startRetry ??= AsyncScope.root.run(
      setTimeout,
      () => {
        this.#startRetry = null;
        if (this.#isShort) this.#start();
      },
      START_RETRY_MS,
    );
  }

  /** See recycling.ts. */
  #startSpare({ modules }: PoolThread): PoolThread | null {
    if (this.#isStarting || this.#roster.cannotStart || this.#jobs.areOver()) return null;
    this.#isStarting = true;
    try {
      return this.#roster.add(false, modules, true);
    } catch {
      return null;
    } finally {
      this.#isStarting = false;
      if (this.#startAgain) this.#startLater();
      this.#startAgain = false;
    }
  }

  #leave(thread: PoolThread): void {
    this.#roster.leave(thread);
    this.#countChanged();
    this.#memory.parking.wake(thread.index);
    this.#jobs.left(thread);
  }

  /** Not at once: a job may be submitted where the stack is full, and Node's timers do not survive being set there. */
  #watchSoon(): void {
    promiseThen(settled, this.#onWatchDue);
    this.#isWatchDue = true;
  }

  readonly #onWatchDue = (): void => {
    this.#isWatchDue = false;
    if (this.#watch === null) this.#startWatching();
  };

  /** Until no job is outstanding: an idle pool has no timer. */
  #startWatching(): void {
    const demand = new ThreadDemand();
    const watch = AsyncScope.root.run(() => setInterval(() => this.#look(demand), DEMAND_INTERVAL_MS));
    watch.unref();
    this.#watch = watch;
  }

  #look(demand: ThreadDemand): void {
    if (this.#isShrinking) this.#shrink();
    if (this.#jobs.outstanding() === 0) {
      clearInterval(this.#watch!);
      this.#watch = null;
      return;
    }
    if (this.#areStuck) {
      this.#start();
      return;
    }
    const { user, system } = cpuUsage();
    const need = demand.ask({
      now: clockNow(),
      jobsWait: this.#jobs.waiting() > 0,
      taken: this.#memory.allStatistics.total("executed"),
      cpuMs: (user + system) / 1000,
      cores: availableCores(),
      threads: this.#roster.count,
    });
    // Threads that are starting will take some.
    if (need === null || !this.#needsMore()) return;
    const { parking, joins, queues } = this.#memory;
    // One that was told to look may be stuck in code of its own, in a timer or a listener, while others sleep.
    if (parking.wakeAnother(joins, queues.isSharedEmpty())) return;
    this.#start();
  }
}
