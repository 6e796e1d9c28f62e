/**
 * Stream ring: items on their way from the thread that makes them to the thread that reads them, in a block of the producer's payloads (arena.ts).
 * For the results of a generator, the thread that runs it is the producer, from the announcement of the stream to the end of the job; for an
 * argument that comes piece by piece, the thread that has called is, from the job's first `next` until its slot is free again.
 *
 * Words      WRITTEN @ 0    frames published, mod 2^32                                own cache line each
 *            READ    @ 16   frames consumed, mod 2^32
 *            THREAD  @ 1    index of the producer's thread, which may sleep in its parking word; constant
 *            CREDIT  @ 32   1 while the producer waits until it may write again
 *            ITEMS   @ 48   1 while the consumer waits for a frame
 *            then frames: kind, length, and the bytes, a number, or the name of a block of the producer that holds the bytes.
 *            Of an argument the last frame says how its source has ended; the end of a generator is that of its job.
 * State      | word      | 0                       | 1                            | written by                                 |
 *            | CREDIT    | the producer is awake   | suspended, or about to be    | producer; consumer, or producer, 1 → 0     |
 *            | ITEMS     | the consumer is awake   | waits, or is about to        | consumer; producer, or consumer, 1 → 0     |
 *            | WRITTEN, READ: upwards only            |                            | producer, consumer                         |
 * Moves      publish: plain frame, store WRITTEN, load ITEMS; 1: CAS to 0, and whoever did that tells the consumer: by a link of the
 *            slot (slot-flags.ts I2), or, of an argument, by notifying the word
 *            consume: read the frame, store READ, load CREDIT; 1, and at most half of the frames are left: CAS to 0, notify; then, of a
 *            generator, wake its thread (parking.ts P1)
 *            suspend: store CREDIT 1, load READ once more, then waitAsync; before its thread sleeps, load CREDIT once more (parking.ts P1)
 *            await: store ITEMS 1, load WRITTEN once more; of an argument, then waitAsync
 *            resume, by the producer, which was asked to stop: CREDIT 1 → 0 (CAS), notify
 *            leave, by the consumer of an argument, before its job is over: ITEMS 1 → 0 (CAS), notify        anything else is a bug
 * Invariants I1 WRITTEN - READ is at most `highWaterMark`, and the unread frames fit: only the producer raises WRITTEN, and asks `canWrite` first.
 *            I2 The bytes of a frame are the producer's until WRITTEN covers it, and again when READ does; in between the consumer's.
 *            I3 A frame never ends at the end of the ring, so that a frame that says "go on at the beginning" always has room.
 *            I4 The block is shared until the job is over. Then that of a generator is the consumer's, who gives it back with what is left in it;
 *               that of an argument is the producer's, and so are the blocks that its frames name, before and after.
 * Pairings   [T1] publish stores WRITTEN, then loads ITEMS; await stores ITEMS, then loads WRITTEN. One of both sees the other.
 *            [T2] consume stores READ, then loads CREDIT; suspend stores CREDIT, then loads READ. One of both sees the other. Reads that leave
 *                 more than half wake nobody; a later one does, at the latest that of the last frame.
 *            [T3] CREDIT, and of an argument ITEMS, is left before it is notified; waitAsync compares it: no wake-up falls in between.
 *            [T4] a frame's plain bytes come before the store of WRITTEN; the consumer's reads after its load.
 *            [T5] the consumer's reads of a frame come before the store of READ; the producer overwrites it after its load.
 * Liveness   A producer that died may have taken ITEMS and told nobody: the consumer hears of the end of its thread, and reads what is there. A
 *            consumer that died reads no more: its producer hears of that end, and stops.
 * Sources    Lamport, "Proving the correctness of multiprocess programs", 1977 (one producer, one consumer, no lock); credit as in TCP's
 *            window; Web Streams' highWaterMark. Model test: test/shared/stream-ring.model.test.ts
 */
import { cas, load, notify, store, waitAsync } from "./atomics.ts";
import {
  bufferOf,
  Float64Array,
  Int32Array,
  Uint8Array,
  WeakMap,
  weakMapGet,
  weakMapSet,
} from "./intrinsics.ts";
import { LINE_WORDS } from "./layout.ts";

