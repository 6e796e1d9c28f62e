/**
 * Threads that have reached a limit (worker/recycling.ts), and the successors that are to take their places.
 *
 * | a thread  | means                                                        | moves to                                                  |
 * | --------- | ------------------------------------------------------------ | --------------------------------------------------------- |
 * | plain     | counts, and nobody is to take its place                      | due: it asks, may leave, and a successor starts           |
 * | due       | counts, and runs jobs or pauses until its successor is ready | gone: that is ready; plain: that has ended, and the thread |
 * |           |                                                              | is told so; gone: it has ended, or was told to leave       |
 * | successor | starts, and does not count (`isSpare`)                       | plain: it is ready, or the thread that it follows has      |
 * |           |                                                              | ended; gone: it has ended, or it is ready and too many are |
 * | gone      | has ended, or was told to leave: does not count              | -                                                         |
 *
 * Invariants I1 A due thread and its successor are one in the thread count.
 *            I2 A due thread is told exactly one thing, by whomever: "leave", or "kept". Unless it ends before.
 *            I3 It is told to leave only when its successor is ready, and when it may: a job may have asked for it meanwhile, by its id.
 */
import type { PoolThread } from "./pool-thread.ts";

type Follower = Pick<PoolThread, "isLeaving" | "hasEnded" | "isSpare" | "isReplaced">;

/** What a thread supply does for it. */
export interface RecyclingSteps<T> {
  /** Starts a thread that does not count, and loads what `thread` was started with. Null: it cannot, or not now. */
  startSpare(thread: T): T | null;
  /** It counts from here on. */
  count(thread: T): void;
  leave(thread: T): void;
  /** Whether it may be told to: not while a job has asked for this thread. */
  mayLeave(thread: T): boolean;
  /** Tells the thread that there is no successor. */
  keep(thread: T): void;
  /** How many more threads may count; below 0: there are too many. */
  room(): number;
}

export class Recycling<T extends Follower = PoolThread> {
  readonly #steps: RecyclingSteps<T>;
  /** By the successor: the thread that it follows. */
  readonly #due = new Map<T, T>();
  #replaced = 0;

  constructor(steps: RecyclingSteps<T>) {
    this.#steps = steps;
  }

  /** How many threads were replaced. */
  get replaced(): number {
    return this.#replaced;
  }

  /** The thread has reached a limit. */
  asked(thread: T): void {
    if (thread.isLeaving || thread.hasEnded) return;
    if (!this.#steps.mayLeave(thread)) {
      this.#steps.keep(thread);
      return;
    }
    if (this.#steps.room() < 0) {
      this.#steps.leave(thread);
      return;
    }
    const successor = this.#steps.startSpare(thread);
    // Listeners of the user's hear of each new worker: they may have done anything.
    if (successor === null) {
      if (!thread.isLeaving && !thread.hasEnded) this.#steps.keep(thread);
    } else this.#due.set(successor, thread);
  }

  ready(successor: T): void {
    const thread = this.#due.get(successor);
    this.#due.delete(successor);
    const isDue = thread !== undefined && !thread.isLeaving && !thread.hasEnded;
    if (isDue && this.#steps.mayLeave(thread)) {
      this.#replaced++;
      thread.isReplaced = true;
      this.#steps.leave(thread);
      this.#steps.count(successor);
      return;
    }
    if (isDue) this.#steps.keep(thread);
    if (successor.isSpare) {
      // The place of a thread that has left is not its own.
      if (this.#steps.room() > 0) this.#steps.count(successor);
      else this.#steps.leave(successor);
    }
  }

  /** The thread has ended, or will never: it counts no more. `counted`: whether it did before. */
  ended(thread: T, counted: boolean): void {
    const before = this.#due.get(thread);
    if (before !== undefined) {
      this.#due.delete(thread);
      if (!before.isLeaving && !before.hasEnded) this.#steps.keep(before);
      return;
    }
    if (!counted) return;
    for (const [successor, each] of this.#due) {
      if (each !== thread) continue;
      this.#due.delete(successor);
      this.#steps.count(successor);
      return;
    }
  }
}
