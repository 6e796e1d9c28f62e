/**
 * Note log: lines of text that go with the trace of one thread, for whoever reads along: the newest ones.
 *
 * Words      CURSOR @ 0   how many bytes the writer has written, modulo 2^32
 *            the rest: a ring of bytes, lines of UTF-8 that end with LF
 * State      a byte is | written | below CURSOR, newer than the newest `capacity` | to be read
 *                      | dropped | older                                          | overwritten
 * Moves      write: the bytes of a line, then CURSOR + their number      anything else is a bug
 * Invariants I1 One writer, the thread whose log it is.
 *            I2 CURSOR is where a line begins.
 *            I3 No line has more than MAX_LINE_BYTES: the writer is never further than that above CURSOR.
 * Pairings   [N1] the writer fills a line, then stores CURSOR; the reader loads CURSOR, copies what is below it, loads CURSOR again, and drops
 *                 what may have been overwritten meanwhile: by I3 all that is older than `capacity` - MAX_LINE_BYTES.
 * Liveness   Nobody waits.
 * Sources    as trace-log.ts. Tests: test/shared/trace/note-log.test.ts; the model test in trace-log.model.test.ts
 */
import { Buffer } from "node:buffer";
import { add, load, store } from "../atomics.ts";

const CURSOR = 0;
const HEADER_BYTES = 64;
const CAPACITY_BYTES = 64 << 10;
/** A longer line is not written. */
const MAX_LINE_BYTES = 4096;
const LF = 10;

/** @param capacity A power of two. */
export function createNotesBuffer(capacity: number = CAPACITY_BYTES): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + capacity);
}

/** For the thread whose log it is. */
export class NoteWriter {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #maxLine: number;
  #written: number;

  /** Goes on where the log ends: whoever follows may change, and each makes the writer anew. */
  constructor(buffer: SharedArrayBuffer, maxLine: number = MAX_LINE_BYTES) {
    this.#words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    this.#bytes = new Uint8Array(buffer, HEADER_BYTES);
    this.#maxLine = maxLine;
    this.#written = load(this.#words, CURSOR); // [N1] I1: its own
  }

  /** @param line Without LF. @returns false when it is too long: it is not written. */
  write(line: string): boolean {
    const source = Buffer.from(`${line}\n`, "utf8");
    const { length } = source;
    if (length > this.#maxLine) return false;
    const bytes = this.#bytes;
    const at = this.#written & (bytes.length - 1);
    const first = Math.min(length, bytes.length - at);
    bytes.set(source.subarray(0, first), at);
    bytes.set(source.subarray(first), 0);
    this.#written = (this.#written + length) | 0;
    store(this.#words, CURSOR, this.#written); // [N1]
    return true;
  }
}

/** For one who reads along, also while the thread writes, and when it has ended. */
export class NoteReader {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #safe: number;
  #read: number;

  /** Reads what is written from now on. */
  constructor(buffer: SharedArrayBuffer, maxLine: number = MAX_LINE_BYTES) {
    this.#words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    this.#bytes = new Uint8Array(buffer, HEADER_BYTES);
    this.#safe = this.#bytes.length - maxLine;
    this.#read = load(this.#words, CURSOR); // [N1]
  }

  /** The lines that were written since the last call, in order; some of the oldest are missing when those were too many. */
  read(): string[] {
    const cursor = load(this.#words, CURSOR); // [N1]
    const unread = (cursor - this.#read) >>> 0;
    this.#read = cursor;
    const count = Math.min(unread, this.#safe);
    if (count === 0) return [];
    const copy = this.#copy(cursor - count, count);
    // An addition, because a load may be ordered before the copy.
    const moved = (add(this.#words, CURSOR, 0) - cursor) >>> 0; // [N1]
    const lost = Math.max(0, count + moved - this.#safe);
    const isWhole = lost === 0 && count === unread;
    // A line that begins in what was lost is lost.
    const from = isWhole ? 0 : copy.indexOf(LF, Math.min(lost, count)) + 1;
    if (from === 0 && !isWhole) return [];
    return Buffer.from(copy.buffer, from, count - from)
      .toString("utf8")
      .split("\n")
      .slice(0, -1);
  }

  #copy(from: number, count: number): Uint8Array {
    const copy = new Uint8Array(count);
    const at = from & (this.#bytes.length - 1);
    const first = Math.min(count, this.#bytes.length - at);
    copy.set(this.#bytes.subarray(at, at + first));
    copy.set(this.#bytes.subarray(0, count - first), first);
    return copy;
  }
}
