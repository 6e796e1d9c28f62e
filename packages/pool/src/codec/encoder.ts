/**
 * Values to bytes, with the semantics of structured clone: what arrives has the same values, aliases, cycles and holes;
 * classes become plain objects, getters become their values, symbol keys are left out. See wire-tags.ts for the bytes.
 *
 * Deliberate differences, each in favour of the caller:
 * - A Buffer takes only its own bytes along, not the pool that it was cut from, and shares no memory with another
 *   Buffer on arrival. Other views take their whole ArrayBuffer, and views that share one still do.
 * - A Proxy of a plain object or array is read through. Structured clone refuses every Proxy.
 * - What belongs to this thread (AbortSignal, KeyObject, URL, streams, …) is refused by path, also where structured
 *   clone gives an empty object.
 */
// oxlint-disable typescript/no-unsafe-type-assertion, typescript/unbound-method -- kinds are proven at run time; natives are called with their receiver
import { Buffer } from "node:buffer";
import { inspect } from "node:util";

import { cloneableKindOf, Refusal } from "./cloneable-kind.ts";
import { explainNotCloneable, type CloneRoot } from "./not-cloneable.ts";
import { SeenObjects } from "./seen-objects.ts";
import type { SharedBufferTable } from "./shared-buffer-table.ts";
import {
  errorClasses,
  ErrorPart,
  MessageFlag,
  shortArrayLimit,
  shortTextLimit,
  smallIntBias,
  smallIntCount,
  Tag,
  viewElementBytes,
  viewKindOf,
} from "./wire-tags.ts";

const initialBytes = 4096;
/** Scratch larger than this is given back at the next message. */
const keptBytes = 4 * 1024 * 1024;
/** From here on a native write beats a loop over the characters. */
const nativeWriteFrom = 32;
/** From here on `inspect` finds the properties of an array faster than `Object.keys`, which lists every index. */
const inspectArrayFrom = 128;
const maxLength = 0xffff_ffff;
const chunk = 32;

const { hasOwnProperty } = Object.prototype;
const objectPrototype = Object.prototype;
const notLatin1 = /[^\0-\xff]/;
const bufferPrototype = Buffer.prototype as unknown as {
  latin1Write(this: Uint8Array, text: string, offset: number): number;
  ucs2Write(this: Uint8Array, text: string, offset: number): number;
};
const { latin1Write, ucs2Write } = bufferPrototype;

const f64 = new Float64Array(1);
const f64Bytes = new Uint8Array(f64.buffer);
const i64 = new BigInt64Array(f64.buffer);

export class Encoder {
  /** The last encoded message, from index 0. Replaced when it has to grow, and by the next `encode`. */
  bytes: Uint8Array = new Uint8Array(initialBytes);
  readonly #shared: SharedBufferTable;
  readonly #seen = new SeenObjects();
  #out: Uint8Array = this.bytes;
  #pos = 0;
  #hasReferences = false;
  #isEncoding = false;

  constructor(shared: SharedBufferTable) {
    this.#shared = shared;
  }

