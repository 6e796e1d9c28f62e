/**
 * Values to bytes, with the semantics of structured clone: what arrives has the same values, aliases, cycles and holes;
 * classes become plain objects, getters become their values, symbol keys are left out. See wire-tags.ts for the bytes.
 *
 * Deliberate differences, each in favour of the caller:
 * - A Buffer arrives as a Buffer. It takes only its own bytes along, not the pool that it was cut from, and shares no memory
 *   with anything else on arrival; one over shared or moved memory is a view on that. Other views take their whole
 *   ArrayBuffer, and views that share one still do.
 * - Bytes of long buffers are read when everything has been visited: what a getter changes in a buffer visited before it, is
 *   seen.
 * - A Proxy of a plain object or array is read through. Structured clone refuses every Proxy.
 * - What belongs to this thread (AbortSignal, URL, Intl.NumberFormat, …) is refused by path, also where structured clone
 *   gives an empty object. So is every thenable: somebody forgot to await it.
 *
 * Only what is documented to runs code of the program: getters, traps of Proxies, and formatters of stacks.
 *
 * What is transferred, unless it is little, and what only a message can carry (Blob, KeyObject, …), is not in the bytes: see carried.ts.
 * Nor are, if the caller wants it so, large buffers and long texts: they are copied when everything has been visited, and the copies moved.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- kinds are proven at run time
import type { Transferable } from "node:worker_threads";

import {
  bufferOf,
  byteLengthOf,
  byteOffsetOf,
  flagsOf,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hasOwnProperty,
  Int32Array,
  isArray,
  isDetached,
  isGrowable,
  isOutOfBounds,
  isResizable,
  keysOf,
  mapForEach,
  maxByteLengthOf,
  objectPrototype,
  Set,
  setAdd,
  setForEach,
  setHas,
  sharedByteLengthOf,
  sourceOf,
  String,
  timeOf,
  Uint8Array,
  unboxed,
  viewLengthOf,
} from "../shared/intrinsics.ts";
import { unfilledBytes } from "../shared/copy-bytes.ts";
import { isArrayBuffer } from "./brand-checks.ts";
import { errorClassOf } from "./blank-error.ts";
import { ByteWriter, checkedLength, chunk, copyRun, tooLarge } from "./byte-writer.ts";
import { type Carried, isCopied } from "./carried.ts";
import { EncodedMessage, type MessageBytes } from "./encoded-message.ts";
import { Chunk } from "./chunk.ts";
import { cloneableKindOf } from "./cloneable-kind.ts";
import { NumberReader } from "./leading-numbers.ts";
import { isDense, isRecord } from "./list-shape.ts";
import { markOf, type MarkedStream } from "./marked-streams.ts";
import { explainNotCloneable, type CloneRoot } from "./not-cloneable.ts";
import { aDetachedBuffer, aLostView, Refusal } from "./refusal.ts";
import { SeenObjects } from "./seen-objects.ts";
import type { SharedBufferTable } from "./shared-buffer-table.ts";
import { stackOf } from "./stack-text.ts";
import {
  bufferKind,
  carriedLater,
  ErrorPart,
  MessageFlag,
  shortArrayLimit,
  Tag,
  viewApart,
  viewElementBytes,
  viewKindOf,
} from "./wire-tags.ts";

/** From here on it is noticed that Node copies a text from shared memory before it makes a string of it. */
const textsApartFrom = 512 << 10;

/** What leaves as a copy of its own. */
interface Apart {
  /** Of the copy, among the carried values. */
  readonly index: number;
  readonly source: Uint8Array | string;
  /** In bytes. */
  readonly length: number;
}

/** Encodes one message after the other into memory of its own, which each message overwrites. For one thread. */
export class Encoder extends ByteWriter implements MessageBytes {
  readonly #shared: SharedBufferTable;
  readonly nextCarriedId: () => number;
  readonly #carries: boolean;
  readonly #letGo: ((streams: readonly MarkedStream[]) => void) | null;
  readonly #takesStreams: boolean;
  readonly #seen = new SeenObjects();
  readonly #numbers = new NumberReader();
  readonly #message = new EncodedMessage(this);
  #hasReferences = false;
  /** From the beginning of a message until it is released. */
  #isInUse = false;
  #transfer: ReadonlySet<object> | null = null;
  #copiesMoved = false;
  #carriedValues: unknown[] | null = null;
  #streams: MarkedStream[] | null = null;
  #apartFrom = Infinity;
  #apart: Apart[] | null = null;
  #chunk: Chunk | null = null;
  #apartBytes = 0;

