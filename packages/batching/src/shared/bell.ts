/**
 * Bell: wakes the owner's event loop, once for any number of items.
 *
 * Words      BELL @ 0 of the control memory
 * State      | value    | means                                          | written by                     |
 *            | 0 ASLEEP | the owner is in its event loop: ring            | owner                         |
 *            | 1 AWAKE  | the owner will look by itself, or was rung      | owner; the thread that rings  |
 * Moves      ring: ASLEEP → AWAKE (exchange), then notify       sleep: store ASLEEP, then look at all arrivals once more
 * Invariants I1 At most one waiter: the owner waits again only after the last wait has ended.
 * Pairings   [A2] the producer links, then loads BELL; the owner stores ASLEEP, then loads every HEAD.
 *                 Either the producer sees ASLEEP and rings, or the owner sees the item.
 *            [A3] ring changes the word before it notifies; waitAsync compares it: no ring falls in between.
 * Liveness   A thread that dies after linking may not ring, and one that dies between exchange and notify leaves a bell that
 *            nobody rings. So the wait ends by itself after a second, and the owner looks.
 * Sources    .NET's thread request, A3.10.
 *
 * Why waitAsync: it needs no port, so that a producer is plain data and any thread can have it. It does not keep the event loop
 * alive; the owner looks once more before the process ends (shared-inlet.ts).
 */
import { exchange, load, notify, store, waitAsync } from "./atomics.ts";
import { LINE_WORDS } from "./segment-layout.ts";

export const BELL_BYTES: number = LINE_WORDS * 4;

const BELL = 0;
const ASLEEP = 0;
const AWAKE = 1;
const LONGEST_SLEEP_MS = 1000;

export class Bell {
  readonly #words: Int32Array;

  constructor(control: SharedArrayBuffer) {
    this.#words = new Int32Array(control);
  }

  /** After an item was linked. */
  ring(): void {
    // A load first: the line stays shared while the owner is awake.
    if (load(this.#words, BELL) !== ASLEEP) return; // [A2]
    if (exchange(this.#words, BELL, AWAKE) === ASLEEP) notify(this.#words, BELL); // [A2] [A3]
  }

  // For the owner.

  /** The caller must look at all arrivals once more, and then call `whenRung` or `wake`. */
  announceSleep(): void {
    store(this.#words, BELL, ASLEEP); // [A2]
  }

  /** Resolves when the bell rang, or after a second; null: it rang already. */
  whenRung(): Promise<unknown> | null {
    return waitAsync(this.#words, BELL, ASLEEP, LONGEST_SLEEP_MS); // [A3]
  }

  /** The owner looks by itself; a wait under way ends. */
  wake(): void {
    store(this.#words, BELL, AWAKE); // [unpaired] a late ring is harmless
    notify(this.#words, BELL); // [unpaired] only the owner's own wait
  }
}
