/**
 * Short latin1 strings from bytes. The same keys and words come again in message after message: a direct-mapped table
 * gives back the string that was made before, without a call into native code. A collision only costs the call.
 */
import { charCodeAt, fromCharCode, latin1Slice } from "../shared/intrinsics.ts";

const tableSize = 1024;
/** Longer strings repeat less, and the native call pays off. */
const cachedLength = 24;

export class TextCache {
  readonly #table: string[] = [];

  constructor() {
    for (let i = 0; i < tableSize; i++) this.#table[i] = "";
  }

  /** The string of `length` latin1 bytes at `start`. */
  read(bytes: Uint8Array, start: number, length: number): string {
    if (length > cachedLength) return latin1Slice(bytes, start, start + length);
    if (length === 0) return "";
    // Four characters tell most words apart, and the comparison looks at all of them anyway.
    const last = start + length - 1;
    let hash = length + bytes[start]! * 7 + bytes[last]! * 61 + bytes[start + (length >> 1)]! * 433;
    hash = (hash + bytes[start + (length >> 2)]! * 3079) & (tableSize - 1);
    const known = this.#table[hash]!;
    if (known.length === length && isSame(known, bytes, start)) return known;
    const text = make(bytes, start, length);
    this.#table[hash] = text;
    return text;
  }
}

function isSame(text: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (charCodeAt(text, i) !== bytes[start + i]) return false;
  return true;
}

function make(b: Uint8Array, i: number, length: number): string {
  switch (length) {
    case 1:
      return fromCharCode(b[i]!);
    case 2:
      return fromCharCode(b[i]!, b[i + 1]!);
    case 3:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!);
    case 4:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!);
    case 5:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!);
    case 6:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!);
    case 7:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!);
    case 8:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!);
    default:
      return latin1Slice(b, i, i + length);
  }
}
