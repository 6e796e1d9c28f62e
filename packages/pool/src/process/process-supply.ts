/**
 * How many processes there are: they start on demand, one for each job that waits, up to `maxThreads`; those above `minThreads` end when they
 * have had nothing to do for a while; and those that have reached a limit are replaced (host/recycling.ts).
 *
 * A process that ends before it was ready is started anew while jobs wait. After three of them in a row, with none ready, the jobs that
 * wait get its error: whoever submits next may try again. With another one ready the next start waits a second. So does the next
 * replacement after one has failed: meanwhile processes that have reached a limit run jobs all the same.
 */
import { AsyncScope } from "@skein/context";
import type { ProcessStart } from "../adapter/process-frames.ts";
import { ThreadCrashedError } from "../errors.ts";
import { Recycling } from "../host/recycling.ts";
import { ReloadLimit } from "../host/reload-limit.ts";
import { ThreadStarts } from "../host/thread-starts.ts";
import { clearTimeout, now, setTimeout } from "../shared/timers.ts";
import { PoolProcess, type ProcessEvents } from "./pool-process.ts";
import type { ProcessPoolSettings } from "./process-options.ts";

const MOST_FAILURES = 3;
const NEXT_START_MS = 1000;
/** Of a process that has no `dispose` to call: exit handlers run. */
const LEAVE_MS = 1000;
/** Of `dispose`, when `close` has no earlier deadline. */
const DISPOSE_MS = 10_000;

const noLimits = { maxJobs: Infinity, maxAgeMs: Infinity };

export interface SupplyEvents extends ProcessEvents {
  /** No process could be made, and there is none. */
  startFailed(error: ThreadCrashedError): void;
  /** Processes that could not start before can: if jobs wait, it is to be told. */
  readonly wantAgain: () => void;
  /** Somebody waits for processes to start, or nobody does any more. */
  changed(): void;
}

export class ProcessSupply {
  readonly #settings: ProcessPoolSettings;
  readonly #events: SupplyEvents;
  /** Those that have not ended. */
  readonly all: Set<PoolProcess> = new Set<PoolProcess>();
  readonly starts: ThreadStarts<PoolProcess>;
  readonly recycling: Recycling<PoolProcess>;
  isClosed = false;
  #failures = 0;
  /** Why no process could be made, the last time. */
  #startFailure: ThreadCrashedError | null = null;
  /** While it waits, and a process is ready, none is started for jobs. */
  #retry: NodeJS.Timeout | null = null;
  #notRecycledBefore = 0;
  readonly #reloads = new ReloadLimit();
  /** When a process was last ended because a module had failed there. */
  #reloadedAt = -Infinity;

  constructor(settings: ProcessPoolSettings, events: SupplyEvents) {
    this.#settings = settings;
    this.#events = events;
    this.starts = new ThreadStarts<PoolProcess>(() => events.changed());
    this.recycling = new Recycling<PoolProcess>({
      startSpare: ({ modules }) => {
        const process = this.#start(modules);
        if (process !== null) process.isSpare = true;
        return process;
      },
      count: (process) => {
        process.isSpare = false;
      },
      leave: (process) => this.leave(process),
      keep: (process) => {
        process.isDue = false;
        this.#notRecycledBefore = now() + NEXT_START_MS;
      },
      mayLeave: () => true,
      room: () => settings.maxThreads - this.counted,
    });
  }

  /** Without those that leave, or wait to take the place of another. */
  get counted(): number {
    return this.#count((process) => !process.isLeaving && !process.isSpare);
  }

  get hasReady(): boolean {
    return this.#count((process) => process.isReady && !process.isLeaving) > 0;
  }