  /**
   * Encodes `value` into `bytes` and returns how many it took. Synchronous; getters of the value run here, and what
   * they throw is thrown on.
   *
   * @throws NotCloneableError when the value holds something that cannot be copied; its path begins with `root`.
   */
  encode(value: unknown, root: CloneRoot): number {
    if (this.#isEncoding) return this.#encodeNested(value, root);
    this.#isEncoding = true;
    if (this.#out.length > keptBytes) this.#out = new Uint8Array(initialBytes);
    this.#pos = 1;
    this.#hasReferences = false;
    try {
      // An argument list is a list by definition: its own properties and holes are not looked for.
      if (root === "args" && Array.isArray(value)) this.#writeList(value);
      else this.#write(value);
      this.#out[0] = this.#hasReferences ? MessageFlag.graph : MessageFlag.tree;
      this.bytes = this.#out;
      return this.#pos;
    } catch (error) {
      throw explainNotCloneable(error, value, root);
    } finally {
      this.#seen.clear();
      this.#isEncoding = false;
    }
  }

  /** A getter of the outer value submits a job: it gets bytes of its own, and the outer message goes on untouched. */
  #encodeNested(value: unknown, root: CloneRoot): number {
    const inner = new Encoder(this.#shared);
    const length = inner.encode(value, root);
    this.bytes = inner.bytes;
    return length;
  }

  /** Room for `count` more bytes; every value asks for its own, with `chunk` to spare for tags and numbers. */
  #reserve(count: number): void {
    const needed = this.#pos + count + chunk;
    if (needed <= this.#out.length) return;
    const larger = allocate(Math.max(needed, this.#out.length * 2)) ?? allocate(needed);
    if (larger === undefined) {
      throw new Refusal(
        "is too large to be copied; share it as a SharedArrayBuffer or list it in `transfer`",
      );
    }
    larger.set(this.#out.subarray(0, this.#pos));
    this.#out = larger;
  }

  #write(value: unknown): void {
    if (this.#pos + chunk > this.#out.length) this.#reserve(chunk);
    switch (typeof value) {
      case "string":
        this.#writeText(value);
        return;
      case "number":
        this.#writeNumber(value);
        return;
      case "boolean":
        this.#out[this.#pos++] = value ? Tag.true : Tag.false;
        return;
      case "undefined":
        this.#out[this.#pos++] = Tag.undefined;
        return;
      case "object":
        if (value === null) this.#out[this.#pos++] = Tag.null;
        else this.#writeObject(value);
        return;
      case "bigint":
        this.#writeBigint(value);
        return;
      case "function":
        throw new Refusal("is a function");
      case "symbol":
        throw new Refusal("is a symbol");
    }
  }

  #writeNumber(value: number): void {
    const out = this.#out;
    let pos = this.#pos;
    const int = value | 0;
    if (int === value && (int !== 0 || 1 / value > 0)) {
      const small = int + smallIntBias;
      if (small >= 0 && small < smallIntCount) {
        out[pos] = Tag.smallInt + small;
        this.#pos = pos + 1;
        return;
      }
      out[pos++] = Tag.int32;
      this.#pos = pos;
      this.#writeU32(int);
      return;
    }
    out[pos] = Tag.double;
    this.#pos = pos + 1;
    this.#writeF64(value);
  }

  #writeU32(value: number): void {
    const out = this.#out;
    const pos = this.#pos;
    out[pos] = value;
    out[pos + 1] = value >>> 8;
    out[pos + 2] = value >>> 16;
    out[pos + 3] = value >>> 24;
    this.#pos = pos + 4;
  }

  #writeF64(value: number): void {
    f64[0] = value;
    this.#write8();
  }

  #write8(): void {
    const out = this.#out;
    const pos = this.#pos;
    out[pos] = f64Bytes[0]!;
    out[pos + 1] = f64Bytes[1]!;
    out[pos + 2] = f64Bytes[2]!;
    out[pos + 3] = f64Bytes[3]!;
    out[pos + 4] = f64Bytes[4]!;
    out[pos + 5] = f64Bytes[5]!;
    out[pos + 6] = f64Bytes[6]!;
    out[pos + 7] = f64Bytes[7]!;
    this.#pos = pos + 8;
  }

  #writeLength(tag: number, length: number): void {
    if (length > maxLength) throw new Refusal("is larger than 4 GiB; share it as a SharedArrayBuffer");
    this.#out[this.#pos++] = tag;
    this.#writeU32(length);
  }

