/**
 * Values to bytes, with the semantics of structured clone: what arrives has the same values, aliases, cycles and holes;
 * classes become plain objects, getters become their values, symbol keys are left out. See wire-tags.ts for the bytes.
 *
 * Deliberate differences, each in favour of the caller:
 * - A Buffer takes only its own bytes along, not the pool that it was cut from, and shares no memory with another
 *   Buffer on arrival. Other views take their whole ArrayBuffer, and views that share one still do.
 * - Bytes of long buffers are read when everything has been visited: what a getter changes in a buffer visited before it, is
 *   seen.
 * - A Proxy of a plain object or array is read through. Structured clone refuses every Proxy.
 * - What belongs to this thread (AbortSignal, URL, Intl.NumberFormat, …) is refused by path, also where structured clone
 *   gives an empty object.
 *
 * What is transferred, unless it is little, and what only a message can carry (Blob, KeyObject, …), is not in the bytes: see carried.ts.
 */
// oxlint-disable typescript/no-unsafe-type-assertion, typescript/unbound-method -- kinds are proven at run time; natives are called with their receiver
import { Buffer } from "node:buffer";
import type { Transferable } from "node:worker_threads";

import { ByteWriter, chunk } from "./byte-writer.ts";
import { type Carried, isCopied } from "./carried.ts";
import { Chunk } from "./chunk.ts";
import { cloneableKindOf, Refusal } from "./cloneable-kind.ts";
import { doubleBlock, hasKeys, int32Block, isDense, isRecord } from "./list-shape.ts";
import { explainNotCloneable, type CloneRoot } from "./not-cloneable.ts";
import { SeenObjects } from "./seen-objects.ts";
import type { SharedBufferTable } from "./shared-buffer-table.ts";
import {
  errorClasses,
  ErrorPart,
  MessageFlag,
  shortArrayLimit,
  Tag,
  viewElementBytes,
  viewKindOf,
} from "./wire-tags.ts";

const { hasOwnProperty } = Object.prototype;
const objectPrototype = Object.prototype;

/** Encodes one message after the other into memory of its own, which each message overwrites. For one thread. */
export class Encoder extends ByteWriter {
  /** What the last message leaves to be carried; null when it is complete in itself. */
  carried: Carried | null = null;
  /** What is moved, and yet in the last message: the caller detaches it when the bytes are where they go. Null: nothing. */
  copied: readonly ArrayBuffer[] | null = null;
  readonly #shared: SharedBufferTable;
  readonly nextCarriedId: () => number;
  readonly #seen = new SeenObjects();
  #hasReferences = false;
  /** Who has the last message: this, or one for a message that was encoded while this was at another. */
  #last: Encoder = this;
  #isEncoding = false;
  #transfer: ReadonlySet<object> | null = null;
  #copiesMoved = false;
  #carriedValues: unknown[] | null = null;

  /** @param nextCarriedId A number, not 0, under which nothing else in the pool is carried. */
  constructor(shared: SharedBufferTable, nextCarriedId: () => number) {
    super();
    this.#shared = shared;
    this.nextCarriedId = nextCarriedId;
  }

  /** The last encoded message, from index 0, until the next `encode`. Copies it when it holds long runs of bytes: see `copyTo`. */
  get bytes(): Uint8Array {
    const last = this.#last;
    if (!last.hasRuns) return last.out;
    const bytes = new Uint8Array(last.length);
    last.writeTo(bytes, 0);
    return bytes;
  }

  /** The last encoded message, to `target` at `at`. Once: afterwards nothing of the value is held any more. */
  copyTo(target: Uint8Array, at: number): void {
    const last = this.#last;
    last.writeTo(target, at);
    last.forgetRuns();
  }

