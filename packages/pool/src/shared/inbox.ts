/**
 * Inbox: finished jobs on their way back to the thread that submitted them, and the bell that wakes it.
 *
 * Words      HEAD @ layout.inboxWord   slot + 1 of the newest finished job, 0: none
 *            BELL @ layout.bellWord    own cache line
 *            NEXT of each slot         the job before, slot + 1, 0: end
 * State      | BELL      | means                                              | written by                       |
 *            | 0 ASLEEP  | the owner is in its event loop: ring               | owner                            |
 *            | 1 AWAKE   | the owner will look again by itself, or was rung   | owner, or the thread that rings  |
 * Moves      put: NEXT = HEAD, CAS HEAD → slot        takeAll: exchange HEAD → 0, owner only
 *            ring: exchange BELL → AWAKE; whoever got ASLEEP posts the message        sleep: store ASLEEP, then look once more
 * Invariants I1 Many put, one takes everything: a linked slot stays linked until the take (no ABA: nobody pops single ones).
 *            I2 At most one bell message for each sleep. One that comes late, after the owner woke by itself, is harmless.
 * Pairings   [N1] put CASes HEAD, then loads BELL; sleep stores BELL, then loads HEAD.
 *                 Either the thread sees ASLEEP and rings, or the owner sees the job.
 *            [N2] the outcome's plain writes come before put's CAS; the owner's reads after takeAll's exchange.
 * Liveness   A thread that dies between put and ring leaves the job linked; one that dies between ring and its message leaves BELL
 *            AWAKE, and nobody rings. So after each exit the owner takes all and goes through `sleep` again (or looks on by itself).
 * Sources    Treiber, "Systems programming: coping with parallelism", 1986; .NET's thread request, A3.10.
 *            Model test: test/shared/inbox.model.test.ts
 */
import { cas, exchange, load, store } from "./atomics.ts";
import type { Layout } from "./layout.ts";
import type { SlotTable } from "./slot.ts";

const ASLEEP = 0;
const AWAKE = 1;
const NONE = 0;

export class Inbox {
  readonly #control: Int32Array;
  readonly #head: number;
  readonly #bell: number;
  readonly #slots: SlotTable;

  constructor(control: Int32Array, layout: Layout, slots: SlotTable) {
    this.#control = control;
    this.#head = layout.inboxWord;
    this.#bell = layout.bellWord;
    this.#slots = slots;
  }

  /** Links a finished job. @returns true when the caller must post the bell message now. */
  put(slot: number): boolean {
    const next = this.#slots.nextWord(slot);
    for (;;) {
      const head = load(this.#control, this.#head); // [N2]
      this.#slots.words[next] = head; // plain: published by the CAS
      if (cas(this.#control, this.#head, head, slot + 1)) break; // [N1] [N2]
    }
    return (
      load(this.#control, this.#bell) === ASLEEP && // [N1] a load first: the line stays shared while the owner is awake
      exchange(this.#control, this.#bell, AWAKE) === ASLEEP // [N1] I2
    );
  }

  /**
   * Takes all finished jobs into `into`, oldest first, from index 0. Owner only.
   * @returns how many.
   */
  takeAll(into: Int32Array): number {
    if (load(this.#control, this.#head) === NONE) return 0; // [N1]
    let entry = exchange(this.#control, this.#head, NONE); // [N1] [N2]
    let count = 0;
    while (entry !== NONE) {
      into[count++] = entry - 1;
      entry = this.#slots.words[this.#slots.nextWord(entry - 1)]!; // plain: ordered by the exchange [N2]
    }
    into.subarray(0, count).reverse();
    return count;
  }

  /** The owner goes to its event loop and wants the bell. @returns false when a job is there already: look again. */
  sleep(): boolean {
    store(this.#control, this.#bell, ASLEEP); // [N1]
    if (load(this.#control, this.#head) === NONE) return true; // [N1]
    this.wake();
    return false;
  }

  /** The owner looks again by itself from here on; no bell until the next `sleep`. */
  wake(): void {
    store(this.#control, this.#bell, AWAKE); // [unpaired] a late bell is harmless
  }
}
