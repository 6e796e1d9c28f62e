/**
 * Slot: one job's place in shared memory, from submission to settlement.
 *
 * Words      STATE   @ 0   low 2 bits state, above them 21 bits: the serial of the thread that took the job, or that alone may take it;
 *                          of a job for one thread alone, while it is QUEUED, also EXCLUSIVE in bit 23, and its priority above
 *            TICKET  @ 1   the position of the newest entry in its ring or deque; an entry at another position is stale
 *            NEXT    @ 2   link in the inbox (inbox.ts)
 *            FLAGS   @ 3   bit 0 CANCEL: the caller wants the running job to stop; written by the submitting thread, at any time
 *                          bit 1 EXCLUSIVE: its thread may run nothing else meanwhile; constant while the slot is in use
 *                          bit 2 ENDED: the thread has come to the end of an exclusive job; written by w before finish
 *                          bit 3 DOOMED: the thread will be terminated because of this job; written by the submitting thread
 *                          bit 4 TIMED: the submitter wants to hear when the job begins (submit/run-limit.ts); constant as EXCLUSIVE
 *                          bit 5 STREAM: the job gives its results piece by piece (stream-ring.ts); set by w before the first link
 *                          bit 6 LINKED: the slot is in the inbox, or about to be; of a stream only
 *                          bit 7 OVER: a stream has ended, and its outcome is written
 *                          above: how many threads have died at it, 7 bits, and how far a stream may be ahead, 16 bits; constant
 *                                 while the slot is in use
 *            the rest: plain, see the list below
 * State      | value           | means                              | written by                          |
 *            | 0 FREE          | belongs to the submitting thread   | submitting thread                   |
 *            | 1 QUEUED        | filled, waits for any thread       | submitting thread                   |
 *            | 1 QUEUED, w, …  | the same for thread w alone        | submitting thread, which is the host |
 *            | 2 RUNNING, w    | thread w has it                    | thread w                            |
 *            | 3 DONE, w       | outcome written                    | thread w                            |
 * Moves      publish FREE → QUEUED (store)          claim QUEUED → RUNNING,w (CAS)     withdraw QUEUED → FREE (CAS)
 *            finish RUNNING,w → DONE,w (store)      release DONE,w → FREE (store)      abandon RUNNING,w → FREE (store, w is dead)
 *            assign FREE → RUNNING,w (store), instead of publish and claim
 *            publishPlaced, claimPlaced, withdrawPlaced: as the above, from and to QUEUED,w,… (mailbox.ts)
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
 *               A job for one thread alone is claimed by no other, whatever stale entry leads there: the swap compares the whole word. And
 *               publishPlaced makes the ticket one of no entry.
 *            I5 Of ENDED and DOOMED one is set at most: either the job has ended and its thread lives, or the thread dies in RUNNING
 *               and takes no other job before, so that none dies with it.
 *            I6 A slot is linked at most once at a time. That of a plain job is linked once, when it is DONE. That of a stream also in RUNNING, as
 *               often as its submitter has to look: w links it if its CAS has set LINKED; the submitter takes it out, and then clears LINKED.
 *               OVER is set together with LINKED: if LINKED was there, the link that is under way tells of the end, and there is no second.
 * Pairings   [S1] publish happens after the plain writes; claim happens before the plain reads.
 *            [S2] finish happens after the outcome's plain writes; recovery loads STATE before its reads.
 *            [S3] push writes TICKET before the cell's CAS (ring.ts R2) or the store of BOTTOM (deque.ts D1); the taker loads it after
 *                 its pop. So the newest entry always shows its own position, and what shows another is stale.
 *            [S4] w writes a frame, or the outcome, then sets LINKED; the submitter clears LINKED, then reads. Either w links anew, or that read
 *                 sees what was written.
 * Liveness   claim, withdraw, finish and release are one step each. A thread that dies in RUNNING, in DONE before inbox.ts put, or
 *            between its pop or steal and its claim leaves the slot to the submitting thread, which looks through its
 *            slots after each exit.
 * Sources    .NET ThreadPool work items; "claim by compare-and-swap with owner", crossbeam. Model test: test/shared/slot.model.test.ts
 */
