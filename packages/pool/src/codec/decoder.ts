/**
 * Bytes to values: the other end of encoder.ts. Nothing of the result shares memory with the bytes, which may be
 * overwritten as soon as `decode` returns. Bytes that no encoder wrote make it throw; they never make it read outside
 * the message, or allocate more than the message could hold.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- kinds are proven at run time
import { SkeinError } from "@skein/context/errors";

import {
  Array,
  ArrayBuffer,
  BigInt,
  bufferOn,
  Date,
  define,
  getOwnPropertyDescriptor,
  DOMException,
  Float64Array,
  Int32Array,
  latin1Slice,
  Map,
  mapSet,
  Object,
  objectPrototype,
  ownKeys,
  RangeError,
  RegExp,
  Set,
  setAdd,
  sliceText,
  ucs2Slice,
  Uint8Array,
} from "../shared/intrinsics.ts";
import { isArrayBuffer, isSharedArrayBuffer } from "./brand-checks.ts";
import { blankErrorOf } from "./blank-error.ts";
import { ByteReader, corrupt } from "./byte-reader.ts";
import { type CarriedTable, NotArrived } from "./carried.ts";
import type { SharedBufferTable } from "./shared-buffer-table.ts";
import { TextCache } from "./text-cache.ts";
import {
  bufferKind,
  carriedLater,
  ErrorPart,
  MessageFlag,
  shortArrayLimit,
  smallIntBias,
  Tag,
  textApart,
  viewApart,
  viewConstructors,
} from "./wire-tags.ts";

/** What stands for an argument that comes piece by piece, in the list that a job is called with. */
export interface ReceivedStreams {
  /** @param number Of the stream, on the thread of the call. */
  received(number: number, highWaterMark: number): object;
}

const noStreams: ReceivedStreams = {
  received: () => {
    throw corrupt("it names a stream, where none can be read");
  },
};

/** Decodes messages of any Encoder of this process, from shared memory or not. For one thread. */
export class Decoder extends ByteReader {
  readonly #shared: SharedBufferTable;
  readonly #carriedTable: CarriedTable;
  readonly #streams: ReceivedStreams;
  readonly #keys = new TextCache();
  readonly #words = new TextCache();
  /** Objects by number; undefined while the message is a plain tree, which no reference points into. */
  #objects: unknown[] | undefined = undefined;
  #carried: readonly unknown[] = nothing;
  /** Whether `Object.prototype` was found to have properties that cannot be assigned on its heirs. Costs a look-up per property. */
  #isCareful = hasUnassignable(objectPrototype);

  constructor(shared: SharedBufferTable, carried: CarriedTable, streams: ReceivedStreams = noStreams) {
    super();
    this.#streams = streams;
    this.#shared = shared;
    this.#carriedTable = carried;
  }

  /**
   * The value of the message of `length` bytes at `start`. Synchronous; runs no code of the value's author. (A setter that the
   * program puts on `Object.prototype` after this decoder was made is called for a property of its name.)
   *
   * @throws SkeinError 'ERR_SKEIN_TOO_DEEP' when the stack of this thread is too small for the nesting.
   * @throws SkeinError 'ERR_SKEIN_CORRUPT_MESSAGE' when no encoder wrote these bytes.
   * @throws NotArrived when values are carried that are not here yet, or it names a SharedArrayBuffer that is not. It can be read again.
   */
  decode(bytes: Uint8Array, start: number, length: number): unknown {
    this.begin(bytes, start, length);
    let carriedId = 0;
    try {
      let flag = this.readByte();
      if ((flag & MessageFlag.carried) !== 0) {
        flag -= MessageFlag.carried;
        carriedId = this.#readCarriedId();
        this.#carried = this.#carriedTable.take(carriedId);
      }
      if (flag !== MessageFlag.graph && flag !== MessageFlag.tree)
        throw corrupt("it begins with an unknown flag");
      return this.#readValue(flag);
    } catch (error) {
      if (error instanceof NotArrived && this.#carried !== nothing)
        this.#carriedTable.putBack(carriedId, this.#carried);
      throw isStackOverflow(error) ? tooDeep(error) : error;
    } finally {
      this.#objects = undefined;
      this.#carried = nothing;
      this.release();
    }
  }

  #readValue(flag: number): unknown {
    const start = this.pos;
    try {
      this.#objects = flag === MessageFlag.graph ? [] : undefined;
      return this.#readToEnd();
    } catch (error) {
      if (
        this.#isCareful ||
        error instanceof SkeinError ||
        error instanceof NotArrived ||
        isStackOverflow(error)
      )
        throw error;
      // A property of `Object.prototype` may be read-only now: from here on such keys are defined instead of assigned.
      this.#isCareful = true;
      this.pos = start;
      return this.#readValue(flag);
    }
  }

