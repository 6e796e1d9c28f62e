/**
 * Jobs that threads were asked to cancel for whoever records the pool: the thread that has submitted a job decides its outcome, and nobody
 * else. It answers when its event loop turns; one that ends before, or is given up, has let go of its jobs.
 */
import { toWire } from "../codec/error-wire.ts";
import { refusal } from "../transfer/detach.ts";
import type { PoolThread } from "./pool-thread.ts";
import { Promise } from "../shared/intrinsics.ts";

interface Asked {
  readonly serial: number;
  readonly resolve: (isCanceled: boolean) => void;
}

export class AskedCancels {
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #isClosed = false;

  /** @throws NotCloneableError for a reason that cannot go to the thread. */
  ask(thread: PoolThread, key: number, reason: unknown): Promise<boolean> {
    if (thread.isLost || this.#isClosed) return Promise.resolve(false);
    const id = ++this.#lastId;
    try {
      thread.post({ type: "cancel-recorded", id, key, reason: toWire(reason) });
    } catch (error) {
      throw refusal(error, "reason");
    }
    return new Promise((resolve) => this.#asked.set(id, { serial: thread.serial, resolve }));
  }

  answered(id: number, isCanceled: boolean): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    asked?.resolve(isCanceled);
  }

  /** The thread has ended, or was given up. */
  ended(serial: number): void {
    for (const [id, asked] of this.#asked) if (asked.serial === serial) this.answered(id, false);
  }

  /** The pool is over: threads that have not ended were left behind. */
  close(): void {
    this.#isClosed = true;
    for (const id of this.#asked.keys()) this.answered(id, false);
  }
}
