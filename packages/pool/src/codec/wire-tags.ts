/**
 * The bytes of a cloned value. One message is a flag byte and one value; both threads are of one process, so
 * multi-byte numbers are in the order of the machine and no version is negotiated.
 *
 * | first byte   | then                                    | value                                                    |
 * | ------------ | --------------------------------------- | -------------------------------------------------------- |
 * | 0x01–0x04    |                                         | undefined, null, true, false                             |
 * | int32        | 4 bytes                                 | number                                                   |
 * | double       | 8 bytes                                 | number, -0 and NaN included                              |
 * | latin1       | u32 length, one byte a character        | string                                                   |
 * | utf16        | u32 length, two bytes a code unit       | string, lone surrogates included                         |
 * | latin1, utf16 | 0xffffffff as u32, u32 index           | the same; the characters are in a carried ArrayBuffer    |
 * | object       | (key, value)*, end                      | plain object; a key is a string                          |
 * | array        | u32 length, values                      | dense array                                              |
 * | int32Array   | u32 length, 4 bytes each                | dense array of nothing but int32                         |
 * | doubleArray  | u32 length, 8 bytes each                | dense array of nothing but numbers                       |
 * | table        | u32 length, keys, end, rows             | dense array whose elements mostly have the keys of the first |
 * | sparseArray  | u32 length, (key, value)*, end          | array with holes or with properties of its own           |
 * | buffer       | u32 length, bytes                       | ArrayBuffer                                              |
 * | view         | kind, u32 length, bytes                 | view on exactly a whole buffer, which has the next number; a Buffer, whose memory has none |
 * | view         | 0 as u32, kind + 0x40, u32 index        | the same; the bytes are a carried ArrayBuffer            |
 * | viewOn       | kind, flag, f64 offset, f64 length, value | view on a part of a buffer, or on one that others see  |
 * | reference    | u32 number                              | an object that came before: alias or cycle               |
 * | carried      | u32 index                               | a value that came with a message of its own: carried.ts  |
 * | carried      | 0xffffffff as u32, f64, u32             | an argument that comes piece by piece: its number on the thread of the call, its highWaterMark |
 * | 0x20–0x3f    | values                                  | dense array of 0 to 31 elements                          |
 * | 0x40–0x7f    | characters                              | latin1 string of 0 to 63 characters                      |
 * | 0x80–0xff    |                                         | the integers -16 to 111                                  |
 *
 * A row of a table is `row` and the values in the order of the keys; or `mixedRow`, values for the first of these keys, end, (key, value)*, end;
 * or any other value.
 * Objects are numbered in the order in which their first byte is written. The flag byte says whether any reference
 * follows, so that the reader of a plain tree need not count; and whether values are carried: then the last 8 bytes are
 * a double, the number under which they come.
 */
import { Buffer } from "node:buffer";

import { getPrototypeOf, typedArrayName } from "../shared/intrinsics.ts";

export const MessageFlag = { tree: 1, graph: 2, carried: 4 } as const;

export const Tag = {
  end: 0x00,
  /** Where a value must be, which `end` is not. */
  mixedRow: 0x00,
  undefined: 0x01,
  null: 0x02,
  true: 0x03,
  false: 0x04,
  int32: 0x05,
  double: 0x06,
  bigint64: 0x07,
  bigintHex: 0x08,
  latin1: 0x09,
  utf16: 0x0a,
  object: 0x0b,
  array: 0x0c,
  sparseArray: 0x0d,
  date: 0x0e,
  map: 0x0f,
  set: 0x10,
  regexp: 0x11,
  error: 0x12,
  domException: 0x13,
  boxed: 0x14,
  buffer: 0x15,
  resizableBuffer: 0x16,
  sharedBuffer: 0x17,
  view: 0x18,
  viewOn: 0x19,
  reference: 0x1a,
  int32Array: 0x1b,
  doubleArray: 0x1c,
  table: 0x1d,
  row: 0x1e,
  carried: 0x1f,
  shortArray: 0x20,
  shortText: 0x40,
  smallInt: 0x80,
} as const;

export const shortArrayLimit = 32;
export const shortTextLimit = 64;
/** What is added to an integer to make it an index of the `smallInt` range. */
export const smallIntBias = 16;
export const smallIntCount = 128;

/** Which parts an error has; the bits of the byte after `Tag.error` and its class. */
export const ErrorPart = { message: 1, stack: 2, cause: 4 } as const;

type ViewConstructor = new (buffer: ArrayBufferLike, offset?: number, length?: number) => ArrayBufferView;

const float16: ViewConstructor | undefined = (globalThis as { Float16Array?: ViewConstructor }).Float16Array;

/** Views by their index on the wire: constructor, bytes per element. The decoder makes Buffers in another way. */
export const viewConstructors: readonly (ViewConstructor | undefined)[] = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  float16,
  undefined,
];
export const viewElementBytes: readonly number[] = [1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 1, 2, 1];

const viewKinds: Readonly<Record<string, number>> = Object.assign(
  Object.create(null) as Record<string, number>,
  {
    Uint8Array: 0,
    Int8Array: 1,
    Uint8ClampedArray: 2,
    Int16Array: 3,
    Uint16Array: 4,
    Int32Array: 5,
    Uint32Array: 6,
    Float32Array: 7,
    Float64Array: 8,
    BigInt64Array: 9,
    BigUint64Array: 10,
    Float16Array: 12,
  },
);
const dataViewKind = 11;
export const bufferKind = 13;
/** Stands for the length of a text whose characters are carried. */
export const textApart = 0xffff_ffff;
/** Stands for the index of a carried value that does not come with the message, but item by item. */
export const carriedLater = 0xffff_ffff;
/** Added to the kind of a view whose bytes are carried. */
export const viewApart = 0x40;

const bufferPrototype: object = Buffer.prototype;
const uint8ArrayPrototype: object = Uint8Array.prototype;

/** The index of a view's class on the wire, whatever its prototype claims; bufferKind for Buffers and classes derived from Buffer. */
export function viewKindOf(view: ArrayBufferView): number {
  const name = typedArrayName(view);
  if (name === undefined) return dataViewKind;
  const kind = viewKinds[name]!;
  return kind === 0 && isBuffer(view) ? bufferKind : kind;
}

function isBuffer(view: object): boolean {
  let link = getPrototypeOf(view);
  while (link !== null && link !== uint8ArrayPrototype) {
    if (link === bufferPrototype) return true;
    link = getPrototypeOf(link);
  }
  return false;
}
