/**
 * Trace log: what one thread has done and when, for whoever writes the timeline; it outlives the thread.
 *
 * Words      CURSOR @ 0   how many records the writer has written, modulo 2^32
 *            DEPTH  @ 1   how many slices are open
 *            NAMES  @ 2   how many bytes of names are written
 *            TOTAL, a Float64 on a line of its own: as CURSOR, but does not wrap; a statistic
 *            OPEN   entries of the open slices, outermost first;  names: lines of JSON, only ever added;  records: a ring
 * State      a record is | written | below CURSOR, newer than the newest `capacity`   | to be read      |
 *                        | dropped | older                                            | overwritten     |
 *            an entry is | open    | below DEPTH                                      | to be read      |
 * Moves      open: the entry, then DEPTH + 1      close: the record, then CURSOR + 1, then DEPTH - 1      anything else is a bug
 * Invariants I1 One writer, the thread whose log it is. When it has ended, the next thread in its place begins the log anew; names stay.
 *            I2 A slice is in OPEN, or a record, or for a moment both: then the last record has the key and start of the innermost entry.
 *            I3 Records are in the order in which slices end.
 * Pairings   [T1] the writer fills a record, then stores CURSOR; the reader loads CURSOR, copies what is below it, loads CURSOR again, and
 *                 drops what may have been overwritten meanwhile.
 *            [T2] the writer fills an entry, then stores DEPTH; the reader copies what is below DEPTH, and does so again if DEPTH or CURSOR
 *                 have changed.
 *            [T3] the writer appends a name, then stores NAMES; the reader loads NAMES first.
 * Liveness   The writer never waits. The reader gives open slices up after some attempts; it only reads a log with a live writer when
 *            the process exits.
 * Sources    seqlocks, Boehm, "Can seqlocks get along with programming language memory models?", 2012.
 *            Tests: test/shared/trace/trace-log.test.ts, its model test and its stress test
 */
import { Buffer } from "node:buffer";
import { add, load, store } from "../atomics.ts";

const CURSOR = 0;
const DEPTH = 1;
const NAMES = 2;
/** Of a cache line each, then what is larger. */
const TOTAL_BYTE = 64;
const OPEN_BYTE = 128;
/** Deeper slices, of jobs that join jobs, are lost if the thread dies in them. */
const OPEN_LEVELS = 128;
/** Numbers of an open slice: start, key, code, value. */
export const OPEN_FIELDS = 4;
const NAMES_BYTES = 64 << 10;
const NAMES_BYTE = OPEN_BYTE + OPEN_LEVELS * OPEN_FIELDS * 8;
const RECORDS_BYTE = NAMES_BYTE + NAMES_BYTES;
/** Numbers of a record: start and end in microseconds, key, code, value. */
export const RECORD_FIELDS = 5;
/** A writer's plain stores may be seen this many records before its CURSOR: far more than any store buffer holds. */
const MARGIN = 16;
const MAX_ATTEMPTS = 1000;

/** The bytes of a log, for its writer and for its reader. */
export class TraceMemory {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
  readonly words: Int32Array;
  readonly total: Float64Array;
  readonly open: Float64Array;
  readonly names: Uint8Array;
  readonly records: Float64Array;

  /** @param capacity Records: a power of two. */
  constructor(capacity: number, buffer: SharedArrayBuffer = createTraceBuffer(capacity)) {
    this.buffer = buffer;
    this.capacity = capacity;
    this.words = new Int32Array(buffer, 0, TOTAL_BYTE / 4);
    this.total = new Float64Array(buffer, TOTAL_BYTE, 1);
    this.open = new Float64Array(buffer, OPEN_BYTE, OPEN_LEVELS * OPEN_FIELDS);
    this.names = new Uint8Array(buffer, NAMES_BYTE, NAMES_BYTES);
    this.records = new Float64Array(buffer, RECORDS_BYTE, capacity * RECORD_FIELDS);
  }

  /** Begins the log anew; no thread writes it now. */
  clear(): void {
    store(this.words, CURSOR, 0); // [T1] I1
    store(this.words, DEPTH, 0); // [T2] I1
    this.total[0] = 0;
  }
}

function createTraceBuffer(capacity: number): SharedArrayBuffer {
  return new SharedArrayBuffer(RECORDS_BYTE + capacity * RECORD_FIELDS * 8);
}

/** For the thread whose log it is. */
export class TraceWriter {
  readonly #memory: TraceMemory;
  readonly #records: Float64Array;
  readonly #mask: number;
  #written: number;
  #depth = 0;
  #namesLength: number;
  /** The open slices beyond OPEN_LEVELS. */
  readonly #deep: number[] = [];

  /** @param start Where CURSOR begins, for tests. */
  constructor(memory: TraceMemory, start = 0) {
    this.#memory = memory;
    this.#records = memory.records;
    this.#mask = memory.capacity - 1;
    this.#written = start;
    this.#namesLength = load(memory.words, NAMES); // [T3] a predecessor's names stay
  }

