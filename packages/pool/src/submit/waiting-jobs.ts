/**
 * Jobs that were accepted and have no slot, and who gets the next one: high priority first, then first in, first out. Jobs for one thread
 * alone wait apart (placed-jobs.ts), so that they hold up nobody else.
 *
 * Stage      A job here is WAITING (ledger.ts), or was given up meanwhile: then its entry stays, and is skipped, or goes when more than half
 *            of the entries may be such.
 * Moves      | from              | to                  | when
 *            | accepted          | a thread            | it carries values, and there is a thread for it with which they can go
 *            | accepted          | a slot              | nobody of its priority waits, and there is room
 *            | accepted          | a backlog           | otherwise
 *            | a backlog         | a slot              | `refill`: slots have become free
 *            | another stage     | a backlog, the last | `waitAgain`: its thread has died
 * Liveness   A slot that comes back refills. When slots are free and a ring is full of entries that nobody needs any more, no slot may ever come
 *            back: then a timer looks again.
 */
import { AsyncScope } from "@skein/context";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { QUEUED } from "../shared/slot.ts";
import { setTimeout } from "../shared/timers.ts";
import type { ArgumentsHolder } from "./arguments-holder.ts";
import { type Backlog, newBacklogs, sizeOf } from "./backlog.ts";
import type { Homes } from "./home.ts";
import type { JobTable } from "./job-table.ts";
import type { LedgerThread } from "./ledger-thread.ts";
import { type PendingJob, WAITING } from "./pending-job.ts";
import { PlacedJobs } from "./placed-jobs.ts";
import type { QueuedSlots } from "./queued-slots.ts";
import { noArguments } from "./slot-filling.ts";

/** A ring full of withdrawn entries empties as soon as a thread looks; so long until it is tried again. */
const RING_FULL_RETRY_MS = 1;

/** So many jobs are given up, then it is asked whether backlogs are to be made anew. A power of 2. */
const COMPACT_EVERY = 64;

export interface WaitingJobsParts {
  readonly memory: PoolMemory;
  readonly table: JobTable;
  readonly holder: ArgumentsHolder;
  readonly homes: Homes | null;
  readonly thread: LedgerThread;
  readonly queued: QueuedSlots;
}

export class WaitingJobs {
  readonly #memory: PoolMemory;
  readonly #table: JobTable;
  readonly #holder: ArgumentsHolder;
  readonly #thread: LedgerThread;
  readonly #queued: QueuedSlots;
  /** By priority. */
  readonly #backlogs: readonly Backlog[] = newBacklogs();
  /** Jobs that one thread alone may run. Null: this submitter has none. */
  readonly placed: PlacedJobs | null;
  #retry: NodeJS.Timeout | null = null;
  /** Jobs given up here since backlogs were made anew. Some of their entries may have gone. */
  #gaveUp = 0;
  #mayCompact = false;

  /** @param fail Writes down that a job, which waits, fails. */
  constructor(parts: WaitingJobsParts, fail: (job: PendingJob, error: Error) => void) {
    const { queued, homes } = parts;
    this.#memory = parts.memory;
    this.#table = parts.table;
    this.#holder = parts.holder;
    this.#thread = parts.thread;
    this.#queued = queued;
    this.placed =
      homes === null
        ? null
        : new PlacedJobs(homes, {
            queue: (job, args, home) => queued.enqueueAt(job, args, home),
            queuedAt: (home) => queued.queuedAt(home),
            withdraw: (job) => queued.takeOut(job),
            fail,
            tryAgain: () => this.#retryIfRingIsFull(),
          });
  }

  /** How many, by priority; those that were given up included. */
  size(priority: number): number {
    return this.#backlogs[priority]!.size;
  }

  *backlogs(): Iterable<Backlog> {
    yield* this.#backlogs;
    if (this.placed !== null) yield* this.placed.backlogs();
  }

