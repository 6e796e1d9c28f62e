/**
 * The flags of a slot: what its two threads tell each other about the job while it runs, beside who has it (slot.ts).
 *
 * Words      FLAGS @ 3
 * State      | bit          | means                                                        | written by
 *            | 0 CANCEL     | the caller wants the running job to stop                     | submitting thread, at any time
 *            | 1 EXCLUSIVE  | its thread may run nothing else meanwhile                    | submitting thread, before publish
 *            | 2 ENDED      | the thread has come to the end of an exclusive job           | w, before finish
 *            | 3 DOOMED     | the thread will be terminated because of this job            | submitting thread, at any time
 *            | 4 TIMED      | the submitter wants to hear when the job begins (submit/run-limit.ts) | submitting thread, before publish
 *            | 5 STREAM     | the job gives its results piece by piece (stream-ring.ts)    | w, before the first link
 *            | 6 LINKED     | the slot is in the inbox, or about to be; of a stream only   | w sets it, the submitting thread clears it
 *            | 7 OVER       | a stream has ended, and its outcome is written               | w, together with LINKED
 *            | 8 to 14      | how many threads have died at the job                        | submitting thread, before publish
 *            | 15 to 30     | how far its stream may be ahead of the reader                | submitting thread, before publish
 *            | 31 UNBEGUN   | RUNNING, and its function was not called: it is on its way   | submitting thread or host, with assign; w, when
 *            |              | to w past the queues, or w waits for its arguments           | arguments are missing; w clears it
 *            w is the thread that runs the job. What is written before publish is constant while the slot is in use.
 * Moves      requestCancel sets CANCEL. doom sets DOOMED, unless ENDED or UNBEGUN is set; end sets ENDED, unless DOOMED is set.
 *            notBegun sets UNBEGUN; begin clears it, unless CANCEL is set; takenBack clears it.
 *            setStream sets STREAM; wantLink sets LINKED, or LINKED and OVER; takeLink clears LINKED.
 * Invariants I1 Of ENDED and DOOMED one is set at most: either the job has ended and its thread lives, or the thread dies in RUNNING
 *               and takes no other job before, so that none dies with it.
 *            I2 A slot is linked at most once at a time. That of a plain job is linked once, when it is DONE. That of a stream also in RUNNING, as
 *               often as its submitter has to look: w links it if its CAS has set LINKED; the submitter takes it out, and then clears LINKED.
 *               OVER is set together with LINKED: if LINKED was there, the link that is under way tells of the end, and there is no second.
 *            I3 A job that was asked to stop while UNBEGUN is never begun, and no thread dies because of it: doom comes after CANCEL.
 * Pairings   [F1] w writes a frame, or the outcome, then sets LINKED; the submitter clears LINKED, then reads. Either w links anew, or that read
 *                 sees what was written.
 * Liveness   each move is one CAS, repeated only when another bit has changed meanwhile. A thread that fails to end waits until it is terminated.
 * Sources    none: each flag has one reader. Model test: test/shared/slot.model.test.ts
 */
import { cas, load, wait } from "./atomics.ts";
import { SLOT_WORDS } from "./layout.ts";
import { SlotFields } from "./slot-fields.ts";

const FLAGS = 3;
const CANCEL_BIT = 1;
const EXCLUSIVE_BIT = 2;
const ENDED_BIT = 4;
const DOOMED_BIT = 8;
const TIMED_BIT = 16;
const STREAM_BIT = 32;
const LINKED_BIT = 64;
const OVER_BIT = 128;
const DEATHS_SHIFT = 8;
const DEATHS_MAX = 0x7f;
const AHEAD_SHIFT = 15;
const AHEAD_MAX = 0xffff;
const UNBEGUN_BIT = 1 << 31;

export class SlotFlags extends SlotFields {
  /**
   * The flags of a new job, and what it is. The caller owns the slot (slot.ts I2).
   * @param functionId Less than 2^42.
   * @param block Where the function's description lies in the submitter's home.
   * @param submittedAt Of clock.ts; 0: the job is not timed.
   * @param highWaterMark At most 65 535; 0: the caller takes no stream.
   */
  describeJob(
    slot: number,
    functionId: number,
    block: number,
    progress = 0,
    submittedAt = 0,
    isExclusive = false,
    deaths = 0,
    isTimed = false,
    highWaterMark = 0,
  ): void {
    this.describe(slot, functionId, block, progress, submittedAt);
    this.words[slot * SLOT_WORDS + FLAGS] =
      (isExclusive ? EXCLUSIVE_BIT : 0) |
      (isTimed ? TIMED_BIT : 0) |
      (Math.min(deaths, DEATHS_MAX) << DEATHS_SHIFT) |
      (highWaterMark << AHEAD_SHIFT); // plain: the caller owns the slot
  }

  // Constant while the slot is in use: for the thread that has claimed the job.