import { cas, load, store, wait } from "./atomics.ts";
import { INLINE_BYTES, type Layout, SLOT_HEADER_WORDS, SLOT_WORDS } from "./layout.ts";

const STATE = 0;
const TICKET = 1;
const NEXT = 2;
const FLAGS = 3;
// Plain words, see I2.
const FUNCTION = 4;
const FUNCTION_BLOCK = 5;
const CONTEXT = 6;
const CONTEXT_ARENA = 7;
const CONTEXT_BLOCK = 8;
/** What FUNCTION, CONTEXT and SUBMITTED_AT have above 32 bits: 10, 11 and 11 bits, lowest first. */
const HIGH = 9;
const PAYLOAD_LENGTH = 10;
const PAYLOAD_ARENA = 11;
const PAYLOAD_BLOCK = 12;
const OUTCOME = 13;
const PROGRESS = 14;
const SUBMITTED_AT = 15;

/** A call out of JavaScript costs more than so few bytes do. */
const LOOPED_BYTES = 64;

export const STATE_BITS = 2;
export const STATE_MASK = 3;
export const FREE = 0;
export const QUEUED = 1;
export const RUNNING = 2;
export const DONE = 3;

const PLACED_EXCLUSIVE_BIT = 1 << 23;
const PLACED_PRIORITY_SHIFT = 24;
const SERIAL_MASK = (1 << 21) - 1;

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
const TWO_32 = 2 ** 32;
const FUNCTION_HIGH_MASK = 0x3ff;
const CONTEXT_HIGH_SHIFT = 10;
const CONTEXT_HIGH_MASK = 0x7ff;
const TIME_HIGH_SHIFT = 21;

/** PAYLOAD_ARENA of a payload that lies in the slot itself. */
export const INLINE = -1;
/** PAYLOAD_ARENA of a list of numbers that lie in the slot as they are, 8 bytes each; PAYLOAD_LENGTH counts them. */
export const NUMBERS = -2;
/** CONTEXT_ARENA of a carrier that lies in the slot, behind the payload. */
export const CONTEXT_IN_SLOT = -1;
/** CONTEXT_BLOCK then has its length in bytes, and above that where it begins. */
const IN_SLOT_LENGTH_BITS = 8;
/** As many as fit into a slot. */
export const MAX_NUMBERS: number = INLINE_BYTES / 8;
export const OUTCOME_RESULT = 0;
export const OUTCOME_ERROR = 1;
/** Of a job that was sent to its thread, until the thread begins it. */
export const NOT_BEGUN = 2;
/** Of a stream whose generator was asked to stop: a result, what it returned then. */
export const OUTCOME_STOPPED = 3;

/** Fields by slot number, over the shared bytes. Every thread has its own object over the same memory. */
export class SlotTable {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly #doubles: Float64Array;

  constructor(buffer: SharedArrayBuffer, layout: Layout) {
    this.words = new Int32Array(buffer, 0, layout.totalSlots * SLOT_WORDS);
    this.bytes = new Uint8Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  // The state word.

  publish(slot: number): void {
    store(this.words, slot * SLOT_WORDS + STATE, QUEUED); // [S1]
  }

  /** A job for one thread alone, which gets to know of it by a message: it goes through no queue. */
  assign(slot: number, serial: number): void {
    store(this.words, slot * SLOT_WORDS + STATE, RUNNING | (serial << STATE_BITS)); // [S1] in place of publish and claim
  }

  /** @returns false when the entry at `position` is stale or the job was withdrawn. */
  claim(slot: number, position: number, thread: number): boolean {
    const base = slot * SLOT_WORDS;
    if (load(this.words, base + TICKET) !== position) return false; // [S3]
    return cas(this.words, base + STATE, QUEUED, RUNNING | (thread << STATE_BITS)); // [S1]
  }

  /** @returns false when a thread has the job already. */
  withdraw(slot: number): boolean {
    return cas(this.words, slot * SLOT_WORDS + STATE, QUEUED, FREE); // [S1]
  }

  /** Whether the entry at `position` is the one of a job that waits. */
  isQueuedAt(slot: number, position: number): boolean {
    const base = slot * SLOT_WORDS;
    return this.words[base + TICKET] === position && load(this.words, base + STATE) === QUEUED; // [S1] by the submitting thread
  }

  // The same for a job that is for one thread alone: `word` is of `placedWord`.

  publishPlaced(slot: number, word: number): void {
    this.words[slot * SLOT_WORDS + TICKET]! ^= 1 << 31; // plain: [S1]; no entry of before leads here until the push
    store(this.words, slot * SLOT_WORDS + STATE, word); // [S1]
  }

  /** @returns false when the job was withdrawn, or the slot has another. */
  claimPlaced(slot: number, word: number, thread: number): boolean {
    return cas(this.words, slot * SLOT_WORDS + STATE, word, RUNNING | (thread << STATE_BITS)); // [S1]
  }

  /** @returns false when the thread has the job already. */
  withdrawPlaced(slot: number, word: number): boolean {
    return cas(this.words, slot * SLOT_WORDS + STATE, word, FREE); // [S1]
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

  // Cancellation.

  /** By the submitting thread. */
  requestCancel(slot: number): void {
    this.#mark(slot, CANCEL_BIT, 0);
  }

  isCancelRequested(slot: number): boolean {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) & CANCEL_BIT) !== 0; // [unpaired] see requestCancel
  }