  #readToEnd(): unknown {
    const value = this.#read();
    if (this.pos > this.end) throw corrupt("it ends too early");
    return value;
  }

  /** The number at the end of the message, which is cut off. */
  #readCarriedId(): number {
    const start = this.pos;
    this.pos = this.end - 8;
    if (this.pos < start) throw corrupt("it ends too early");
    const id = this.readF64();
    this.pos = start;
    this.end -= 8;
    return id;
  }

  #read(): unknown {
    if (this.pos >= this.end) throw corrupt("it ends too early");
    const tag = this.bytes[this.pos++]!;
    if (tag >= Tag.smallInt) return tag - Tag.smallInt - smallIntBias;
    if (tag >= Tag.shortText) return this.readShortText(tag - Tag.shortText, this.#words);
    if (tag >= Tag.shortArray) return this.#readElements(tag - Tag.shortArray);
    switch (tag) {
      case Tag.undefined:
        return undefined;
      case Tag.null:
        return null;
      case Tag.true:
        return true;
      case Tag.false:
        return false;
      case Tag.int32:
        return this.readU32() | 0;
      case Tag.double:
        return this.readF64();
      case Tag.object:
        return this.#readProperties(this.#remember({}));
      default:
        return this.#readRare(tag);
    }
  }

  #readRare(tag: number): unknown {
    switch (tag) {
      case Tag.latin1:
      case Tag.utf16:
        return this.#readLongText(tag);
      case Tag.array:
        return this.#readElements(this.readCount(1));
      case Tag.table:
        return this.#readTable();
      case Tag.int32Array:
        return this.#readInt32Array();
      case Tag.doubleArray:
        return this.#readDoubleArray();
      case Tag.sparseArray:
        return this.#readSparseArray();
      case Tag.bigint64:
        return this.readBigint64();
      case Tag.bigintHex:
        return this.#readBigintHex();
      case Tag.date:
        return this.#remember(new Date(this.readF64()));
      case Tag.map:
        return this.#readMap();
      case Tag.set:
        return this.#readSet();
      case Tag.regexp:
        return this.#remember(new RegExp(this.#readText(), this.#readText()));
      case Tag.error:
        return this.#readError();
      case Tag.domException:
        return this.#readDomException();
      case Tag.boxed:
        return this.#readBoxed();
      case Tag.buffer:
        return this.#remember(this.readBytes(this.readCount(1)).buffer);
      case Tag.resizableBuffer:
        return this.#readResizableBuffer();
      case Tag.sharedBuffer:
        return this.#remember(this.#shared.fromId(this.readF64()));
      case Tag.view:
        return this.#readView();
      case Tag.viewOn:
        return this.#readViewOn();
      case Tag.reference:
        return this.#readReference();
      case Tag.carried:
        return this.#remember(this.#readCarried());
      default:
        throw corrupt(`it holds the unknown tag ${tag}`);
    }
  }

  #remember<T>(object: T): T {
    const objects = this.#objects;
    if (objects !== undefined) objects[objects.length] = object;
    return object;
  }

  /** The number of an object that is made after its parts. */
  #reserve(): number {
    const objects = this.#objects;
    if (objects === undefined) return 0;
    objects[objects.length] = undefined;
    return objects.length - 1;
  }

  #readReference(): unknown {
    const number = this.readU32();
    const objects = this.#objects;
    if (objects === undefined || number >= objects.length)
      throw corrupt("it refers to an object that it does not hold");
    return objects[number];
  }

  #readCarried(): unknown {
    const index = this.readU32();
    if (index === carriedLater) return this.#streams.received(this.readF64(), this.readU32());
    if (index >= this.#carried.length) throw corrupt("it names a carried value that did not come");
    return this.#carried[index];
  }

  #readText(): string {
    const text = this.#read();
    if (typeof text !== "string") throw corrupt("it holds something else where a text must be");
    return text;
  }

  #readBigintHex(): bigint {
    const hex = this.#readText();
    return hex[0] === "-" ? -BigInt(`0x${sliceText(hex, 1)}`) : BigInt(`0x${hex}`);
  }

  #readProperties(target: object): object {
    const record = target as Record<string, unknown>;
    for (;;) {
      if (this.pos >= this.end) throw corrupt("it ends too early");
      const tag = this.bytes[this.pos++]!;
      if (tag === Tag.end) return target;
      let key: string;
      if (tag >= Tag.shortText && tag < Tag.smallInt)
        key = this.readShortText(tag - Tag.shortText, this.#keys);
      else if (tag === Tag.latin1 || tag === Tag.utf16) key = this.readLongText(tag);
      else throw corrupt("it holds something else where a key must be");
      this.#readProperty(record, key);
    }
  }

  /** Assigning to `__proto__` would replace the prototype instead of making a property; see also `#isCareful`. */
  #mustDefine(key: string): boolean {
    return key === "__proto__" || (this.#isCareful && key in objectPrototype);
  }

  #readKey(tag: number): string {
    if (tag >= Tag.shortText && tag < Tag.smallInt)
      return this.readShortText(tag - Tag.shortText, this.#keys);
    if (tag === Tag.latin1 || tag === Tag.utf16) return this.readLongText(tag);
    throw corrupt("it holds something else where a key must be");
  }

  #readTable(): unknown[] {
    const array: unknown[] = this.#remember([]);
    const length = this.readCount(1);
    const keys: string[] = [];
    for (let tag = this.readByte(); tag !== Tag.end; tag = this.readByte())
      keys[keys.length] = this.#readKey(tag);
    for (let i = 0; i < length; i++) {
      const tag = this.bytes[this.pos];
      if (tag === Tag.row) array[i] = this.#readRow(keys);
      else if (tag === Tag.mixedRow) array[i] = this.#readMixedRow(keys);
      else array[i] = this.#read();
    }
    return array;
  }

  #readRow(keys: readonly string[]): object {
    this.pos++;
    const row: Record<string, unknown> = this.#remember({});
    for (let i = 0; i < keys.length; i++) this.#readProperty(row, keys[i]!);
    return row;
  }

  #readMixedRow(keys: readonly string[]): object {
    this.pos++;
    const row: Record<string, unknown> = this.#remember({});
    for (let i = 0; this.bytes[this.pos] !== Tag.end; i++) {
      if (i >= keys.length) throw corrupt("a row has more values than its table has keys");
      this.#readProperty(row, keys[i]!);
    }
    this.pos++;
    return this.#readProperties(row);
  }

  #readProperty(record: Record<string, unknown>, key: string): void {
    if (this.#mustDefine(key)) define(record, key, this.#read(), true);
    else record[key] = this.#read();
  }

  #readElements(length: number): unknown[] {
    // oxlint-disable-next-line unicorn/no-new-array -- room for just that many; an array that grows from empty takes it for seventeen
    const array: unknown[] = this.#remember(length < shortArrayLimit ? new Array<unknown>(length) : []);
    for (let i = 0; i < length; i++) array[i] = this.#read();
    return array;
  }

  #readInt32Array(): number[] {
    const block = new Int32Array(this.readBytes(this.readCount(4) * 4).buffer);
    const array: number[] = [];
    for (let i = 0; i < block.length; i++) array[i] = block[i]!;
    return this.#remember(array);
  }

  /** A loop of its own: one that has seen integers makes slower arrays. */
  #readDoubleArray(): number[] {
    const block = new Float64Array(this.readBytes(this.readCount(8) * 8).buffer);
    const array: number[] = [];
    for (let i = 0; i < block.length; i++) array[i] = block[i]!;
    return this.#remember(array);
  }

  #readSparseArray(): unknown {
    const array: unknown[] = this.#remember([]);
    array.length = this.readU32();
    for (let tag = this.readByte(); tag !== Tag.end; tag = this.readByte()) {
      // Its prototype may be frozen, and has more names than can be told apart here.
      define(array, this.#readKey(tag), this.#read(), true);
    }
    return array;
  }

  #readMap(): Map<unknown, unknown> {
    const map = this.#remember(new Map<unknown, unknown>());
    const count = this.readCount(2);
    for (let i = 0; i < count; i++) mapSet(map, this.#read(), this.#read());
    return map;
  }

  #readSet(): Set<unknown> {
    const set = this.#remember(new Set<unknown>());
    const count = this.readCount(1);
    for (let i = 0; i < count; i++) setAdd(set, this.#read());
    return set;
  }

  #readError(): Error {
    const error = blankErrorOf(this.readByte());
    if (error === undefined) throw corrupt("it holds an unknown class of error");
    const parts = this.readByte();
    this.#remember(error);
    if ((parts & ErrorPart.message) !== 0) define(error, "message", this.#readText(), false);
    if ((parts & ErrorPart.stack) !== 0) define(error, "stack", this.#readText(), false);
    if ((parts & ErrorPart.cause) !== 0) define(error, "cause", this.#read(), false);
    return error;
  }

  #readDomException(): DOMException {
    const number = this.#reserve();
    const error = new DOMException(this.#readText(), this.#readText());
    define(error, "stack", this.#readText(), false);
    if (this.#objects !== undefined) this.#objects[number] = error;
    return error;
  }

  #readBoxed(): object {
    const value = this.#read();
    if (typeof value === "object" || value === undefined)
      throw corrupt("it holds a boxed value that is no primitive");
    return this.#remember(Object(value) as object);
  }

  #readResizableBuffer(): ArrayBuffer {
    const length = this.readU32();
    const maxByteLength = this.readF64();
    if (length > this.end - this.pos) throw corrupt("a length is larger than the message");
    const buffer = this.#remember(new ArrayBuffer(length, { maxByteLength }));
    this.readBytesInto(new Uint8Array(buffer));
    return buffer;
  }

  #readView(): ArrayBufferView {
    const length = this.readCount(1);
    const kindAndPlace = this.readByte();
    const kind = kindAndPlace & ~viewApart;
    const bytes = kind === kindAndPlace ? this.readBytes(length) : this.#readApart();
    if (kind === bufferKind) return this.#remember(bufferOn(bytes.buffer, 0, bytes.length));
    const view = kind === 0 ? bytes : new (viewConstructor(kind))(bytes.buffer);
    this.#remember(view);
    this.#remember(bytes.buffer);
    return view;
  }

  #readLongText(tag: number): string {
    const start = this.pos;
    if (this.readU32() === textApart) {
      const bytes = this.#readApart();
      return tag === Tag.latin1 ? latin1Slice(bytes, 0, bytes.length) : ucs2Slice(bytes, 0, bytes.length);
    }
    this.pos = start;
    return this.readLongText(tag);
  }

  /** Bytes that the sender has copied, and moved here: nobody else has them. */
  #readApart(): Uint8Array<ArrayBuffer> {
    const buffer = this.#readCarried();
    if (!isArrayBuffer(buffer)) throw corrupt("it names a carried value that is no memory");
    return new Uint8Array(buffer);
  }

  #readViewOn(): ArrayBufferView {
    const number = this.#reserve();
    const kind = this.readByte();
    const followsBuffer = this.readByte() === 1;
    const offset = this.readF64();
    const length = this.readF64();
    const buffer = this.#read();
    if (!(isArrayBuffer(buffer) || isSharedArrayBuffer(buffer))) throw corrupt("a view has no buffer");
    const view = makeView(kind, buffer, offset, followsBuffer ? undefined : length);
    if (this.#objects !== undefined) this.#objects[number] = view;
    return view;
  }
}

const nothing: readonly unknown[] = [];

/** @param length Undefined: the view follows its buffer. */
function makeView(
  kind: number,
  buffer: ArrayBufferLike,
  offset: number,
  length: number | undefined,
): ArrayBufferView {
  if (kind === bufferKind) return bufferOn(buffer, offset, length ?? 0);
  const type = viewConstructor(kind);
  return length === undefined ? new type(buffer, offset) : new type(buffer, offset, length);
}

/** Whether a property of `prototype` is read-only or has a setter: assigning it to an heir would fail, or call somebody. */
function hasUnassignable(prototype: object): boolean {
  const keys = ownKeys(prototype);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key !== "__proto__" && getOwnPropertyDescriptor(prototype, key)?.writable !== true) return true;
  }
  return false;
}

function viewConstructor(kind: number): NonNullable<(typeof viewConstructors)[number]> {
  const type = viewConstructors[kind];
  if (type === undefined) throw corrupt("it holds an unknown kind of view");
  return type;
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message === "Maximum call stack size exceeded";
}

function tooDeep(cause: unknown): SkeinError {
  const message = "A message is nested too deeply for the stack of this thread; flatten it";
  return new SkeinError("ERR_SKEIN_TOO_DEEP", message, { cause });
}