  /** Whether its thread may run nothing else meanwhile. */
  isExclusive(slot: number): boolean {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) & EXCLUSIVE_BIT) !== 0; // [unpaired] constant, see FLAGS
  }

  /** How many threads have died at the job. */
  deaths(slot: number): number {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) >> DEATHS_SHIFT) & DEATHS_MAX; // [unpaired] constant, see FLAGS
  }

  /** How many items the stream of the job may be ahead of its reader; 0: its caller takes no stream. */
  highWaterMark(slot: number): number {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) >> AHEAD_SHIFT) & AHEAD_MAX; // [unpaired] constant, see FLAGS
  }

  /** Whether its submitter wants to hear when the job begins. */
  isTimed(slot: number): boolean {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) & TIMED_BIT) !== 0; // [unpaired] constant, see FLAGS
  }

  // Cancellation, and its end by force.

  /** By the submitting thread. */
  requestCancel(slot: number): void {
    this.#mark(slot, CANCEL_BIT, 0);
  }

  isCancelRequested(slot: number): boolean {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) & CANCEL_BIT) !== 0; // [unpaired] see requestCancel
  }

  /**
   * By the submitting thread, after `requestCancel`, before it has the thread that runs the job terminated.
   * @returns false when the job has ended, or will never begin: leave the thread alone.
   */
  doom(slot: number): boolean {
    return this.#mark(slot, DOOMED_BIT, ENDED_BIT | UNBEGUN_BIT);
  }

  /** Its thread has the job, or will, and has not called its function: `begin` follows. */
  notBegun(slot: number): void {
    this.#mark(slot, UNBEGUN_BIT, 0);
  }

  /** By its thread, for a job that was marked so. @returns false: it was asked to stop meanwhile, and does not begin. */
  begin(slot: number): boolean {
    const word = slot * SLOT_WORDS + FLAGS;
    for (;;) {
      const flags = load(this.words, word); // [unpaired] the swap decides
      if ((flags & CANCEL_BIT) !== 0) return false;
      if (cas(this.words, word, flags, flags & ~UNBEGUN_BIT)) return true; // [unpaired] flags order nothing but themselves
    }
  }

  /** By the submitting thread, which has the slot back and queues the job anew. */
  takenBack(slot: number): void {
    this.words[slot * SLOT_WORDS + FLAGS]! &= ~UNBEGUN_BIT; // plain: the caller owns the slot
  }

  /** Of a job in RUNNING. */
  isUnbegun(slot: number): boolean {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) & UNBEGUN_BIT) !== 0; // [unpaired] a hint while its thread lives
  }

  /** By the thread that runs an exclusive job, before `finish`. @returns false when the thread is about to be terminated: it must take no other job. */
  end(slot: number): boolean {
    return this.#mark(slot, ENDED_BIT, DOOMED_BIT);
  }

  /** What follows a failed `end`: no job shares the termination. */
  awaitTermination(): never {
    const never = new Int32Array(new SharedArrayBuffer(4));
    for (;;) wait(never, 0, 0, Infinity); // [unpaired] nobody notifies: the thread dies here
  }

  isDoomed(slot: number): boolean {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) & DOOMED_BIT) !== 0; // [unpaired] after the submitting thread's death
  }

  // Streams.

  /**
   * The job in `slot`, which this thread runs, gives its results piece by piece. Its context was read: the ring's place takes that of the
   * context's.
   */
  setStream(slot: number, arena: number, block: number): void {
    this.setRing(slot, arena, block);
    this.#mark(slot, STREAM_BIT, 0);
  }

  /** For the thread that has the job, and for its submitter, who has found the slot in its inbox or in nobody's hands. */
  isStream(slot: number): boolean {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) & STREAM_BIT) !== 0; // [F1] set before the first link
  }

  /**
   * By the thread that has the stream: its submitter is to look at it.
   * @param isOver The outcome was written, and `finish` was called.
   * @returns whether the slot has to be linked now; otherwise a link is under way, and serves (I2).
   */
  wantLink(slot: number, isOver: boolean): boolean {
    const word = slot * SLOT_WORDS + FLAGS;
    const bits = isOver ? LINKED_BIT | OVER_BIT : LINKED_BIT;
    for (;;) {
      const flags = load(this.words, word); // [unpaired] the swap decides
      if (cas(this.words, word, flags, flags | bits)) return (flags & LINKED_BIT) === 0; // [F1]
    }
  }

  /** By the submitter, who has taken the link of a stream out of its inbox. @returns whether the stream is over. */
  takeLink(slot: number): boolean {
    const word = slot * SLOT_WORDS + FLAGS;
    for (;;) {
      const flags = load(this.words, word); // [unpaired] the swap decides
      if (cas(this.words, word, flags, flags & ~LINKED_BIT)) return (flags & OVER_BIT) !== 0; // [F1]
    }
  }

  /** Sets `bit`, unless `unless` is set. */
  #mark(slot: number, bit: number, unless: number): boolean {
    const word = slot * SLOT_WORDS + FLAGS;
    for (;;) {
      const flags = load(this.words, word); // [unpaired] the swap decides
      if ((flags & unless) !== 0) return false;
      if (cas(this.words, word, flags, flags | bit)) return true; // [unpaired] flags order nothing but themselves
    }
  }
}
