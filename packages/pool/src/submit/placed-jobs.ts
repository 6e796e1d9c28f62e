/**
 * Jobs that one thread alone may run, their home, from acceptance until the thread begins them. They go through the mailbox of the
 * thread (shared/mailbox.ts), not through the queues of all.
 *
 * State      | a job    | means                                                           | moves to                                        |
 *            | homeless | `affinity`: no thread can be its home yet                       | behind, queued: a thread has started            |
 *            | behind   | waits for a slot: its home has `maxSlots`, or there is no room  | queued: `refill`                                |
 *            | queued   | in a slot that says whose it is, and in the mailbox             | begun: the thread has claimed it                |
 *            | begun    | as any other job                                                | over; homeless, behind, queued: it runs again   |
 *            The stage of the first two is WAITING, of the others IN_SLOT (ledger.ts).
 *            A home closes when its thread leaves or ends. What is behind or queued there then moves on, in its order: with `affinity` to
 *            another home, with `thread` to its end, ThreadGoneError.
 * Invariants I1 A job that is queued has a home that is not closed, but for a moment in `close`: by then the thread has claimed it, or it
 *               is withdrawn.
 *            I2 Of one key no job overtakes another of its priority, but where a new home begins while the old one still runs what it has.
 */
import { ThreadGoneError } from "../errors.ts";
import { Backlog } from "./backlog.ts";
import type { Home, Homes } from "./home.ts";
import { type PendingJob, WAITING } from "./pending-job.ts";
import { noArguments } from "./slot-filling.ts";
import type { Placement } from "./submit-options.ts";

/** What the ledger does with a placed job. None of it runs user code. */
export interface PlacedSteps {
  /** Into a slot and the mailbox. @returns false when there is no room. */
  queue(job: PendingJob, args: Uint8Array, home: Home): boolean;
  /** The jobs that are queued at a home, oldest first. */
  queuedAt(home: Home): PendingJob[];
  /** Out of its slot. @returns its encoded arguments, if they lay there; null: its thread has it already. */
  withdraw(job: PendingJob): Uint8Array | null;
  /** Writes down that the job fails. */
  fail(job: PendingJob, error: Error): void;
  /** There was no room although slots may be free: no result will say when there is. */
  tryAgain(): void;
}

export class PlacedJobs {
  readonly #homes: Homes;
  readonly #steps: PlacedSteps;
  readonly #homeless = new Backlog();
  /** Of homes that have one. */
  readonly #backlogs = new Map<Home, Backlog>();

  constructor(homes: Homes, steps: PlacedSteps) {
    this.#homes = homes;
    this.#steps = steps;
  }

  /** @throws ThreadGoneError. */
  admit(placement: Placement): void {
    if (placement.kind === "thread" && this.#homes.homeOf(placement, false) === null)
      throw new ThreadGoneError(placement.threadId);
  }

  accept(job: PendingJob, args: Uint8Array): void {
    const isBehind = this.#homeless.size > 0 && job.options.placement!.kind === "affinity";
    if (!isBehind && this.#route(job, args, true)) return;
    this.#homeless.add(job, args);
    this.#homes.wanted();
    this.settle();
  }

  /** A job that is in no slot: its home has closed, or its thread has died while it ran. */
  moveOn(job: PendingJob, args: Uint8Array): void {
    const { placement } = job.options;
    if (placement!.kind === "thread") this.#steps.fail(job, new ThreadGoneError(placement!.threadId));
    else if (this.#homeless.size > 0 || !this.#route(job, args, false)) this.#homeless.add(job, args);
  }

  /** Slots or room in mailboxes have become free. */
  refill(): void {
    this.settle();
    for (const [home, backlog] of this.#backlogs) {
      this.#move(backlog, (job, args) => {
        return home.inSlots < this.#homes.maxSlots && this.#steps.queue(job, args, home);
      });
      home.inBacklog = backlog.size;
      if (backlog.size === 0) this.#backlogs.delete(home);
      else if (home.inSlots < this.#homes.maxSlots) this.#steps.tryAgain();
    }
  }

  /** There may be a home for those that have none. */
  settle(): void {
    this.#move(this.#homeless, (job, args) => this.#route(job, args, false));
  }

  /** The thread with this serial takes no more jobs. */
  close(serial: number): void {
    const home = this.#homes.close(serial);
    if (home === null) return;
    for (const job of this.#steps.queuedAt(home)) {
      const args = this.#steps.withdraw(job);
      if (args !== null) this.moveOn(job, args);
    }
    const backlog = this.#backlogs.get(home);
    this.#backlogs.delete(home);
    if (backlog === undefined) return;
    this.#move(backlog, (job, args) => {
      this.moveOn(job, args);
      return true;
    });
  }

  /** Backlogs, to be emptied by whoever gives up what is in them. */
  *backlogs(): Iterable<Backlog> {
    yield this.#homeless;
    yield* this.#backlogs.values();
  }

  /** Backlogs forget what was given up. */
  compact(): void {
    this.#homeless.compact();
    for (const [home, backlog] of this.#backlogs) {
      backlog.compact();
      home.inBacklog = backlog.size;
    }
  }

  /** Whether `test` says yes to a job that waits for a slot to go to the thread with this serial. */
  isBehind(serial: number, test: (job: PendingJob) => boolean): boolean {
    for (const [home, backlog] of this.#backlogs) {
      if (home.serial === serial) return backlog.find(test) !== null;
    }
    return false;
  }

  /** How many jobs wait for a slot; counts no further than `limit`. */
  countWaiting(limit: number): number {
    let count = 0;
    for (const backlog of this.backlogs()) count += backlog.countWaiting(limit - count);
    return count;
  }

  /** @returns false when there is no home for the job. */
  #route(job: PendingJob, args: Uint8Array, mayWait: boolean): boolean {
    const home = this.#homes.homeOf(job.options.placement!, mayWait);
    if (home === null) return false;
    let backlog = this.#backlogs.get(home);
    if (backlog === undefined || backlog.size === 0) {
      if (home.inSlots < this.#homes.maxSlots) {
        if (this.#steps.queue(job, args, home)) return true;
        this.#steps.tryAgain();
      }
      this.#backlogs.set(home, (backlog = new Backlog()));
    }
    backlog.add(job, args);
    home.inBacklog = backlog.size;
    return true;
  }

  /** Takes jobs from the front as long as `take` does. */
  #move(backlog: Backlog, take: (job: PendingJob, args: Uint8Array) => boolean): void {
    for (; backlog.size > 0; backlog.shift()) {
      const job = backlog.peek();
      // Otherwise it was given up.
      if (job.stage === WAITING && !take(job, job.block === 0 ? backlog.peekArguments() : noArguments))
        return;
    }
  }
}
