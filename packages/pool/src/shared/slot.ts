/**
 * Slot: one job's place in shared memory, from submission to settlement.
 *
 * Words      STATE   @ 0   low 2 bits state, above them 21 bits: the serial of the thread that took the job, or that alone may take it;
 *                          while it is QUEUED, also EXCLUSIVE in bit 23, and of a job for one thread alone its priority above
 *            TICKET  @ 1   the position of the newest entry in its ring or deque; an entry at another position is stale
 *            NEXT    @ 2   link in the inbox (inbox.ts)
 *            FLAGS   @ 3   slot-flags.ts; and the plain words, which I2 is about: slot-fields.ts
 * State      | value           | means                              | written by                          |
 *            | 0 FREE          | belongs to the submitting thread   | submitting thread                   |
 *            | 1 QUEUED        | filled, waits for any thread       | submitting thread                   |
 *            | 1 QUEUED, e     | the same, for one without a job    | submitting thread                   |
 *            | 1 QUEUED, w, …  | the same for thread w alone        | submitting thread, which is the host |
 *            | 2 RUNNING, w    | thread w has it                    | thread w                            |
 *            | 3 DONE, w       | outcome written                    | thread w                            |
 * Moves      publish FREE → QUEUED (store)          claim QUEUED → RUNNING,w (CAS)     withdraw QUEUED → FREE (CAS)
 *            finish RUNNING,w → DONE,w (store)      release DONE,w → FREE (store)      abandon RUNNING,w → FREE (store, w is dead)
 *            assign FREE → RUNNING,w (store), instead of publish and claim
 *            publishPlaced, claimPlaced: as publish and claim, to and from QUEUED,w,… (mailbox.ts)
 *            The host may claim in the name of w, and then tells w: as with assign, w is the owner from there on.
 *            requeue RUNNING,w → QUEUED (release, then publish), when w has given the job back and not begun it
 *            anything else is a bug; above all a store to FREE from QUEUED, which would overlook a claim
 * Invariants I1 claim and withdraw exclude each other: a cancelled job never starts, a started one is never withdrawn.
 *            I2 Plain words and the payload belong to the submitting thread in FREE and DONE, to w in RUNNING,
 *               to nobody in QUEUED: there they only rest.
 *            I3 Only the submitting thread frees a slot, so its free list needs no atomics. After its death the host does
 *               (host/orphaned-slots.ts).
 *            I4 The claim alone decides who runs a job, and by [S1] it finds the whole job, whichever entry led to it. Tickets only
 *               keep stale entries from jumping the queue, not always: between publish and push the word still shows the position
 *               of the former entry, and rings and deques count their positions separately. So a published slot may be claimed
 *               before its push, even when that push finds no room: then withdraw decides, never release.
 *               Whatever stale entry leads there, a job for one thread alone is claimed by no other, and an exclusive one only where
 *               exclusive jobs are looked for: the swap compares the whole word. And publishPlaced makes the ticket one of no entry.
 * Pairings   [S1] publish happens after the plain writes; claim happens before the plain reads.
 *            [S2] finish happens after the outcome's plain writes; recovery loads STATE before its reads.
 *            [S3] push writes TICKET before the cell's CAS (ring.ts R2) or the store of BOTTOM (deque.ts D1); the taker loads it after
 *                 its pop. So the newest entry always shows its own position, and what shows another is stale.
 * Liveness   claim, withdraw, finish and release are one step each. A thread that dies in RUNNING, in DONE before inbox.ts put, or
 *            between its pop or steal and its claim leaves the slot to the submitting thread, which looks through its
 *            slots after each exit.
 * Sources    .NET ThreadPool work items; "claim by compare-and-swap with owner", crossbeam. Model test: test/shared/slot.model.test.ts
 */
import { cas, load, store } from "./atomics.ts";
import { SLOT_WORDS } from "./layout.ts";
import { SlotFlags } from "./slot-flags.ts";

const STATE = 0;
const TICKET = 1;
const NEXT = 2;

export const STATE_BITS = 2;
export const STATE_MASK = 3;
export const FREE = 0;
export const QUEUED = 1;
export const RUNNING = 2;
export const DONE = 3;

const EXCLUSIVE_BIT = 1 << 23;
const PLACED_PRIORITY_SHIFT = 24;
const SERIAL_MASK = (1 << 21) - 1;

/** Every thread has its own object over the same memory. */
export class SlotTable extends SlotFlags {
  // `word` is the state of the job while it waits: of `queuedWord`, or of `placedWord` for a job that is for one thread alone.