  /**
   * @param nextCarriedId A number, not 0, under which nothing else in the pool is carried.
   * @param carries false: what would have to be carried is refused. Nothing can be moved then.
   * @param letGo When the encoding of arguments throws, those that come piece by piece, as far as it has met them, go here, as its last step;
   *   those of a chunk stay with that.
   * @param takesStreams Whether arguments that come piece by piece are left to whoever asks: EncodedMessage.streams. Otherwise they are refused.
   */
  constructor(
    shared: SharedBufferTable,
    nextCarriedId: () => number,
    carries: boolean = true,
    letGo: ((streams: readonly MarkedStream[]) => void) | null = null,
    takesStreams: boolean = letGo !== null,
  ) {
    super();
    this.#letGo = letGo;
    this.#takesStreams = takesStreams;
    this.#shared = shared;
    this.nextCarriedId = nextCarriedId;
    this.#carries = carries;
  }

  // For EncodedMessage.

  get bytes(): Uint8Array {
    if (!this.hasRuns) return this.out;
    const bytes = new Uint8Array(this.#message.length);
    this.writeTo(bytes, 0);
    return bytes;
  }

  copyTo(target: Uint8Array, at: number): void {
    this.writeTo(target, at);
    this.runsCopied();
  }

  release(): void {
    this.#isInUse = false;
    this.forgetMessage();
  }

  /**
   * Encodes `value`. Synchronous; getters of the value run here, and what they throw is thrown on. They may encode, too: what is encoded
   * while a message is not released gets bytes of its own.
   *
   * @param transfer What is moved instead of copied. Nothing is detached here.
   * @param apartFrom So many bytes of a buffer or view, and more, leave apart: as a copy of their own, which is carried and moved. Long
   *   texts do so, too. Infinity: nothing does.
   * @throws NotCloneableError when the value holds something that cannot be copied; its path begins with `root`.
   */
  encode(
    value: unknown,
    root: CloneRoot,
    transfer: readonly Transferable[] | null = null,
    apartFrom: number = Infinity,
  ): EncodedMessage {
    if (this.#isInUse) return this.#another().encode(value, root, transfer, apartFrom);
    this.#isInUse = true;
    try {
      this.begin();
      this.#hasReferences = false;
      const copied = transfer !== null && isCopied(transfer) ? transfer : null;
      if (transfer !== null) this.#transfer = setOf(transfer);
      this.#copiesMoved = copied !== null;
      this.#apartFrom = apartFrom;
      // An argument list is a list by definition: its own properties and holes are not looked for.
      if (root === "args" && isArray(value)) this.#writeList(value);
      else this.#write(value);
      this.out[0] = this.#hasReferences ? MessageFlag.graph : MessageFlag.tree;
      const moved = copied === null ? transfer : null;
      const carried = this.#carriedValues === null && moved === null ? null : this.#nameCarried(moved ?? []);
      const message = this.#message;
      message.length = this.length;
      message.carried = carried;
      message.copied = copied;
      message.streams = this.#streams;
      message.apartBytes = this.#apartBytes;
      this.#forget();
      return message;
    } catch (error) {
      const met = this.#streams;
      const chunk = this.#chunk;
      const explained = this.#explain(error, value, root);
      if (met !== null && root === "args") {
        if (chunk === null) this.#letGo?.(met);
        else chunk.met = met;
      }
      throw explained;
    }
  }

  /** Reads getters again, which may encode: until it is done this encoder is in use. Then nothing of the value is held any more. */
  #explain(error: unknown, value: unknown, root: CloneRoot): unknown {
    try {
      return explainNotCloneable(error, value, root, this.#transfer);
    } finally {
      this.#forget();
      this.release();
    }
  }

  #another(): Encoder {
    return new Encoder(this.#shared, this.nextCarriedId, this.#carries, this.#letGo, this.#takesStreams);
  }

  /** What belongs to the message that was encoded. */
  #forget(): void {
    this.#seen.clear();
    this.#transfer = null;
    this.#carriedValues = null;
    this.#streams = null;
    this.#apart = null;
    this.#apartBytes = 0;
    this.#chunk = null;
  }

  #nameCarried(moved: readonly Transferable[]): Carried {
    const values = this.#carriedValues ?? [];
    const transfer = this.#apart === null ? moved : this.#copyApart(this.#apart, values, moved);
    this.out[0]! |= MessageFlag.carried;
    const id = this.nextCarriedId();
    this.reserve(chunk);
    this.writeF64(id);
    return { id, values, transfer };
  }