  /**
   * Encodes `value` and returns how many bytes it takes. Synchronous; getters of the value run here, and what
   * they throw is thrown on.
   *
   * @param transfer What is moved instead of copied. Nothing is detached here.
   * @throws NotCloneableError when the value holds something that cannot be copied; its path begins with `root`.
   */
  encode(value: unknown, root: CloneRoot, transfer: readonly Transferable[] | null = null): number {
    if (this.#isEncoding) return this.#encodeNested(value, root, transfer);
    this.#isEncoding = true;
    this.begin();
    this.#hasReferences = false;
    const copied = transfer !== null && isCopied(transfer) ? transfer : null;
    if (transfer !== null) this.#transfer = new Set(transfer);
    this.#copiesMoved = copied !== null;
    try {
      // An argument list is a list by definition: its own properties and holes are not looked for.
      if (root === "args" && Array.isArray(value)) this.#writeList(value);
      else this.#write(value);
      this.out[0] = this.#hasReferences ? MessageFlag.graph : MessageFlag.tree;
      // Also back to null: a getter of the value may have encoded another one.
      const moved = copied === null ? transfer : null;
      this.carried = this.#carriedValues === null && moved === null ? null : this.#nameCarried(moved ?? []);
      this.copied = copied;
      this.#last = this;
      return this.length;
    } catch (error) {
      this.forgetRuns();
      throw explainNotCloneable(error, value, root, this.#transfer);
    } finally {
      this.#seen.clear();
      this.#isEncoding = false;
      this.#transfer = null;
      this.#carriedValues = null;
    }
  }

  #nameCarried(transfer: readonly Transferable[]): Carried {
    this.out[0]! |= MessageFlag.carried;
    const id = this.nextCarriedId();
    this.reserve(chunk);
    this.writeF64(id);
    return { id, values: this.#carriedValues ?? [], transfer };
  }

  /** A getter of the outer value submits a job: it gets bytes of its own, and the outer message goes on untouched. */
  #encodeNested(value: unknown, root: CloneRoot, transfer: readonly Transferable[] | null): number {
    const inner = new Encoder(this.#shared, this.nextCarriedId);
    const length = inner.encode(value, root, transfer);
    this.#last = inner;
    this.carried = inner.carried;
    this.copied = inner.copied;
    return length;
  }

  #write(value: unknown): void {
    if (this.pos + chunk > this.out.length) this.reserve(chunk);
    switch (typeof value) {
      case "string":
        this.writeText(value);
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
    if (Array.isArray(value)) this.#writeArray(value as unknown[]);
    else if (Object.getPrototypeOf(value) === objectPrototype) this.#writeProperties(Tag.object, value);
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
    for (const key in record) if (hasOwnProperty.call(record, key)) this.#writeProperty(key, record[key]);
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
    for (const key of Object.keys(array)) {
      if (hasOwnProperty.call(array, key)) this.#writeProperty(key, array[key as unknown as number]);
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
    if (length > 1 && isRecord(array[0]) && isRecord(array[1])) return this.#writeTable(array, array[0]);
    if (length < shortArrayLimit) this.out[this.pos++] = Tag.shortArray + length;
    else if (typeof array[0] === "number" && this.#writeNumbers(array)) return;
    else this.writeLength(Tag.array, length);
    for (let i = 0; i < length; i++) this.#write(array[i]);
  }

  /** An array of records: the keys once, then only values for every element that has the same keys in the same order. */
  #writeTable(array: readonly unknown[], first: object): void {
    const keys = Object.keys(first);
    const length = array.length;
    this.writeLength(Tag.table, length);
    for (const key of keys) {
      this.reserve(chunk);
      this.writeText(key);
    }
    this.reserve(1);
    this.out[this.pos++] = Tag.end;
    for (let i = 0; i < length; i++) {
      const row = array[i];
      if (isRecord(row) && hasKeys(row, keys)) this.#writeRow(row, keys);
      else this.#write(row);
    }
  }

  #writeRow(row: Record<string, unknown>, keys: readonly string[]): void {
    this.reserve(chunk);
    if (this.#writeReference(row)) return;
    this.out[this.pos++] = Tag.row;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const value = row[key];
      if (value === undefined && !hasOwnProperty.call(row, key)) this.#writeMissing();
      else this.#write(value);
    }
  }

  /** A getter of this row has removed the property. */
  #writeMissing(): void {
    this.reserve(1);
    this.out[this.pos++] = Tag.end;
  }

  /** Arrays of nothing but numbers go as one block; false when this is not one. */
  #writeNumbers(array: readonly unknown[]): boolean {
    let isInt32 = true;
    for (let i = 0; i < array.length; i++) {
      const value = array[i];
      if (typeof value !== "number") return false;
      if (isInt32) isInt32 = (value | 0) === value && (value !== 0 || 1 / value > 0);
    }
    this.writeLength(isInt32 ? Tag.int32Array : Tag.doubleArray, array.length);
    const numbers = array as readonly number[];
    this.writeBytes(new Uint8Array(isInt32 ? int32Block(numbers) : doubleBlock(numbers)));
    return true;
  }