  /** Also the keys of objects: wherever a text stands, `chunk` bytes are free. */
  #writeText(text: string): void {
    const length = text.length;
    if (length >= nativeWriteFrom) return this.#writeLongText(text);
    const out = this.#out;
    let pos = this.#pos;
    out[pos++] = Tag.shortText + length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0xff) return this.#writeUtf16(text);
      out[pos++] = code;
    }
    this.#pos = pos;
  }

  #writeLongText(text: string): void {
    if (notLatin1.test(text)) return this.#writeUtf16(text);
    const length = text.length;
    this.#reserve(length);
    if (length < shortTextLimit) this.#out[this.#pos++] = Tag.shortText + length;
    else this.#writeLength(Tag.latin1, length);
    latin1Write.call(this.#out, text, this.#pos);
    this.#pos += length;
  }

  #writeUtf16(text: string): void {
    const length = text.length;
    this.#reserve(length * 2);
    this.#writeLength(Tag.utf16, length);
    ucs2Write.call(this.#out, text, this.#pos);
    this.#pos += length * 2;
  }

  #writeBigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.#out[this.#pos++] = Tag.bigint64;
      i64[0] = value;
      this.#write8();
      return;
    }
    this.#out[this.#pos++] = Tag.bigintHex;
    this.#writeText(value < 0n ? `-${(-value).toString(16)}` : value.toString(16));
  }

  #writeObject(value: object): void {
    if (this.#writeReference(value)) return;
    if (Array.isArray(value)) this.#writeArray(value as unknown[]);
    else if (Object.getPrototypeOf(value) === objectPrototype) this.#writeProperties(Tag.object, value);
    else this.#writeSpecial(value);
  }

  /** Whether `value` was met before: then a reference to it is written. */
  #writeReference(value: object): boolean {
    const number = this.#seen.numberOf(value);
    if (number < 0) return false;
    this.#hasReferences = true;
    this.#out[this.#pos++] = Tag.reference;
    this.#writeU32(number);
    return true;
  }

  #writeProperties(tag: number, value: object): void {
    this.#out[this.#pos++] = tag;
    const record = value as Record<string, unknown>;
    // The fastest way to list the properties of a plain object; inherited ones are not cloned.
    for (const key in record) if (hasOwnProperty.call(record, key)) this.#writeProperty(key, record[key]);
    if (this.#pos >= this.#out.length) this.#reserve(chunk);
    this.#out[this.#pos++] = Tag.end;
  }

  #writeProperty(key: string, value: unknown): void {
    if (this.#pos + chunk * 2 > this.#out.length) this.#reserve(chunk * 2);
    this.#writeText(key);
    this.#write(value);
  }

  #writeArray(array: readonly unknown[]): void {
    if (isDense(array)) return this.#writeElements(array);
    this.#writeLength(Tag.sparseArray, array.length);
    for (const key of Object.keys(array)) {
      if (hasOwnProperty.call(array, key)) this.#writeProperty(key, array[key as unknown as number]);
    }
    this.#reserve(1);
    this.#out[this.#pos++] = Tag.end;
  }

  #writeList(list: readonly unknown[]): void {
    this.#seen.numberOf(list);
    this.#writeElements(list);
  }

  #writeElements(array: readonly unknown[]): void {
    const length = array.length;
    if (length > 1 && isRecord(array[0]) && isRecord(array[1])) return this.#writeTable(array, array[0]);
    if (length < shortArrayLimit) this.#out[this.#pos++] = Tag.shortArray + length;
    else if (typeof array[0] === "number" && this.#writeNumbers(array)) return;
    else this.#writeLength(Tag.array, length);
    for (let i = 0; i < length; i++) this.#write(array[i]);
  }

  /** An array of records: the keys once, then only values for every element that has the same keys in the same order. */
  #writeTable(array: readonly unknown[], first: object): void {
    const keys = Object.keys(first);
    const length = array.length;
    this.#writeLength(Tag.table, length);
    for (const key of keys) {
      this.#reserve(chunk);
      this.#writeText(key);
    }
    this.#reserve(1);
    this.#out[this.#pos++] = Tag.end;
    for (let i = 0; i < length; i++) {
      const row = array[i];
      if (isRecord(row) && hasKeys(row, keys)) this.#writeRow(row, keys);
      else this.#write(row);
    }
  }

  #writeRow(row: Record<string, unknown>, keys: readonly string[]): void {
    this.#reserve(chunk);
    if (this.#writeReference(row)) return;
    this.#out[this.#pos++] = Tag.row;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const value = row[key];
      if (value === undefined && !hasOwnProperty.call(row, key)) this.#writeMissing();
      else this.#write(value);
    }
  }

  /** A getter of this row has removed the property. */
  #writeMissing(): void {
    this.#reserve(1);
    this.#out[this.#pos++] = Tag.end;
  }

  /** Arrays of nothing but numbers go as one block; false when this is not one. */
  #writeNumbers(array: readonly unknown[]): boolean {
    let isInt32 = true;
    for (let i = 0; i < array.length; i++) {
      const value = array[i];
      if (typeof value !== "number") return false;
      if (isInt32) isInt32 = (value | 0) === value && (value !== 0 || 1 / value > 0);
    }
    this.#writeLength(isInt32 ? Tag.int32Array : Tag.doubleArray, array.length);
    const numbers = array as readonly number[];
    this.#writeBytes(new Uint8Array(isInt32 ? int32Block(numbers) : doubleBlock(numbers)));
    return true;
  }

  #writeSpecial(value: object): void {
    const kind = cloneableKindOf(value);
    if (typeof kind !== "string") throw kind;
    switch (kind) {
      case "instance":
        return this.#writeProperties(Tag.object, value);
      case "date":
        this.#out[this.#pos++] = Tag.date;
        return this.#writeF64(Date.prototype.getTime.call(value));
      case "view":
        return this.#writeView(value as ArrayBufferView);
      case "buffer":
        return this.#writeArrayBuffer(value as ArrayBuffer);
      case "sharedBuffer":
        this.#out[this.#pos++] = Tag.sharedBuffer;
        return this.#writeU32(this.#shared.idOf(value as SharedArrayBuffer));
      case "map":
        return this.#writeMap(value as Map<unknown, unknown>);
      case "set":
        return this.#writeSet(value as Set<unknown>);
      case "regexp":
        this.#out[this.#pos++] = Tag.regexp;
        this.#writeText((value as RegExp).source);
        this.#reserve(chunk);
        return this.#writeText((value as RegExp).flags);
      case "boxed":
        this.#out[this.#pos++] = Tag.boxed;
        return this.#write(Object(value).valueOf());
      case "error":
        return this.#writeError(value as Error);
      case "domException":
        return this.#writeDomException(value as DOMException);
    }
  }

  #writeMap(map: Map<unknown, unknown>): void {
    // A snapshot, as in structured clone: a getter may change the map while its members are written.
    const entries = [...Map.prototype.entries.call(map)];
    this.#writeLength(Tag.map, entries.length);
    for (const [key, value] of entries) {
      this.#write(key);
      this.#write(value);
    }
  }

  #writeSet(set: Set<unknown>): void {
    const values = [...Set.prototype.values.call(set)];
    this.#writeLength(Tag.set, values.length);
    for (const value of values) this.#write(value);
  }

  #writeError(error: Error): void {
    const message = Object.getOwnPropertyDescriptor(error, "message");
    const cause = Object.getOwnPropertyDescriptor(error, "cause");
    const name: unknown = error.name;
    const stack: unknown = error.stack;
    const hasMessage = message !== undefined && "value" in message;
    const hasCause = cause !== undefined && "value" in cause;
    this.#out[this.#pos++] = Tag.error;
    this.#out[this.#pos++] = Math.max(
      0,
      errorClasses.findIndex((type) => type.name === name),
    );
    this.#out[this.#pos++] =
      (hasMessage ? ErrorPart.message : 0) |
      (typeof stack === "string" ? ErrorPart.stack : 0) |
      (hasCause ? ErrorPart.cause : 0);
    if (hasMessage) this.#write(String(message.value));
    if (typeof stack === "string") this.#write(stack);
    if (hasCause) this.#write(cause.value);
  }

  #writeDomException(error: DOMException): void {
    this.#out[this.#pos++] = Tag.domException;
    this.#write(error.message);
    this.#write(error.name);
    this.#write(String(error.stack));
  }

  #writeArrayBuffer(buffer: ArrayBuffer): void {
    if (buffer.detached) throw new Refusal("is a detached ArrayBuffer: it was transferred before");
    const length = buffer.byteLength;
    if (buffer.resizable) {
      this.#writeLength(Tag.resizableBuffer, length);
      this.#writeF64(buffer.maxByteLength);
    } else this.#writeLength(Tag.buffer, length);
    this.#writeBytes(new Uint8Array(buffer));
  }

  #writeView(view: ArrayBufferView): void {
    const kind = viewKindOf(view);
    const buffer = view.buffer;
    if (Buffer.isBuffer(view)) {
      this.#seen.numberOf({});
      return this.#writeWholeView(kind, view);
    }
    const isPlain = buffer instanceof ArrayBuffer && !buffer.resizable && !buffer.detached;
    if (isPlain && view.byteLength === buffer.byteLength && this.#seen.numberOf(buffer) < 0) {
      return this.#writeWholeView(kind, view);
    }
    this.#out[this.#pos++] = Tag.viewOn;
    this.#out[this.#pos++] = kind;
    // Which views follow their resizable buffer cannot be asked for: one that ends where the buffer ends is taken for one.
    const growable = buffer instanceof ArrayBuffer ? buffer.resizable : buffer.growable;
    const follows =
      growable && view.byteOffset + view.byteLength + viewElementBytes[kind]! > buffer.byteLength;
    this.#out[this.#pos++] = follows ? 1 : 0;
    this.#writeF64(view.byteOffset);
    this.#writeF64(view.byteLength / viewElementBytes[kind]!);
    this.#write(buffer);
  }

  /** The view and its buffer in one; the buffer has a number of its own. */
  #writeWholeView(kind: number, view: ArrayBufferView): void {
    this.#writeLength(Tag.view, view.byteLength);
    this.#out[this.#pos++] = kind;
    this.#writeBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }

  #writeBytes(source: Uint8Array): void {
    this.#reserve(source.length);
    this.#out.set(source, this.#pos);
    this.#pos += source.length;
  }
}