  /** @param args The encoded arguments, if they are to lie in the slot; valid during the call. */
  accept(job: PendingJob, args: Uint8Array): void {
    if (job.options.placement !== null) {
      this.placed!.accept(job, args);
      return;
    }
    const isCarried = job.extras.carriedId !== 0;
    if (isCarried && this.#give(job, args)) return;
    const backlog = this.#backlogs[job.options.priority]!;
    // Behind those that wait already: first in, first out.
    if (backlog.size === 0 && this.#queued.enqueue(job, args)) {
      if (isCarried) this.#holder.queued(job.extras.carriedId);
      this.#thread.queued(job.options.isExclusive);
      return;
    }
    backlog.add(job, args);
    if (isCarried) this.#holder.queued(job.extras.carriedId);
    this.#retryIfRingIsFull();
  }

  /** Past the queues, if there is a thread for it: its carried arguments go there with one message. */
  #give(job: PendingJob, args: Uint8Array): boolean {
    const serial = this.#table.freeCount > 0 ? this.#holder.threadFor(job) : 0;
    if (serial === 0) return false;
    this.#queued.assign(job, args, serial);
    this.#holder.give(serial, job.slot, job.extras.carriedId);
    return true;
  }

  /** A job that has no slot any more: behind those that wait. @param args Its inline arguments. */
  waitAgain(job: PendingJob, args: Uint8Array): void {
    const { placement, priority } = job.options;
    if (placement === null) this.#backlogs[priority]!.add(job, args);
    else this.placed!.moveOn(job, args);
  }

  /** A job that waits was given up. The next `refill` does the work: backlogs may be being walked now. */
  gaveUp(): void {
    if ((++this.#gaveUp & (COMPACT_EVERY - 1)) === 0) this.#mayCompact = true;
  }

  /** Lets go of what was given up, if it may be more than half: looks at two entries at most for each job that was given up. */
  #compact(): void {
    this.#mayCompact = false;
    if (this.#gaveUp * 2 <= sizeOf([...this.backlogs()])) return;
    for (const backlog of this.#backlogs) backlog.compact();
    this.placed?.compact();
    this.#gaveUp = 0;
  }

  /** Slots have become free: the backlog moves up, high priority first. */
  refill(): void {
    if (this.#mayCompact) this.#compact();
    let shared = false;
    let exclusive = false;
    // First: they leave slots to the others (Homes.maxSlots).
    if (this.placed !== null) this.placed.refill();
    for (const backlog of this.#backlogs) {
      while (backlog.size > 0) {
        const job = backlog.peek();
        if (job.stage === WAITING) {
          if (!this.#queued.enqueue(job, job.block === 0 ? backlog.peekArguments() : noArguments)) {
            this.#retryIfRingIsFull();
            break;
          }
          if (job.options.isExclusive) exclusive = true;
          else shared = true;
        }
        backlog.shift();
      }
    }
    if (shared) this.#thread.queued(false);
    if (exclusive) this.#thread.queued(true);
  }

  /** Queued jobs that are in no queue: nobody would find what a thread popped and could not claim before it ended. */
  requeueLost(): void {
    const { slots, queues } = this.#memory;
    let shared = false;
    let exclusive = false;
    for (const [slot, { options, extras }] of this.#table.entries()) {
      const { priority, isExclusive } = options;
      // What is for one thread alone, that has, or it is found when the thread has ended.
      if (extras.home !== null || slots.state(slot) !== QUEUED) continue;
      if (queues.holds(priority, slot, isExclusive)) continue;
      if (!queues.push(priority, slot, isExclusive)) {
        this.#retryLater();
        break;
      }
      if (isExclusive) exclusive = true;
      else shared = true;
    }
    if (shared) this.#thread.queued(false);
    if (exclusive) this.#thread.queued(true);
  }

  /** Slots are free, and yet there was no room: no result that comes in will say when there is. */
  #retryIfRingIsFull(): void {
    if (this.#table.freeCount > 0) this.#retryLater();
  }

  #retryLater(): void {
    if (this.#retry !== null) return;
    this.#retry = AsyncScope.root.run(setTimeout, this.#onRetry, RING_FULL_RETRY_MS);
  }

  readonly #onRetry = (): void => {
    this.#retry = null;
    this.requeueLost();
    this.refill();
  };
}