  record(start: number, end: number, key: number, code: number, value: number): void {
    const records = this.#records;
    const at = (this.#written & this.#mask) * RECORD_FIELDS;
    records[at] = start;
    records[at + 1] = end;
    records[at + 2] = key;
    records[at + 3] = code;
    records[at + 4] = value;
    this.#written++;
    this.#memory.total[0] = this.#written;
    store(this.#memory.words, CURSOR, this.#written | 0); // [T1]
  }

  /** Begins a slice; `close` ends the innermost one. */
  open(start: number, key: number, code: number, value: number): void {
    if (this.#depth >= OPEN_LEVELS) {
      this.#deep.push(start, key, code, value);
      this.#depth++;
      return;
    }
    const { open, words } = this.#memory;
    const at = this.#depth * OPEN_FIELDS;
    open[at] = start;
    open[at + 1] = key;
    open[at + 2] = code;
    open[at + 3] = value;
    store(words, DEPTH, ++this.#depth); // [T2]
  }

  /** Of the innermost open slice, 0 when there is none. */
  get openKey(): number {
    return this.#depth === 0 ? 0 : this.#field(1);
  }

  get openCode(): number {
    return this.#depth === 0 ? 0 : this.#field(2);
  }

  /** @param detail Is added to the slice's code. */
  close(end: number, detail: number): void {
    if (this.#depth === 0) return;
    this.record(this.#field(0), end, this.#field(1), this.#field(2) + detail, this.#field(3));
    if (this.#depth > OPEN_LEVELS) this.#deep.length -= OPEN_FIELDS;
    this.#depth--;
    if (this.#depth < OPEN_LEVELS) store(this.#memory.words, DEPTH, this.#depth); // [T2]
  }

  /** A line for readers. Dropped when there is no room. */
  name(line: string): void {
    const bytes = Buffer.from(`${line}\n`, "utf8");
    const { names, words } = this.#memory;
    if (this.#namesLength + bytes.length > NAMES_BYTES) return;
    names.set(bytes, this.#namesLength);
    this.#namesLength += bytes.length;
    store(words, NAMES, this.#namesLength); // [T3]
  }

  #field(field: number): number {
    return this.#depth > OPEN_LEVELS
      ? this.#deep[this.#deep.length - OPEN_FIELDS + field]!
      : this.#memory.open[(this.#depth - 1) * OPEN_FIELDS + field]!;
  }
}

/** What a log held at one moment. */
export interface TraceSnapshot {
  /** RECORD_FIELDS numbers each: start, end, key, code, value. */
  readonly records: Float64Array;
  /** OPEN_FIELDS numbers each, outermost first. */
  readonly open: Float64Array;
  /** How many records were overwritten. */
  readonly dropped: number;
  /** Where the next reading may go on. */
  readonly cursor: number;
}

/**
 * Also while the thread writes.
 * @param start As the writer's.
 * @param since The `cursor` of a former snapshot: only what was written since. @default everything
 */
export function readTrace(memory: TraceMemory, start = 0, since?: number): TraceSnapshot {
  const { words, capacity } = memory;
  let cursor: number;
  let open: Float64Array;
  for (let attempt = 0; ; attempt++) {
    cursor = load(words, CURSOR); // [T1] [T2]
    const depth = load(words, DEPTH); // [T2]
    open = memory.open.slice(0, Math.min(depth, OPEN_LEVELS) * OPEN_FIELDS);
    // An addition, because a load may be ordered before the copy.
    if (add(words, CURSOR, 0) === cursor && add(words, DEPTH, 0) === depth) break; // [T2]
    if (attempt < MAX_ATTEMPTS) continue;
    open = new Float64Array(0);
    break;
  }
  const total = since === undefined ? memory.total[0]! - start : (cursor - since) >>> 0;
  const written = since === undefined ? (cursor - start) | 0 : total;
  const count = total >= capacity ? capacity : written;
  const copy = new Float64Array(count * RECORD_FIELDS);
  const first = (cursor - count) & (capacity - 1);
  const tail = Math.min(count, capacity - first);
  copy.set(memory.records.subarray(first * RECORD_FIELDS, (first + tail) * RECORD_FIELDS));
  copy.set(memory.records.subarray(0, (count - tail) * RECORD_FIELDS), tail * RECORD_FIELDS);
  const moved = (add(words, CURSOR, 0) - cursor) | 0; // [T1] as above
  const lost = count < capacity - moved - MARGIN ? 0 : Math.min(count, count - capacity + moved + MARGIN);
  const records = copy.subarray(lost * RECORD_FIELDS);
  return {
    records,
    open: withoutClosed(open, lastRecord(memory, cursor)),
    dropped: Math.max(0, total - records.length / RECORD_FIELDS),
    cursor,
  };
}

/** The names that were written so far, by this thread and its predecessors. */
export function readTraceNames(memory: TraceMemory): string[] {
  const length = load(memory.words, NAMES); // [T3]
  return Buffer.from(memory.names.slice(0, length)).toString("utf8").split("\n").slice(0, -1);
}

function lastRecord({ records, capacity }: TraceMemory, cursor: number): Float64Array {
  const at = ((cursor - 1) & (capacity - 1)) * RECORD_FIELDS;
  return records.subarray(at, at + RECORD_FIELDS);
}

/** I2: a slice that is a record already. */
function withoutClosed(open: Float64Array, last: Float64Array): Float64Array {
  const entry = open.length - OPEN_FIELDS;
  const same = entry >= 0 && open[entry] === last[0] && open[entry + 1] === last[2];
  return same ? open.subarray(0, entry) : open;
}

/** How many bytes of names there are: whether `readTraceNames` would tell more than before. */
export function traceNamesLength(memory: TraceMemory): number {
  return load(memory.words, NAMES); // [unpaired] asked again: who sees it late looks again
}
