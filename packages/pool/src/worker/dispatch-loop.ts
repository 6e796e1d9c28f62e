/**
 * The life of a pool thread: look for a job, run it, look again; with nothing to do spin a few microseconds, sleep a few
 * milliseconds, then rest in the event loop until somebody wakes it (parking.ts).
 *
 * The event loop is never starved (hazard H1): one turn per quantum while busy (A3.12), one turn before each sleep if a job
 * ran since the last, and all the time while idle or while a job awaits. Timers, sockets and exporters keep running.
 */
import type { JobQueues } from "../shared/job-queues.ts";
import { NO_JOB } from "../shared/job-queues.ts";
import type { Parking } from "../shared/parking.ts";
import { outputPending, whenOutputFlushed } from "./console-output.ts";
import type { JobRunner } from "./job-runner.ts";
import { Spinner } from "./spinner.ts";

/** How long jobs may follow each other without a turn of the event loop. */
const QUANTUM_MS = 30;
/** How long a thread blocks in one sleep before it goes back to its event loop. */
const SLEEP_MS = 2;
/** The clock is read once in as many jobs as take about this long, at most 64. */
const CLOCK_INTERVAL_MS = 1;

export class DispatchLoop {
  readonly #thread: number;
  readonly #queues: JobQueues;
  readonly #parking: Parking;
  readonly #runner: JobRunner;
  readonly #spinner: Spinner;
  #turnStartedAt = 0;
  #ranSinceTurn = false;
  /** Whether the parking word says so: it must say BUSY before a job runs (parking.ts P2). */
  #searching = false;
  #jobsPerClock = 1;
  #jobsUntilClock = 1;
  #clockReadAt = 0;

  constructor(thread: number, queues: JobQueues, parking: Parking, runner: JobRunner, spinLimitUs: number) {
    this.#thread = thread;
    this.#queues = queues;
    this.#parking = parking;
    this.#runner = runner;
    this.#spinner = new Spinner(queues, parking, spinLimitUs);
  }

  /** A fresh turn of the event loop: everything else on this thread had its chance just now. */
  readonly onTurn = (): void => {
    this.#turnStartedAt = this.#clockReadAt = performance.now();
    this.#ranSinceTurn = false;
    this.#dispatch();
  };

  #dispatch(): void {
    for (;;) {
      const slot = this.#queues.take(this.#thread);
      if (slot === NO_JOB) {
        if (!this.#findOrRest()) return;
        continue;
      }
      if (this.#searching) this.#foundWork();
      if (!this.#run(slot)) return;
    }
  }

  /** @returns false when the loop goes on later, from the event loop. */
  #run(slot: number): boolean {
    this.#ranSinceTurn = true;
    const pending = this.#runner.run(slot);
    if (pending !== null) {
      // Stays BUSY: one job at a time. Goes on in the microtask in which the job settles.
      void pending.then(() => {
        if (this.#quantumIsOver()) setImmediate(this.onTurn);
        else this.#dispatch();
      });
      return false;
    }
    if (--this.#jobsUntilClock > 0 || !this.#quantumIsOver()) return true;
    setImmediate(this.onTurn);
    return false;
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

  /** Nothing found. @returns true: look again; false: the loop goes on later, from the event loop. */
  #findOrRest(): boolean {
    const flushing = outputPending();
    if (flushing) this.#parking.setOutputPending(this.#thread, true);
    this.#search();
    if (this.#spinner.spin()) return true;
    if (this.#ranSinceTurn) {
      // What the jobs left behind, microtasks and timers, runs before this thread sleeps.
      this.#foundWork();
      setImmediate(this.onTurn);
      return false;
    }
    this.#parking.announceSleep(this.#thread);
    if (!this.#queues.isEmpty()) {
      this.#parking.stayAwake(this.#thread);
      return true;
    }
    if (flushing) {
      whenOutputFlushed(() => this.#parking.setOutputPending(this.#thread, false));
      return this.#sleep(0);
    }
    return this.#sleep(SLEEP_MS);
  }

  #sleep(timeoutMs: number): boolean {
    this.#spinner.sleeping();
    if (this.#parking.sleep(this.#thread, timeoutMs) === "awake") {
      this.#wokeUp();
      return true;
    }
    const woken = this.#parking.whenWoken(this.#thread);
    if (woken === null) {
      this.#wokeUp();
      return true;
    }
    void woken.then(() => {
      this.#wokeUp();
      this.onTurn();
    });
    return false;
  }

  #wokeUp(): void {
    this.#spinner.wokeUp();
    this.#search();
  }

  #search(): void {
    this.#searching = true;
    this.#parking.setSearching(this.#thread);
  }

  /** This thread leaves the search. If more jobs remain than it can take, somebody else has to look (parking.ts P2). */
  #foundWork(): void {
    this.#searching = false;
    this.#parking.setBusy(this.#thread);
    if (!this.#queues.isEmpty()) this.#parking.wakeOne();
  }
}