function allocate(length: number): Uint8Array | undefined {
  try {
    return new Uint8Array(length);
  } catch {
    return undefined;
  }
}

/** Loops, because the constructor that takes a list is slow for lists that V8 does not hold as doubles. */
function int32Block(numbers: readonly number[]): ArrayBuffer {
  const block = new Int32Array(numbers.length);
  for (let i = 0; i < block.length; i++) block[i] = numbers[i]!;
  return block.buffer;
}

function doubleBlock(numbers: readonly number[]): ArrayBuffer {
  const block = new Float64Array(numbers.length);
  for (let i = 0; i < block.length; i++) block[i] = numbers[i]!;
  return block.buffer;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === objectPrototype;
}

function hasKeys(row: object, keys: readonly string[]): boolean {
  let count = 0;
  for (const key in row) {
    if (!hasOwnProperty.call(row, key)) continue;
    if (key !== keys[count]) return false;
    count++;
  }
  return count === keys.length;
}

/** Whether every index below the length is filled, and nothing else is there. */
function isDense(array: readonly unknown[]): boolean {
  const length = array.length;
  if (length >= inspectArrayFrom && inspect(array, extraProperties) === `[ ... ${length} more items ]`) {
    for (let i = 0; i < length; i++) {
      if (array[i] === undefined && !hasOwnProperty.call(array, i)) return false;
    }
    return true;
  }
  const keys = Object.keys(array);
  return keys.length === length && (length === 0 || keys[length - 1] === String(length - 1));
}

/** With these, `inspect` of an array says only its length and the properties that are not indices. */
const extraProperties = {
  maxArrayLength: 0,
  depth: 0,
  customInspect: false,
  breakLength: Infinity,
  colors: false,
  getters: false,
  showHidden: false,
  showProxy: false,
} as const;