  /** The last step, when nothing of the user's runs any more. @returns `moved`, and the copies. */
  #copyApart(apart: readonly Apart[], values: unknown[], moved: readonly Transferable[]): Transferable[] {
    const transfer: Transferable[] = [];
    for (let i = 0; i < moved.length; i++) transfer[i] = moved[i]!;
    for (let i = 0; i < apart.length; i++) {
      const { index, source, length } = apart[i]!;
      const copy = copyOf(source, length);
      values[index] = copy.buffer;
      transfer[transfer.length] = copy.buffer;
    }
    return transfer;
  }

  #write(value: unknown): void {
    if (this.pos + chunk > this.out.length) this.reserve(chunk);
    switch (typeof value) {
      case "string":
        if (value.length < textsApartFrom || this.#apartFrom === Infinity) this.writeText(value);
        else this.#writeApart(value, this.writeTextApart(value));
        return;
      case "number":
        this.writeNumber(value);
        return;
      case "boolean":
        this.out[this.pos++] = value ? Tag.true : Tag.false;
        return;
      case "undefined":
        this.out[this.pos++] = Tag.undefined;
        return;
      case "object":
        if (value === null) this.out[this.pos++] = Tag.null;
        else this.#writeObject(value);
        return;
      case "bigint":
        this.writeBigint(value);
        return;
      case "function":
        throw new Refusal("is a function");
      case "symbol":
        throw new Refusal("is a symbol");
    }
  }

  #writeObject(value: object): void {
    if (this.#writeReference(value)) return;
    if (isArray(value)) this.#writeArray(value);
    else if (getPrototypeOf(value) === objectPrototype) this.#writeProperties(Tag.object, value);
    else this.#writeSpecial(value);
  }

  /** Whether `value` was met before: then a reference to it is written. */
  #writeReference(value: object): boolean {
    const number = this.#seen.numberOf(value);
    if (number < 0) return false;
    this.#hasReferences = true;
    this.out[this.pos++] = Tag.reference;
    this.writeU32(number);
    return true;
  }

  #writeProperties(tag: number, value: object): void {
    this.out[this.pos++] = tag;
    const record = value as Record<string, unknown>;
    // The fastest way to list the properties of a plain object; inherited ones are not cloned.
    for (const key in record) if (hasOwnProperty(record, key)) this.#writeProperty(key, record[key]);
    if (this.pos >= this.out.length) this.reserve(chunk);
    this.out[this.pos++] = Tag.end;
  }

  #writeProperty(key: string, value: unknown): void {
    if (this.pos + chunk * 2 > this.out.length) this.reserve(chunk * 2);
    this.writeText(key);
    this.#write(value);
  }

  #writeArray(array: readonly unknown[]): void {
    if (isDense(array)) return this.#writeElements(array);
    this.writeLength(Tag.sparseArray, array.length);
    const keys = keysOf(array);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (hasOwnProperty(array, key)) this.#writeProperty(key, array[key as unknown as number]);
    }
    this.reserve(1);
    this.out[this.pos++] = Tag.end;
  }

  #writeList(list: readonly unknown[]): void {
    this.#seen.numberOf(list);
    this.#writeElements(list);
  }

  #writeElements(array: readonly unknown[]): void {
    const length = array.length;
    // Each element is read once: it may be an accessor.
    const first = length > 0 ? array[0] : undefined;
    let second: unknown;
    let read = 1;
    if (length > 1 && isRecord(first)) {
      second = array[1];
      if (isRecord(second)) return this.#writeTable(array, first, second);
      read = 2;
    }
    let i = 0;
    if (length < shortArrayLimit) this.out[this.pos++] = Tag.shortArray + length;
    else if (typeof first === "number") i = this.#writeNumbers(array, length, first);
    else this.writeLength(Tag.array, length);
    for (; i < length; i++) this.#write(i >= read ? array[i] : i === 0 ? first : second);
  }

  /** An array of records: the keys once, then only values for every element as far as it has the same keys in the same order. */
  #writeTable(array: readonly unknown[], first: object, second: object): void {
    const keys = keysOf(first);
    const length = array.length;
    this.writeLength(Tag.table, length);
    for (let i = 0; i < keys.length; i++) {
      this.reserve(chunk);
      this.writeText(keys[i]!);
    }
    this.reserve(1);
    this.out[this.pos++] = Tag.end;
    for (let i = 0; i < length; i++) {
      const row = i > 1 ? array[i] : i === 0 ? first : second;
      if (isRecord(row)) this.#writeRow(row, keys);
      else this.#write(row);
    }
  }

  #writeRow(row: Record<string, unknown>, keys: readonly string[]): void {
    this.reserve(chunk);
    if (this.#writeReference(row)) return;
    const start = this.pos;
    this.out[this.pos++] = Tag.row;
    let column = 0;
    let isMixed = false;
    for (const key in row) {
      if (!hasOwnProperty(row, key)) continue;
      if (!isMixed && key === keys[column]) {
        column++;
        this.#write(row[key]);
      } else {
        if (!isMixed) this.#mixRow(start);
        isMixed = true;
        this.#writeProperty(key, row[key]);
      }
    }
    if (!isMixed) {
      if (column === keys.length) return;
      this.#mixRow(start);
    }
    this.reserve(1);
    this.out[this.pos++] = Tag.end;
  }

  /** The row that begins at `start` has not exactly the keys of the table: from here on each value has its own. */
  #mixRow(start: number): void {
    this.reserve(1);
    this.out[start] = Tag.mixedRow;
    this.out[this.pos++] = Tag.end;
  }

  /** Lists of nothing but numbers go as one block. @returns how many elements were written: of any other list, up to the first that is no number. */
  #writeNumbers(list: readonly unknown[], length: number, first: number): number {
    const { numbers, count, next } = this.#numbers.read(list, length, first);
    if (count === length) {
      this.#writeNumberBlock(numbers, length);
      return length;
    }
    this.writeLength(Tag.array, length);
    for (let i = 0; i < count; i++) this.#write(numbers[i]);
    this.#write(next);
    return count + 1;
  }

  #writeNumberBlock(numbers: Int32Array | Float64Array, length: number): void {
    const isInt32 = numbers instanceof Int32Array;
    this.writeLength(isInt32 ? Tag.int32Array : Tag.doubleArray, length);
    this.writeBytes(new Uint8Array(numbers.buffer, 0, length * (isInt32 ? 4 : 8)));
  }

  #writeSpecial(value: object): void {
    if (value instanceof Chunk) return this.#writeChunk(value);
    if (this.#transfer !== null && !this.#copiesMoved && setHas(this.#transfer, value))
      return this.#writeCarried(value);
    const marked = markOf(value);
    if (marked !== undefined) return this.#writeStream(value, marked);
    const kind = cloneableKindOf(value);
    if (typeof kind !== "string") throw kind;
    switch (kind) {
      case "instance":
        return this.#writeProperties(Tag.object, value);
      case "date":
        this.out[this.pos++] = Tag.date;
        return this.writeF64(timeOf(value as Date));
      case "view":
        return this.#writeView(value as ArrayBufferView);
      case "buffer":
        return this.#writeArrayBuffer(value as ArrayBuffer);
      case "sharedBuffer":
        this.out[this.pos++] = Tag.sharedBuffer;
        return this.writeF64(this.#shared.idOf(value as SharedArrayBuffer));
      case "map":
        return this.#writeMap(value as Map<unknown, unknown>);
      case "set":
        return this.#writeSet(value as Set<unknown>);
      case "regexp":
        this.out[this.pos++] = Tag.regexp;
        this.writeText(sourceOf(value as RegExp));
        this.reserve(chunk);
        return this.writeText(flagsOf(value as RegExp));
      case "boxed":
        this.out[this.pos++] = Tag.boxed;
        return this.#write(unboxed(value));
      case "error":
        return this.#writeError(value as Error);
      case "domException":
        return this.#writeDomException(value as DOMException);
      case "carried":
        return this.#writeCarried(value);
    }
  }

  /** As an array. */
  #writeChunk(chunk: Chunk): void {
    const { items } = chunk;
    const { length } = items;
    this.#chunk = chunk;
    chunk.encoded = 0;
    if (this.#tryWriteNumbers(items)) {
      chunk.encoded = length;
      return;
    }
    this.writeLength(Tag.array, length);
    for (let i = 0; i < length; i++) {
      this.#seen.forget();
      this.#write(items[i]);
      chunk.encoded = i + 1;
    }
    this.#seen.forget();
  }

  /** @returns whether the items of a chunk, which are no accessors, are nothing but numbers. */
  #tryWriteNumbers(items: readonly unknown[]): boolean {
    const first = items[0];
    if (items.length < shortArrayLimit || typeof first !== "number") return false;
    const { numbers, count } = this.#numbers.read(items, items.length, first);
    if (count < items.length) return false;
    this.#writeNumberBlock(numbers, count);
    return true;
  }

  #writeCarried(value: object): void {
    if (!this.#carries)
      throw new Refusal("cannot leave its process: only threads of one process can be sent it", value);
    this.out[this.pos++] = Tag.carried;
    const values = (this.#carriedValues ??= []);
    this.writeU32(values.length);
    values[values.length] = value;
  }

  #writeStream(value: object, marked: MarkedStream | null): void {
    if (marked === null)
      throw new Refusal("is a stream that this job reads; to pass it on, mark it with `stream`", value);
    const streams = (this.#streams ??= []);
    streams[streams.length] = marked;
    if (!this.#takesStreams)
      throw new Refusal(
        "is marked with `stream`, which only an argument of a job can be, on an engine with the capability `streamArguments`",
        value,
      );
    this.out[this.pos++] = Tag.carried;
    this.writeU32(carriedLater);
    this.reserve(chunk);
    this.writeF64(marked.number);
    this.writeU32(marked.highWaterMark);
  }

  /** The index of the copy of `source`, of `length` bytes, that `#copyApart` will make. */
  #writeApart(source: Uint8Array | string, length: number): void {
    const values = (this.#carriedValues ??= []);
    const apart = (this.#apart ??= []);
    const index = values.length;
    this.writeU32(index);
    values[index] = undefined;
    apart[apart.length] = { index, source, length };
    this.#apartBytes += length;
  }

  #writeMap(map: Map<unknown, unknown>): void {
    // A snapshot, as in structured clone: a getter may change the map while its members are written.
    const entries: unknown[] = [];
    mapForEach(map, (value, key) => {
      const at = entries.length;
      entries[at] = key;
      entries[at + 1] = value;
    });
    this.writeLength(Tag.map, entries.length / 2);
    for (let i = 0; i < entries.length; i++) this.#write(entries[i]);
  }

  #writeSet(set: Set<unknown>): void {
    const values: unknown[] = [];
    setForEach(set, (value) => {
      values[values.length] = value;
    });
    this.writeLength(Tag.set, values.length);
    for (let i = 0; i < values.length; i++) this.#write(values[i]);
  }

  #writeError(error: Error): void {
    const message = getOwnPropertyDescriptor(error, "message");
    const cause = getOwnPropertyDescriptor(error, "cause");
    const name: unknown = error.name;
    const hasMessage = message !== undefined && hasOwnProperty(message, "value");
    const hasCause = cause !== undefined && hasOwnProperty(cause, "value");
    const text = hasMessage ? String(message.value) : "";
    const stack = stackOf(error, `${typeof name === "string" ? name : "Error"}: ${text}`);
    this.out[this.pos++] = Tag.error;
    this.out[this.pos++] = errorClassOf(name);
    this.out[this.pos++] =
      (hasMessage ? ErrorPart.message : 0) |
      (stack === undefined ? 0 : ErrorPart.stack) |
      (hasCause ? ErrorPart.cause : 0);
    if (hasMessage) this.#write(text);
    if (stack !== undefined) this.#write(stack);
    if (hasCause) this.#write(cause.value);
  }

  #writeDomException(error: DOMException): void {
    this.out[this.pos++] = Tag.domException;
    this.#write(error.message);
    this.#write(error.name);
    this.#write(stackOf(error, `${error.name}: ${error.message}`) ?? "");
  }

  #writeArrayBuffer(buffer: ArrayBuffer): void {
    if (isDetached(buffer)) throw new Refusal(aDetachedBuffer, buffer);
    const length = byteLengthOf(buffer);
    if (isResizable(buffer)) {
      this.writeLength(Tag.resizableBuffer, length);
      this.writeF64(maxByteLengthOf(buffer));
    } else if (length >= this.#apartFrom) {
      this.out[this.pos++] = Tag.carried;
      return this.#writeApart(new Uint8Array(buffer), length);
    } else this.writeLength(Tag.buffer, length);
    this.writeBytes(new Uint8Array(buffer));
  }

  #writeView(view: ArrayBufferView): void {
    const kind = viewKindOf(view);
    const buffer = bufferOf(view);
    if (!isArrayBuffer(buffer)) return this.#writeViewOn(kind, view, buffer, isGrowable(buffer));
    if (isDetached(buffer)) throw new Refusal(aDetachedBuffer, view);
    const resizable = isResizable(buffer);
    if (resizable && isOutOfBounds(view)) throw new Refusal(aLostView, view);
    const isMoved = this.#transfer !== null && setHas(this.#transfer, buffer);
    if (kind === bufferKind) {
      if (!isMoved) return this.#writeWholeView(kind, view, buffer);
    } else if (!resizable && (!isMoved || this.#copiesMoved) && viewLengthOf(view) === byteLengthOf(buffer)) {
      if (this.#seen.numberOf(buffer) < 0) return this.#writeWholeView(kind, view, buffer);
    }
    this.#writeViewOn(kind, view, buffer, resizable);
  }

  #writeViewOn(kind: number, view: ArrayBufferView, buffer: ArrayBufferLike, growable: boolean): void {
    const offset = byteOffsetOf(view);
    const length = viewLengthOf(view);
    const elementBytes = viewElementBytes[kind]!;
    this.out[this.pos++] = Tag.viewOn;
    this.out[this.pos++] = kind;
    // Which views follow their resizable buffer cannot be asked for: one that ends where the buffer ends is taken for one. Buffers never do.
    const end = growable
      ? isArrayBuffer(buffer)
        ? byteLengthOf(buffer)
        : sharedByteLengthOf(buffer)
      : Infinity;
    this.out[this.pos++] = kind !== bufferKind && offset + length + elementBytes > end ? 1 : 0;
    this.writeF64(offset);
    this.writeF64(length / elementBytes);
    this.#write(buffer);
  }

  /** The view and its bytes in one. Unless it is a Buffer, what it lies on has a number of its own. */
  #writeWholeView(kind: number, view: ArrayBufferView, buffer: ArrayBuffer): void {
    const length = viewLengthOf(view);
    const bytes = new Uint8Array(buffer, byteOffsetOf(view), length);
    if (length >= this.#apartFrom) {
      this.writeLength(Tag.view, 0);
      this.out[this.pos++] = kind | viewApart;
      return this.#writeApart(bytes, length);
    }
    this.writeLength(Tag.view, length);
    this.out[this.pos++] = kind;
    this.writeBytes(bytes);
  }
}

function copyOf(source: Uint8Array | string, length: number): Uint8Array<ArrayBuffer> {
  if (typeof source !== "string") checkedLength(source, length);
  let copy: Uint8Array<ArrayBuffer>;
  try {
    copy = unfilledBytes(length);
  } catch {
    throw new Refusal(tooLarge);
  }
  copyRun(source, length, copy, 0);
  return copy;
}

/** Without the iterator of arrays, which a program may have patched. */
function setOf(transfer: readonly Transferable[]): ReadonlySet<object> {
  const set = new Set<object>();
  for (let i = 0; i < transfer.length; i++) setAdd(set, transfer[i]!);
  return set;
}