// Words from the beginning of the block.
const WRITTEN = 0;
const THREAD = 1;
const READ: number = LINE_WORDS;
export const CREDIT: number = 2 * LINE_WORDS;
export const ITEMS: number = 3 * LINE_WORDS;
const FRAMES: number = 4 * LINE_WORDS;
/** Of a frame: kind, length, block, arena; or kind, nothing, and 8 bytes of a number. */
const HEADER_BYTES = 16;

export const NO_FRAME = 0;
export const NUMBER = 1;
/** An encoded value. */
export const BYTES = 2;
/** The same, in a block of the producer's payloads, which the consumer gives back. */
export const APART = 3;
/** Go on at the beginning. */
const WRAP = 4;
/** The last one: the source of an argument has no more. */
export const ENDED = 5;
/** The last one: it has thrown what lies in a block, as APART. */
export const THROWN = 6;
export type FrameKind =
  | typeof NO_FRAME
  | typeof NUMBER
  | typeof BYTES
  | typeof APART
  | typeof ENDED
  | typeof THROWN;

export interface StreamShape {
  /** Of the frames. A multiple of 16. */
  readonly capacityBytes: number;
  /** The longest value in the ring itself. A multiple of 16. */
  readonly maxBytes: number;
}

/** 1 MiB ahead, and room for the value that goes beyond it. With the header of a block the size of one (arena.ts I2). */
export const STREAM_SHAPE: StreamShape = { capacityBytes: (5 << 18) - 272, maxBytes: 128 << 10 };

/** What has to be allocated. */
export function ringBytes({ capacityBytes }: StreamShape): number {
  return FRAMES * 4 + capacityBytes;
}

/** Of a whole memory. */
interface Views {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
}

/** By the view that has its bytes. Made once for all its rings: a short stream takes not much longer than that. */
const knownViews = new WeakMap<Uint8Array, Views>();

function viewsOf(bytes: Uint8Array): Views {
  let views = weakMapGet(knownViews, bytes);
  if (views === undefined) {
    const buffer = bufferOf(bytes);
    const words = new Int32Array(buffer, 0, bytes.length >> 2);
    const doubles = new Float64Array(buffer, 0, bytes.length >> 3);
    weakMapSet(knownViews, bytes, (views = { words, doubles }));
  }
  return views;
}

/** Of a ring without frames, for the ends that are always there: see TaskJob.kept. */
export const keptBytes: Uint8Array = new Uint8Array(new SharedArrayBuffer(FRAMES * 4));

/** The producer's end. */
export class StreamWriter {
  static readonly kept: StreamWriter = new StreamWriter(keptBytes, 0, STREAM_SHAPE, 1);

  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  /** Where the block begins, in bytes, and in words. */
  readonly #offset: number;
  readonly #base: number;
  readonly #highWaterMark: number;
  readonly #capacity: number;
  readonly #maxAhead: number;
  /** What the frames take that are not known to be read, by their number. */
  readonly #sizes: number[] = [];
  #written = 0;
  #read = 0;
  /** Of the ring, and of blocks apart. */
  #ahead = 0;
  /** Where the next frame begins. */
  #at = 0;
  /** Of the frame that is begun: where the one behind it begins, and what it takes. It counts when it is published. */
  #next = 0;
  #size = 0;

