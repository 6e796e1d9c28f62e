/**
 * Jobs that one thread alone may run, their home, from acceptance until the thread begins them. They go through the mailbox of the
 * thread (shared/mailbox.ts), not through the queues of all.
 *
 * State      | a job    | means                                                           | moves to                                        |
 *            | homeless | `affinity`: no thread can be its home yet                       | behind, queued: a thread has started            |
 *            | behind   | waits for a slot: its home has as many as its jobs may have, or | queued: `refill`, high priority first           |
 *            |          | there is no room                                                |                                                 |
 *            | queued   | in a slot that says whose it is, and in the mailbox             | begun: the thread has claimed it                |
 *            | begun    | as any other job                                                | over; homeless, behind, queued: it runs again   |
 *            The stage of the first two is WAITING, of the others IN_SLOT (ledger.ts).
 *            A home closes when its thread leaves or ends. What is queued or behind there then moves on, in its order: with `affinity` to
 *            another home, with `thread` to its end, ThreadGoneError.
 * Invariants I1 A job that is queued has a home that is not closed, but for a moment in `close`: by then the thread has claimed it, or it
 *               is withdrawn.
 *            I2 Nobody waits behind jobs of lower priority, but for those in slots, of which the thread takes higher priorities first. Some slots
 *               are for each priority alone (`slotsOfPriority`).
 *            I3 Of one key no job overtakes another of its priority, but where a new home begins while the old one still runs what it has.
 */
import { ThreadGoneError } from "../errors.ts";
import { type Backlog, newBacklogs, sizeOf } from "./backlog.ts";
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
  /** By priority. */
  readonly #homeless = newBacklogs();
  /** By priority, of homes behind which jobs wait. */
  readonly #backlogs = new Map<Home, readonly Backlog[]>();

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
    const { placement, priority } = job.options;
    const isBehind = placement!.kind === "affinity" && sizeOf(this.#homeless) > 0;
    if (!isBehind && this.#route(job, args, true)) return;
    this.#homeless[priority]!.add(job, args);
    this.#homes.wanted();
    this.settle();
  }

  /** A job that is in no slot: its home has closed, or its thread has died while it ran. */
  moveOn(job: PendingJob, args: Uint8Array): void {
    const { placement, priority } = job.options;
    if (placement!.kind === "thread") this.#steps.fail(job, new ThreadGoneError(placement!.threadId));
    else if (sizeOf(this.#homeless) > 0 || !this.#route(job, args, false))
      this.#homeless[priority]!.add(job, args);
  }

  /** Slots or room in mailboxes have become free. */
  refill(): void {
    this.settle();
    for (const [home, backlogs] of this.#backlogs) {
      for (const [priority, backlog] of backlogs.entries()) {
        this.#move(backlog, (job, args) => {
          return this.#hasRoom(home, priority) && this.#steps.queue(job, args, home);
        });
        if (backlog.size > 0 && this.#hasRoom(home, priority)) this.#steps.tryAgain();
      }
      home.inBacklog = sizeOf(backlogs);
      if (home.inBacklog === 0) this.#backlogs.delete(home);
    }
  }

  /** There may be a home for those that have none. */
  settle(): void {
    for (const backlog of this.#homeless) this.#move(backlog, (job, args) => this.#route(job, args, false));
  }

  /** The thread with this serial takes no more jobs. */
  close(serial: number): void {
    const home = this.#homes.close(serial);
    if (home === null) return;
    for (const job of this.#steps.queuedAt(home)) {
      const args = this.#steps.withdraw(job);
      if (args !== null) this.moveOn(job, args);
    }
    const backlogs = this.#backlogs.get(home) ?? [];
    this.#backlogs.delete(home);
    for (const backlog of backlogs) {
      this.#move(backlog, (job, args) => {
        this.moveOn(job, args);
        return true;
      });
    }
    // The slots of those that have failed are free.
    this.#steps.tryAgain();
  }

  /** Backlogs, to be emptied by whoever gives up what is in them. */
  *backlogs(): Iterable<Backlog> {
    yield* this.#homeless;
    for (const backlogs of this.#backlogs.values()) yield* backlogs;
  }

  /** Backlogs forget what was given up. */
  compact(): void {
    for (const backlog of this.backlogs()) backlog.compact();
    for (const [home, backlogs] of this.#backlogs) home.inBacklog = sizeOf(backlogs);
  }

  /** Whether `test` says yes to a job that waits for a slot to go to the thread with this serial. */
  isBehind(serial: number, test: (job: PendingJob) => boolean): boolean {
    for (const [home, backlogs] of this.#backlogs) {
      if (home.serial === serial) return backlogs.some((backlog) => backlog.find(test) !== null);
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
    const { priority } = job.options;
    let backlogs = this.#backlogs.get(home);
    if (backlogs === undefined || backlogs[priority]!.size === 0) {
      if (this.#hasRoom(home, priority)) {
        if (this.#steps.queue(job, args, home)) return true;
        this.#steps.tryAgain();
      }
      if (backlogs === undefined) this.#backlogs.set(home, (backlogs = newBacklogs()));
    }
    backlogs[priority]!.add(job, args);
    home.inBacklog++;
    return true;
  }

  /** Whether a job of this priority may have one more of the home's slots. */
  #hasRoom({ inSlots, inSlotsOf }: Home, priority: number): boolean {
    const { maxSlots, slotsOfPriority } = this.#homes;
    return inSlots < maxSlots || inSlotsOf[priority]! < slotsOfPriority;
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
