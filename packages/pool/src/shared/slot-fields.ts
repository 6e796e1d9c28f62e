/**
 * The plain words of a slot: what its job is, where its context and its payload lie, and how it has ended. Only the owner of the slot touches them
 * (slot.ts I2): the submitting thread while it is FREE or DONE, the thread that runs the job in between. So none of this is atomic; the state word
 * hands all of it over at once ([S1] and [S2] there).
 *
 * Words      FUNCTION       @ 4    its number, of the submitter's functions
 *            FUNCTION_BLOCK @ 5    where that is described, in the submitter's home
 *            CONTEXT        @ 6    its number, of the submitter's contexts; 0: the empty context
 *            CONTEXT_ARENA, CONTEXT_BLOCK @ 7, 8   where its text lies; of a stream, which has read that: where its ring lies
 *            HIGH           @ 9    what FUNCTION, CONTEXT and SUBMITTED_AT have above 32 bits: 10, 11 and 11 bits, lowest first
 *            PAYLOAD_LENGTH, PAYLOAD_ARENA, PAYLOAD_BLOCK @ 10 to 12   where the arguments lie, and later what the job has returned or thrown
 *            OUTCOME        @ 13   which of these; above it, whether the job has reported anything
 *            PROGRESS       @ 14   who listens to what the job reports; 0: nobody
 *            SUBMITTED_AT   @ 15   see clock.ts; 0: the job is not timed
 *            Behind them lie INLINE_BYTES for a payload that is short enough.
 */
import { INLINE_BYTES, type Layout, SLOT_HEADER_WORDS, SLOT_WORDS } from "./layout.ts";

// 0 to 3 are atomic: slot.ts and slot-flags.ts.
const FUNCTION = 4;
const FUNCTION_BLOCK = 5;
const CONTEXT = 6;
const CONTEXT_ARENA = 7;
const CONTEXT_BLOCK = 8;
const HIGH = 9;
const PAYLOAD_LENGTH = 10;
const PAYLOAD_ARENA = 11;
const PAYLOAD_BLOCK = 12;
const OUTCOME = 13;
const PROGRESS = 14;
const SUBMITTED_AT = 15;

/** A call out of JavaScript costs more than so few bytes do. */
const LOOPED_BYTES = 64;

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
/** Of a stream whose generator was asked to stop: a result, what it returned then. */
export const OUTCOME_STOPPED = 2;
/** The same: an error that was not thrown because it was to end. Its reader may have left, and has not asked for it then. */
export const OUTCOME_AHEAD = 3;
const OUTCOME_MASK = 3;
const REPORTED_BIT = 4;

export class SlotFields {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly #doubles: Float64Array;

  constructor(buffer: SharedArrayBuffer, layout: Layout) {
    this.words = new Int32Array(buffer, 0, layout.totalSlots * SLOT_WORDS);
    this.bytes = new Uint8Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  // What the job is.

  /** See `SlotFlags.describeJob`. The job has no context, until one is set. */
  protected describe(
    slot: number,
    functionId: number,
    block: number,
    progress: number,
    submittedAt: number,
  ): void {
    const base = slot * SLOT_WORDS;
    this.words[base + FUNCTION] = functionId;
    this.words[base + FUNCTION_BLOCK] = block;
    this.words[base + CONTEXT] = 0;
    this.words[base + OUTCOME] = 0;
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

  // Its context.

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

  /** Of a stream, whose context was read: its ring lies there. */
  protected setRing(slot: number, arena: number, block: number): void {
    const base = slot * SLOT_WORDS;
    this.words[base + CONTEXT_ARENA] = arena;
    this.words[base + CONTEXT_BLOCK] = block;
  }

  ringArena(slot: number): number {
    return this.contextArena(slot);
  }

  ringBlock(slot: number): number {
    return this.contextBlock(slot);
  }

  // The payload: the arguments, and later the outcome.

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

  /** At most MAX_NUMBERS. Plain, also where other payloads had bytes: the caller owns the slot (slot.ts I2). A payload that needs neither encoding nor decoding. */
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
    const word = slot * SLOT_WORDS + OUTCOME;
    this.words[word] = (this.words[word]! & REPORTED_BIT) | outcome;
  }

  outcome(slot: number): number {
    return this.words[slot * SLOT_WORDS + OUTCOME]! & OUTCOME_MASK;
  }

  /** The job has reported something, by message. */
  setReported(slot: number): void {
    this.words[slot * SLOT_WORDS + OUTCOME]! |= REPORTED_BIT;
  }

  /** Whether it has; says so once. */
  takeReported(slot: number): boolean {
    const word = slot * SLOT_WORDS + OUTCOME;
    const has = (this.words[word]! & REPORTED_BIT) !== 0;
    this.words[word]! &= ~REPORTED_BIT;
    return has;
  }
}

function highOf(value: number): number {
  return value < TWO_32 ? 0 : Math.floor(value / TWO_32);
}

function joined(low: number, high: number): number {
  return high === 0 ? low >>> 0 : high * TWO_32 + (low >>> 0);
}
