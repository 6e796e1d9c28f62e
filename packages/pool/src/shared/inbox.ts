/**
 * Inbox: finished jobs on their way back to the thread that submitted them, and the bell that wakes the host. A pool thread that
 * waits for results sleeps in its parking word instead, where new jobs wake it as well.
 *
 * Words      HEAD @ inboxBase(submitter)   slot + 1 of the newest finished job, 0: none
 *            BELL @ HEAD + 16              own cache line
 *            SERIAL @ BELL + 1             of the thread that owns the inbox; written by the host before that thread starts
 *            NEXT of each slot         the job before, slot + 1, 0: end
 * State      | BELL      | means                                              | written by                       |
 *            | 0 ASLEEP  | the owner is in its event loop: ring               | owner                            |
 *            | 1 AWAKE   | the owner will look again by itself, or was rung   | owner, or the thread that rings  |
 * Moves      put: NEXT = HEAD, CAS HEAD → slot        takeAll: exchange HEAD → 0, owner only
 *            ring: exchange BELL → AWAKE; whoever got ASLEEP posts the message        sleep: store ASLEEP, then look once more
 * Invariants I1 Many put, one takes everything: a linked slot stays linked until the take (no ABA: nobody pops single ones).
 *               When the owner is dead the host takes in its place, until nobody can link any more (host/orphaned-slots.ts).
 *            I2 At most one bell message for each sleep. One that comes late, after the owner woke by itself, is harmless.
 * Pairings   [N1] put CASes HEAD, then loads BELL; sleep stores BELL, then loads HEAD.
 *                 Either the thread sees ASLEEP and rings, or the owner sees the job.
 *                 A pool thread's parking word takes the place of BELL: parking.ts P1.
 *            [N2] the outcome's plain writes come before put's CAS; the owner's reads after takeAll's exchange.
 * Liveness   A thread that dies between put and ring leaves the job linked; one that dies between ring and its message leaves BELL
 *            AWAKE, and nobody rings. So after each exit the owner takes all and goes through `sleep` again (or looks on by itself).
 *            A pool thread whose result was linked without a wake-up is woken by the host after the exit.
 * Sources    Treiber, "Systems programming: coping with parallelism", 1986; .NET's thread request, A3.10.
 *            Model test: test/shared/inbox.model.test.ts
 */
import { cas, exchange, load, store } from "./atomics.ts";
import { inboxBase, type Layout, LINE_WORDS } from "./layout.ts";
import type { SlotTable } from "./slot.ts";

const ASLEEP = 0;
const AWAKE = 1;
const NONE = 0;

export class Inbox {
  readonly #control: Int32Array;
  readonly #head: number;
  readonly #bell: number;
  readonly #slots: SlotTable;

  constructor(control: Int32Array, layout: Layout, slots: SlotTable, submitter: number) {
    this.#control = control;
    this.#head = inboxBase(layout, submitter);
    this.#bell = this.#head + LINE_WORDS;
    this.#slots = slots;
  }

  /** The serial of the owner: whose arena holds what its jobs name. */
  get ownerSerial(): number {
    return load(this.#control, this.#bell + 1); // [unpaired] constant while the owner has jobs
  }

  /** By the host, before a thread starts. */
  setOwner(serial: number): void {
    store(this.#control, this.#bell + 1, serial); // [unpaired] the owner has no jobs yet
  }

  /** Links a finished job. The caller then wakes the owner: by `ring` if that is the host, else by its parking word. */
  put(slot: number): void {
    const next = this.#slots.nextWord(slot);
    for (;;) {
      const head = load(this.#control, this.#head); // [N2]
      this.#slots.words[next] = head; // plain: published by the CAS
      if (cas(this.#control, this.#head, head, slot + 1)) return; // [N1] [N2]
    }
  }

  /** @returns true when the caller must post the bell message now. */
  ring(): boolean {
    return (
      load(this.#control, this.#bell) === ASLEEP && // [N1] a load first: the line stays shared while the owner is awake
      exchange(this.#control, this.#bell, AWAKE) === ASLEEP // [N1] I2
    );
  }

  isEmpty(): boolean {
    return load(this.#control, this.#head) === NONE; // [N1] a thread's last look before it sleeps; to others a hint
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
    // By hand: `reverse` of a part would make a view and leave V8's own code, for nothing when it is one slot.
    for (let first = 0, last = count - 1; first < last; first++, last--) {
      const slot = into[first]!;
      into[first] = into[last]!;
      into[last] = slot;
    }
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