  publish(slot: number, word: number = QUEUED): void {
    store(this.words, slot * SLOT_WORDS + STATE, word); // [S1]
  }

  /** A job for one thread alone, which gets to know of it by a message: it goes through no queue. */
  assign(slot: number, serial: number): void {
    store(this.words, slot * SLOT_WORDS + STATE, RUNNING | (serial << STATE_BITS)); // [S1] in place of publish and claim
  }

  /** @returns false when the entry at `position` is stale or the job was withdrawn. */
  claim(slot: number, position: number, thread: number, word: number = QUEUED): boolean {
    const base = slot * SLOT_WORDS;
    if (load(this.words, base + TICKET) !== position) return false; // [S3]
    return cas(this.words, base + STATE, word, RUNNING | (thread << STATE_BITS)); // [S1]
  }

  /** @returns false when a thread has the job already. */
  withdraw(slot: number, word: number = QUEUED): boolean {
    return cas(this.words, slot * SLOT_WORDS + STATE, word, FREE); // [S1]
  }

  /** Whether the entry at `position` is the one of a job that waits. */
  isQueuedAt(slot: number, position: number): boolean {
    const base = slot * SLOT_WORDS;
    return this.words[base + TICKET] === position && load(this.words, base + STATE) === QUEUED; // [S1] by the submitting thread
  }

  publishPlaced(slot: number, word: number): void {
    this.words[slot * SLOT_WORDS + TICKET]! ^= 1 << 31; // plain: [S1]; no entry of before leads here until the push
    store(this.words, slot * SLOT_WORDS + STATE, word); // [S1]
  }

  /** @returns false when the job was withdrawn, or the slot has another. */
  claimPlaced(slot: number, word: number, thread: number): boolean {
    return cas(this.words, slot * SLOT_WORDS + STATE, word, RUNNING | (thread << STATE_BITS)); // [S1]
  }

  /** Whether the newest entry of the slot is the one at `position`, of whatever ring. */
  isTicket(slot: number, position: number): boolean {
    return load(this.words, slot * SLOT_WORDS + TICKET) === position; // [S3]
  }

  finish(slot: number, thread: number): void {
    store(this.words, slot * SLOT_WORDS + STATE, DONE | (thread << STATE_BITS)); // [S2]
  }

  /** After the outcome was read, or after the thread that had the job died. */
  release(slot: number): void {
    store(this.words, slot * SLOT_WORDS + STATE, FREE); // [S1] I3
  }

  state(slot: number): number {
    return load(this.words, slot * SLOT_WORDS + STATE) & STATE_MASK; // [S2] recovery only
  }

  /** The serial of the thread that took the job; meaningful in RUNNING and DONE. */
  owner(slot: number): number {
    return load(this.words, slot * SLOT_WORDS + STATE) >> STATE_BITS; // [S2] recovery only
  }

  /** State and owner as one, for join-edges.ts and mailbox.ts. */
  stateWord(slot: number): number {
    return load(this.words, slot * SLOT_WORDS + STATE); // [unpaired] join-edges.ts J2; a hint for mailbox.ts
  }

  // Tickets and links, for ring.ts and inbox.ts.

  ticketWord(slot: number): number {
    return slot * SLOT_WORDS + TICKET;
  }

  ticket(slot: number): number {
    return this.words[slot * SLOT_WORDS + TICKET]!; // plain: read by its only writer
  }

  nextWord(slot: number): number {
    return slot * SLOT_WORDS + NEXT;
  }
}

/** The state word of a job that every thread may take, while it waits; of an exclusive one, every thread that has no other. */
export function queuedWord(isExclusive: boolean): number {
  return isExclusive ? QUEUED | EXCLUSIVE_BIT : QUEUED;
}

/** The state word of a job that only the thread with this serial may take, while it waits. */
export function placedWord(serial: number, priority: number, isExclusive: boolean): number {
  return queuedWord(isExclusive) | (serial << STATE_BITS) | (priority << PLACED_PRIORITY_SHIFT);
}

/** Whether a state word is that of a job that waits for the thread with this serial alone. */
export function isPlacedFor(word: number, serial: number): boolean {
  return (word & STATE_MASK) === QUEUED && ((word >> STATE_BITS) & SERIAL_MASK) === serial;
}

export function priorityOfPlaced(word: number): number {
  return word >> PLACED_PRIORITY_SHIFT;
}

export function isExclusivePlaced(word: number): boolean {
  return (word & EXCLUSIVE_BIT) !== 0;
}