  /**
   * @param bytes The memory in which the block lies.
   * @param offset Where it begins there, in bytes: a multiple of 8.
   * @param thread The index of the producer's thread, if that sleeps in its parking word.
   */
  constructor(bytes: Uint8Array, offset: number, shape: StreamShape, highWaterMark: number, thread = -1) {
    const { capacityBytes, maxBytes } = shape;
    const { words, doubles } = viewsOf(bytes);
    this.#words = words;
    this.#doubles = doubles;
    this.#offset = offset;
    this.#base = offset / 4;
    this.#highWaterMark = highWaterMark;
    this.#capacity = capacityBytes;
    this.#maxAhead = capacityBytes - 2 * (HEADER_BYTES + maxBytes) - HEADER_BYTES;
    // Plain: nobody knows the block yet.
    words[this.#base + WRITTEN] = 0;
    words[this.#base + READ] = 0;
    words[this.#base + CREDIT] = 0;
    words[this.#base + ITEMS] = 0;
    words[this.#base + THREAD] = thread;
  }

  /** Whether one more frame may be written, of any size. */
  get canWrite(): boolean {
    return this.#hasRoom || (this.refresh(), this.#hasRoom);
  }

  get #hasRoom(): boolean {
    return this.#written - this.#read < this.#highWaterMark && this.#ahead <= this.#maxAhead;
  }

  /** How many frames are known to have been read: what was kept for them may be let go. */
  get readCount(): number {
    return this.#read;
  }

  get writtenCount(): number {
    return this.#written;
  }

  /** Takes in what has been read. */
  refresh(): void {
    const read = load(this.#words, this.#base + READ); // [T2] [T5]
    for (; (this.#read | 0) !== read; this.#read++)
      this.#ahead -= this.#sizes[this.#read % this.#highWaterMark]!;
  }

  /** @returns whether the consumer waits, and has to be told. */
  writeNumber(value: number): boolean {
    const at = this.#begin(NUMBER, 0, 0);
    this.#doubles[(this.#offset + at) / 8 + 1] = value;
    return this.#publish();
  }

  /**
   * Room for a value of at most `maxBytes`, with which `apart` bytes come another way; `write` follows. Without it nothing has happened.
   * @returns where in the block its bytes go.
   */
  reserve(length: number, apart = 0): number {
    const at = this.#begin(BYTES, length, apart);
    this.#words[this.#base + at / 4 + 1] = length;
    return at + HEADER_BYTES;
  }

  /** The reserved bytes are there. @returns as `writeNumber`. */
  write(): boolean {
    return this.#publish();
  }

  /** Nothing follows. @returns as `writeNumber`. */
  writeEnd(): boolean {
    this.#begin(ENDED, 0, 0);
    return this.#publish();
  }

  /** A value that lies in a block of its own; otherwise as `reserve`. @returns as `writeNumber`. */
  writeApart(
    arena: number,
    block: number,
    length: number,
    apart = 0,
    kind: typeof APART | typeof THROWN = APART,
  ): boolean {
    const at = this.#base + this.#begin(kind, 0, length + apart) / 4;
    this.#words[at + 1] = length;
    this.#words[at + 2] = block;
    this.#words[at + 3] = arena;
    return this.#publish();
  }

  /** After `canWrite`. @returns where the frame begins, in bytes from the beginning of the block. */
  #begin(kind: FrameKind, length: number, apart: number): number {
    const size = HEADER_BYTES + ((length + 15) & ~15);
    let start = this.#at;
    let padding = 0;
    if (start + size > this.#capacity - HEADER_BYTES) {
      padding = this.#capacity - start;
      this.#words[this.#base + FRAMES + start / 4] = WRAP; // plain: [T4], as everything of a frame
      start = 0;
    }
    // More than the whole ring is enough to stop the producer.
    this.#size = size + padding + Math.min(apart, this.#capacity);
    this.#next = start + size;
    const at = FRAMES * 4 + start;
    this.#words[this.#base + at / 4] = kind;
    return at;
  }

  #publish(): boolean {
    this.#sizes[this.#written % this.#highWaterMark] = this.#size;
    this.#ahead += this.#size;
    this.#at = this.#next;
    this.#written++;
    store(this.#words, this.#base + WRITTEN, this.#written | 0); // [T1] [T4]
    return load(this.#words, this.#base + ITEMS) === 1 && cas(this.#words, this.#base + ITEMS, 1, 0); // [T1]
  }

  /** What `writeNumber` has said: for a consumer that waits in `whenWritten`. */
  wakeReader(): void {
    notify(this.#words, this.#base + ITEMS); // [T3]
  }

  /** Says that the producer is about to wait. @returns false when there is no reason any more. */
  suspend(): boolean {
    store(this.#words, this.#base + CREDIT, 1); // [T2]
    this.refresh();
    if (!this.#hasRoom) return true;
    store(this.#words, this.#base + CREDIT, 0); // [unpaired] nobody waits; a wake-up that was on its way finds nobody
    return false;
  }

  /** A promise of the consumer's wake-up; null: it has come. */
  whenGranted(): Promise<unknown> | null {
    return waitAsync(this.#words, this.#base + CREDIT, 1); // [T3]
  }

  /** Whether the consumer has woken the producer since `suspend`. */
  get isGranted(): boolean {
    return load(this.#words, this.#base + CREDIT) === 0; // [T2] polled: who sees it late looks again, or hears of it
  }

  /** Goes on for another reason: nobody is left waiting. */
  resume(): void {
    if (cas(this.#words, this.#base + CREDIT, 1, 0)) notify(this.#words, this.#base + CREDIT); // [T3]
  }
}

/** The consumer's end. */
export class StreamReader {
  static readonly kept: StreamReader = new StreamReader(keptBytes, 0, 1);

  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  /** Where the block begins, in words. */
  readonly #base: number;
  readonly #half: number;
  #written = 0;
  #read = 0;
  #at = 0;
  /** Where the frame begins that `peek` has found, in bytes. */
  #frame = 0;

  /** As the writer. */
  constructor(bytes: Uint8Array, offset: number, highWaterMark: number) {
    const { words, doubles } = viewsOf(bytes);
    this.#words = words;
    this.#doubles = doubles;
    this.#base = offset / 4;
    this.#half = highWaterMark >> 1;
  }

  /** The kind of the next frame, which stays until `consume`; NO_FRAME: there is none yet. */
  peek(): FrameKind {
    if (this.#read === this.#written) {
      this.#written = load(this.#words, this.#base + WRITTEN) >>> 0; // [T1] [T4]
      if (this.#read === this.#written) return NO_FRAME;
    }
    const frames = this.#base + FRAMES;
    let kind = this.#words[frames + this.#at / 4]!;
    if (kind === WRAP) {
      this.#at = 0;
      kind = this.#words[frames]!;
    }
    this.#frame = frames * 4 + this.#at;
    return kind as FrameKind;
  }

  // Of the frame that `peek` has found. Plain: it is the consumer's (I2).

  get number(): number {
    return this.#doubles[this.#frame / 8 + 1]!;
  }

  get length(): number {
    return this.#words[this.#frame / 4 + 1]!;
  }

  /** Where the bytes begin, in the buffer. */
  get start(): number {
    return this.#frame + HEADER_BYTES;
  }

  get block(): number {
    return this.#words[this.#frame / 4 + 2]!;
  }

  get arena(): number {
    return this.#words[this.#frame / 4 + 3]!;
  }

  /** Of the producer. */
  get thread(): number {
    return this.#words[this.#base + THREAD]!; // plain: constant
  }

  /** The frame was read: its bytes are the producer's. @returns whether the producer may go on, whose thread may be asleep. */
  consume(): boolean {
    const kind = this.#words[this.#frame / 4];
    this.#at += HEADER_BYTES + (kind === BYTES ? (this.length + 15) & ~15 : 0);
    this.#read = (this.#read + 1) >>> 0;
    store(this.#words, this.#base + READ, this.#read | 0); // [T2] [T5]
    if (load(this.#words, this.#base + CREDIT) !== 1 || !this.#isHalfEmpty) return false; // [T2]
    if (!cas(this.#words, this.#base + CREDIT, 1, 0)) return false; // [T3]
    notify(this.#words, this.#base + CREDIT); // [T3]
    return true;
  }

  /** By what is published now, not by what this side has seen. */
  get #isHalfEmpty(): boolean {
    return (load(this.#words, this.#base + WRITTEN) - this.#read) >>> 0 <= this.#half; // [T1] after CREDIT said 1: the producer writes nothing more
  }

  /** Says that the consumer is about to wait. @returns false when there is a frame. */
  awaitFrame(): boolean {
    store(this.#words, this.#base + ITEMS, 1); // [T1]
    this.#written = load(this.#words, this.#base + WRITTEN) >>> 0; // [T1] [T4]
    if (this.#read === this.#written) return true;
    store(this.#words, this.#base + ITEMS, 0); // [unpaired] a producer that has seen 1 tells of a frame that was read: harmless
    return false;
  }

  /** A promise of the producer's wake-up, after `awaitFrame`; null: it has come. */
  whenWritten(): Promise<unknown> | null {
    return waitAsync(this.#words, this.#base + ITEMS, 1); // [T3]
  }

  /** Nothing more is read: nobody is left waiting, though the producer may have died before it could notify. */
  leave(): void {
    cas(this.#words, this.#base + ITEMS, 1, 0); // [T1]
    notify(this.#words, this.#base + ITEMS); // [T3]
  }
}