  /** Of a job that this thread has claimed. */
  isExclusive(slot: number): boolean {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) & EXCLUSIVE_BIT) !== 0; // [unpaired] constant, see FLAGS
  }

  /** How many threads have died at a job that this thread has claimed. */
  deaths(slot: number): number {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) >> DEATHS_SHIFT) & DEATHS_MAX; // [unpaired] constant, see FLAGS
  }

  /** How many items the stream of a job that this thread has claimed may be ahead of its reader; 0: its caller takes no stream. */
  highWaterMark(slot: number): number {
    return load(this.words, slot * SLOT_WORDS + FLAGS) >> AHEAD_SHIFT; // [unpaired] constant, see FLAGS
  }

  /** The same. */
  isTimed(slot: number): boolean {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) & TIMED_BIT) !== 0; // [unpaired] constant, see FLAGS
  }

  /** By the submitting thread, before it has the thread that runs the job terminated. @returns false when the job has ended: leave the thread alone. */
  doom(slot: number): boolean {
    return this.#mark(slot, DOOMED_BIT, ENDED_BIT);
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

  /** Sets `bit`, unless `unless` is set. */
  #mark(slot: number, bit: number, unless: number): boolean {
    const word = slot * SLOT_WORDS + FLAGS;
    for (;;) {
      const flags = load(this.words, word); // [unpaired] the swap decides
      if ((flags & unless) !== 0) return false;
      if (cas(this.words, word, flags, flags | bit)) return true; // [unpaired] flags order nothing but themselves
    }
  }

  // Streams.

  /**
   * The job in `slot`, which this thread runs, gives its results piece by piece. Its context was read: the ring's place takes that of the
   * context's.
   */
  setStream(slot: number, arena: number, block: number): void {
    const base = slot * SLOT_WORDS;
    this.words[base + CONTEXT_ARENA] = arena;
    this.words[base + CONTEXT_BLOCK] = block;
    this.#mark(slot, STREAM_BIT, 0);
  }

  /** For the thread that has the job, and for its submitter, who has found the slot in its inbox or in nobody's hands. */
  isStream(slot: number): boolean {
    return (load(this.words, slot * SLOT_WORDS + FLAGS) & STREAM_BIT) !== 0; // [S4] set before the first link
  }

  /** Of a stream: where its ring lies. */
  ringArena(slot: number): number {
    return this.contextArena(slot);
  }

  ringBlock(slot: number): number {
    return this.contextBlock(slot);
  }

  /**
   * By the thread that has the stream: its submitter is to look at it.
   * @param isOver The outcome was written, and `finish` was called.
   * @returns whether the slot has to be linked now; otherwise a link is under way, and serves (I6).
   */
  wantLink(slot: number, isOver: boolean): boolean {
    const word = slot * SLOT_WORDS + FLAGS;
    const bits = isOver ? LINKED_BIT | OVER_BIT : LINKED_BIT;
    for (;;) {
      const flags = load(this.words, word); // [unpaired] the swap decides
      if (cas(this.words, word, flags, flags | bits)) return (flags & LINKED_BIT) === 0; // [S4]
    }
  }

  /** By the submitter, who has taken the link of a stream out of its inbox. @returns whether the stream is over. */
  takeLink(slot: number): boolean {
    const word = slot * SLOT_WORDS + FLAGS;
    for (;;) {
      const flags = load(this.words, word); // [unpaired] the swap decides
      if (cas(this.words, word, flags, flags & ~LINKED_BIT)) return (flags & OVER_BIT) !== 0; // [S4]
    }
  }

  // Plain words: the caller owns the slot (I2).

  /**
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
    const base = slot * SLOT_WORDS;
    this.words[base + FUNCTION] = functionId;
    this.words[base + FUNCTION_BLOCK] = block;
    this.words[base + FLAGS] =
      (isExclusive ? EXCLUSIVE_BIT : 0) |
      (isTimed ? TIMED_BIT : 0) |
      (Math.min(deaths, DEATHS_MAX) << DEATHS_SHIFT) |
      (highWaterMark << AHEAD_SHIFT);
    this.words[base + CONTEXT] = 0;
    this.words[base + HIGH] = highOf(functionId) | (highOf(submittedAt) << TIME_HIGH_SHIFT);
    this.words[base + PROGRESS] = progress;
    this.words[base + SUBMITTED_AT] = submittedAt;
  }

  /** Names who listens to what the job reports: its progress, or that it begins; 0: nobody. */
  progressId(slot: number): number {
    return this.words[slot * SLOT_WORDS + PROGRESS]!;
  }

  /** See clock.ts; 0: not timed. */
  submittedAt(slot: number): number {
    const base = slot * SLOT_WORDS;
    return joined(this.words[base + SUBMITTED_AT]!, this.words[base + HIGH]! >>> TIME_HIGH_SHIFT);
  }

  /** Of this submitter's functions. */
  functionId(slot: number): number {
    const base = slot * SLOT_WORDS;
    return joined(this.words[base + FUNCTION]!, this.words[base + HIGH]! & FUNCTION_HIGH_MASK);
  }

  functionBlock(slot: number): number {
    return this.words[slot * SLOT_WORDS + FUNCTION_BLOCK]!;
  }

  /**
   * After `describeJob`.
   * @param id Less than 2^43, not 0.
   * @param arena and block: where the carrier lies.
   */
  setContext(slot: number, id: number, arena: number, block: number): void {
    const base = slot * SLOT_WORDS;
    this.words[base + CONTEXT] = id;
    this.words[base + CONTEXT_ARENA] = arena;
    this.words[base + CONTEXT_BLOCK] = block;
    if (id >= TWO_32) this.words[base + HIGH]! |= highOf(id) << CONTEXT_HIGH_SHIFT;
  }

  /** The same for a carrier that lies among the inline bytes, from `start` on. */
  setContextInSlot(slot: number, id: number, start: number, length: number): void {
    this.setContext(slot, id, CONTEXT_IN_SLOT, (start << IN_SLOT_LENGTH_BITS) | length);
  }

  /** Where that carrier begins in `bytes`, and its length in bytes. */
  contextOffset(slot: number): number {
    return this.inlineOffset(slot) + (this.contextBlock(slot) >> IN_SLOT_LENGTH_BITS);
  }

  contextLength(slot: number): number {
    return this.contextBlock(slot) & ((1 << IN_SLOT_LENGTH_BITS) - 1);
  }

  /** Of this submitter's contexts; 0: the empty context. */
  contextId(slot: number): number {
    const base = slot * SLOT_WORDS;
    const high = (this.words[base + HIGH]! >>> CONTEXT_HIGH_SHIFT) & CONTEXT_HIGH_MASK;
    return joined(this.words[base + CONTEXT]!, high);
  }

  contextArena(slot: number): number {
    return this.words[slot * SLOT_WORDS + CONTEXT_ARENA]!;
  }

  contextBlock(slot: number): number {
    return this.words[slot * SLOT_WORDS + CONTEXT_BLOCK]!;
  }

  /**
   * Copies a payload of at most INLINE_BYTES into the slot.
   * @param more So many bytes that follow it in `source` go along, behind it.
   */
  setInlinePayload(slot: number, source: Uint8Array, length: number, more = 0): void {
    const base = slot * SLOT_WORDS;
    const start = (base + SLOT_HEADER_WORDS) * 4;
    const count = length + more;
    if (count <= LOOPED_BYTES) {
      for (let i = 0; i < count; i++) this.bytes[start + i] = source[i]!;
    } else {
      this.bytes.set(source.subarray(0, count), start);
    }
    this.words[base + PAYLOAD_LENGTH] = length;
    this.words[base + PAYLOAD_ARENA] = INLINE;
  }

  /** At most MAX_NUMBERS. Plain, also where other payloads had bytes: the caller owns the slot (I2). A payload that needs neither encoding nor decoding. */
  setNumbers(slot: number, numbers: readonly number[]): void {
    const base = slot * SLOT_WORDS;
    const start = (base + SLOT_HEADER_WORDS) >> 1;
    for (let i = 0; i < numbers.length; i++) this.#doubles[start + i] = numbers[i]!;
    this.words[base + PAYLOAD_LENGTH] = numbers.length;
    this.words[base + PAYLOAD_ARENA] = NUMBERS;
  }

  /** What `setNumbers` has put there. */
  numbers(slot: number): number[] {
    const start = (slot * SLOT_WORDS + SLOT_HEADER_WORDS) >> 1;
    return Array.from({ length: this.payloadLength(slot) }, (_, i) => this.#doubles[start + i]!);
  }

  /** `block` in the arena with the number `arena`. */
  setArenaPayload(slot: number, arena: number, block: number, length: number): void {
    const base = slot * SLOT_WORDS;
    this.words[base + PAYLOAD_LENGTH] = length;
    this.words[base + PAYLOAD_ARENA] = arena;
    this.words[base + PAYLOAD_BLOCK] = block;
  }

  payloadLength(slot: number): number {
    return this.words[slot * SLOT_WORDS + PAYLOAD_LENGTH]!;
  }

  /** The number of the arena, or INLINE, or NUMBERS. */
  payloadArena(slot: number): number {
    return this.words[slot * SLOT_WORDS + PAYLOAD_ARENA]!;
  }

  payloadBlock(slot: number): number {
    return this.words[slot * SLOT_WORDS + PAYLOAD_BLOCK]!;
  }

  /** Byte offset of an inline payload within `bytes`; a multiple of 64. */
  inlineOffset(slot: number): number {
    return (slot * SLOT_WORDS + SLOT_HEADER_WORDS) * 4;
  }

  setOutcome(slot: number, outcome: number): void {
    this.words[slot * SLOT_WORDS + OUTCOME] = outcome;
  }

  outcome(slot: number): number {
    return this.words[slot * SLOT_WORDS + OUTCOME]!;
  }
}

/** The state word of a job that only the thread with this serial may take, while it waits. */
export function placedWord(serial: number, priority: number, isExclusive: boolean): number {
  const exclusive = isExclusive ? PLACED_EXCLUSIVE_BIT : 0;
  return QUEUED | (serial << STATE_BITS) | exclusive | (priority << PLACED_PRIORITY_SHIFT);
}

/** Whether a state word is that of a job that waits for the thread with this serial alone. */
export function isPlacedFor(word: number, serial: number): boolean {
  return (word & STATE_MASK) === QUEUED && ((word >> STATE_BITS) & SERIAL_MASK) === serial;
}

export function priorityOfPlaced(word: number): number {
  return word >> PLACED_PRIORITY_SHIFT;
}

export function isExclusivePlaced(word: number): boolean {
  return (word & PLACED_EXCLUSIVE_BIT) !== 0;
}

function highOf(value: number): number {
  return value < TWO_32 ? 0 : Math.floor(value / TWO_32);
}

function joined(low: number, high: number): number {
  return high === 0 ? low >>> 0 : high * TWO_32 + (low >>> 0);
}

export { INLINE_BYTES };