  #writeSpecial(value: object): void {
    if (value instanceof Chunk) return this.#writeChunk(value);
    if (this.#transfer !== null && !this.#copiesMoved && this.#transfer.has(value))
      return this.#writeCarried(value);
    const kind = cloneableKindOf(value);
    if (typeof kind !== "string") throw kind;
    switch (kind) {
      case "instance":
        return this.#writeProperties(Tag.object, value);
      case "date":
        this.out[this.pos++] = Tag.date;
        return this.writeF64(Date.prototype.getTime.call(value));
      case "view":
        return this.#writeView(value as ArrayBufferView);
      case "buffer":
        return this.#writeArrayBuffer(value as ArrayBuffer);
      case "sharedBuffer":
        this.out[this.pos++] = Tag.sharedBuffer;
        return this.writeU32(this.#shared.idOf(value as SharedArrayBuffer));
      case "map":
        return this.#writeMap(value as Map<unknown, unknown>);
      case "set":
        return this.#writeSet(value as Set<unknown>);
      case "regexp":
        this.out[this.pos++] = Tag.regexp;
        this.writeText((value as RegExp).source);
        this.reserve(chunk);
        return this.writeText((value as RegExp).flags);
      case "boxed":
        this.out[this.pos++] = Tag.boxed;
        return this.#write(Object(value).valueOf());
      case "error":
        return this.#writeError(value as Error);
      case "domException":
        return this.#writeDomException(value as DOMException);
      case "carried":
        return this.#writeCarried(value);
    }
  }

  /** As an array. */
  #writeChunk({ items }: Chunk): void {
    if (items.length >= shortArrayLimit && typeof items[0] === "number" && this.#writeNumbers(items)) return;
    this.writeLength(Tag.array, items.length);
    for (let i = 0; i < items.length; i++) {
      this.#seen.forget();
      this.#write(items[i]);
    }
    this.#seen.forget();
  }

  #writeCarried(value: object): void {
    this.out[this.pos++] = Tag.carried;
    this.writeU32((this.#carriedValues ??= []).push(value) - 1);
  }

  #writeMap(map: Map<unknown, unknown>): void {
    // A snapshot, as in structured clone: a getter may change the map while its members are written.
    const entries = [...Map.prototype.entries.call(map)];
    this.writeLength(Tag.map, entries.length);
    for (const [key, value] of entries) {
      this.#write(key);
      this.#write(value);
    }
  }

  #writeSet(set: Set<unknown>): void {
    const values = [...Set.prototype.values.call(set)];
    this.writeLength(Tag.set, values.length);
    for (const value of values) this.#write(value);
  }

  #writeError(error: Error): void {
    const message = Object.getOwnPropertyDescriptor(error, "message");
    const cause = Object.getOwnPropertyDescriptor(error, "cause");
    const name: unknown = error.name;
    const stack: unknown = error.stack;
    const hasMessage = message !== undefined && "value" in message;
    const hasCause = cause !== undefined && "value" in cause;
    this.out[this.pos++] = Tag.error;
    this.out[this.pos++] = Math.max(
      0,
      errorClasses.findIndex((type) => type.name === name),
    );
    this.out[this.pos++] =
      (hasMessage ? ErrorPart.message : 0) |
      (typeof stack === "string" ? ErrorPart.stack : 0) |
      (hasCause ? ErrorPart.cause : 0);
    if (hasMessage) this.#write(String(message.value));
    if (typeof stack === "string") this.#write(stack);
    if (hasCause) this.#write(cause.value);
  }

  #writeDomException(error: DOMException): void {
    this.out[this.pos++] = Tag.domException;
    this.#write(error.message);
    this.#write(error.name);
    this.#write(String(error.stack));
  }

  #writeArrayBuffer(buffer: ArrayBuffer): void {
    if (buffer.detached) throw new Refusal("is a detached ArrayBuffer: it was transferred before");
    const length = buffer.byteLength;
    if (buffer.resizable) {
      this.writeLength(Tag.resizableBuffer, length);
      this.writeF64(buffer.maxByteLength);
    } else this.writeLength(Tag.buffer, length);
    this.writeBytes(new Uint8Array(buffer));
  }

  #writeView(view: ArrayBufferView): void {
    const kind = viewKindOf(view);
    const buffer = view.buffer;
    const isMoved = this.#transfer !== null && this.#transfer.has(buffer);
    if (!isMoved && Buffer.isBuffer(view)) {
      this.#seen.numberOf({});
      return this.#writeWholeView(kind, view);
    }
    const isPlain =
      (!isMoved || this.#copiesMoved) &&
      buffer instanceof ArrayBuffer &&
      !buffer.resizable &&
      !buffer.detached;
    if (isPlain && view.byteLength === buffer.byteLength && this.#seen.numberOf(buffer) < 0) {
      return this.#writeWholeView(kind, view);
    }
    this.out[this.pos++] = Tag.viewOn;
    this.out[this.pos++] = kind;
    // Which views follow their resizable buffer cannot be asked for: one that ends where the buffer ends is taken for one.
    const growable = buffer instanceof ArrayBuffer ? buffer.resizable : buffer.growable;
    const follows =
      growable && view.byteOffset + view.byteLength + viewElementBytes[kind]! > buffer.byteLength;
    this.out[this.pos++] = follows ? 1 : 0;
    this.writeF64(view.byteOffset);
    this.writeF64(view.byteLength / viewElementBytes[kind]!);
    this.#write(buffer);
  }

  /** The view and its buffer in one; the buffer has a number of its own. */
  #writeWholeView(kind: number, view: ArrayBufferView): void {
    this.writeLength(Tag.view, view.byteLength);
    this.out[this.pos++] = kind;
    this.writeBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }
}