  #count(has: (process: PoolProcess) => boolean): number {
    let count = 0;
    for (const process of this.all) if (has(process)) count++;
    return count;
  }

  /** So many jobs wait, and no process can take them. */
  want(jobs: number): void {
    if (jobs === 0 || this.isClosed || (this.#retry !== null && this.hasReady)) return;
    const starting = this.#count((process) => !process.isReady && !process.isLeaving);
    for (let left = jobs - starting; left > 0 && this.counted < this.#settings.maxThreads; left--)
      if (this.#start([]) === null) return;
  }

  /** As `ThreadPool.start`. */
  begin(count: number, modules: readonly string[]): void {
    this.starts.begin();
    while (this.counted < count) {
      const process = this.#start(modules);
      if (process === null) return this.starts.fail(this.#startFailure);
      this.starts.add(process);
    }
  }

  #start(modules: readonly string[]): PoolProcess | null {
    if (this.isClosed) return null;
    const { initialize, jobsPerThread, recycle, spawn, workerData } = this.#settings;
    const maxHeapBytes = recycle === null || recycle.maxHeapBytes === Infinity ? null : recycle.maxHeapBytes;
    const start: ProcessStart = { initialize, modules, jobsPerThread, maxHeapBytes };
    try {
      const process = new PoolProcess(spawn, start, workerData, this.#events);
      this.all.add(process);
      return process;
    } catch (cause) {
      this.#startFailure = new ThreadCrashedError(undefined, { cause, pid: 0 });
      if (this.counted > 0) this.#retryLater();
      else {
        this.#failures = 0;
        this.#events.startFailed(this.#startFailure);
      }
      return null;
    }
  }

  ready(process: PoolProcess, failure: { readonly error: unknown } | null): void {
    this.#failures = 0;
    this.starts.remove(process, failure);
    this.recycling.ready(process);
  }

  /** @param error Of a process that was not ready. @returns whether waiting jobs would never run. */
  ended(process: PoolProcess, error: Error): boolean {
    const counted = !process.isLeaving && !process.isSpare;
    this.all.delete(process);
    this.recycling.ended(process, counted);
    if (process.isReady) return false;
    this.starts.remove(process, { error });
    if (process.isLeaving || this.isClosed) return false;
    this.#failures++;
    if (this.hasReady) {
      this.#retryLater();
      return false;
    }
    if (this.#failures < MOST_FAILURES) return false;
    this.#failures = 0;
    return true;
  }

  #retryLater(): void {
    if (this.#retry !== null) return;
    const retry = (): void => {
      this.#retry = null;
      this.#events.wantAgain();
    };
    this.#retry = AsyncScope.root.run(setTimeout, retry, NEXT_START_MS);
    this.#retry.unref();
  }

  /** It has nothing to do. */
  idle(process: PoolProcess): void {
    const { minThreads, idleTimeoutMs } = this.#settings;
    if (process.isLeaving) this.#end(process);
    else if (process.timer === null && idleTimeoutMs !== Infinity && this.counted > minThreads)
      setTimer(process, idleTimeoutMs, () => {
        if (process.load === 0 && this.counted > minThreads) this.leave(process);
      });
  }

  /** It has something to do. */
  busy(process: PoolProcess): void {
    if (process.timer === null) return;
    clearTimeout(process.timer);
    process.timer = null;
  }

  /** Whether a limit leaves it another job. */
  hasJobsLeft({ sent }: PoolProcess): boolean {
    return sent < (this.#settings.recycle?.maxJobs ?? Infinity) || now() < this.#notRecycledBefore;
  }

  /** After a job, and before a process gets one. */
  checkLimits(process: PoolProcess): void {
    const { maxJobs, maxAgeMs } = this.#settings.recycle ?? noLimits;
    if (process.isDue || process.isLeaving) return;
    if (process.cannotLoad && this.#mayReload(process)) {
      process.recall(() => true);
      this.leave(process);
      return;
    }
    if (now() < this.#notRecycledBefore) return;
    process.isDue =
      process.asksToLeave || process.executed >= maxJobs || now() - process.startedAt >= maxAgeMs;
    if (!process.isDue) return;
    // What all of them ask for does not cost one for each job.
    if (process.asksToLeave) this.#notRecycledBefore = now() + NEXT_START_MS;
    this.recycling.asked(process);
  }

  /** A module that fails in every process does not cost one for each job. */
  #mayReload({ startedAt }: PoolProcess): boolean {
    let newest = startedAt;
    for (const other of this.all) if (other.startedAt > newest) newest = other.startedAt;
    const at = now();
    // Processes do not say which module it was.
    if (at - this.#reloadedAt < this.#reloads.delayMs("", startedAt, newest, at)) return false;
    this.#reloadedAt = at;
    return true;
  }

  /** Ends it when it has finished what it has. */
  leave(process: PoolProcess): void {
    process.isLeaving = true;
    if (!process.isReady) process.kill();
    else if (process.load === 0) this.#end(process);
  }

  #end(process: PoolProcess): void {
    if (process.isToldToLeave) return;
    process.isToldToLeave = true;
    this.busy(process);
    process.leave();
    setTimer(process, this.#settings.initialize === null ? LEAVE_MS : DISPOSE_MS, () => process.kill());
  }
}

function setTimer(process: PoolProcess, ms: number, then: () => void): void {
  process.timer = AsyncScope.root.run(
    setTimeout,
    () => {
      process.timer = null;
      then();
    },
    ms,
  );
  process.timer.unref();
}
