/**
 * Bytes of one message, read in order and never beyond its end. Bytes that no ByteWriter wrote make it throw.
 */
import { SkeinError } from "@skein/context/errors";

import { copyBytes, unfilledBytes } from "../shared/copy-bytes.ts";
import { textOf } from "./long-texts.ts";
import type { TextCache } from "./text-cache.ts";
import { Tag } from "./wire-tags.ts";

const f64 = new Float64Array(1);
const f64Bytes = new Uint8Array(f64.buffer);
const i64 = new BigInt64Array(f64.buffer);
const nothing = new Uint8Array(0);

export class ByteReader {
  protected bytes: Uint8Array = nothing;
  protected pos = 0;
  protected end = 0;

  protected begin(bytes: Uint8Array, start: number, length: number): void {
    this.bytes = bytes;
    this.pos = start;
    const end = start + length;
    this.end = end < bytes.length ? end : bytes.length;
  }

  /** Lets go of the bytes. */
  protected release(): void {
    this.bytes = nothing;
  }

  protected readU32(): number {
    const bytes = this.bytes;
    const pos = this.pos;
    if (pos + 4 > this.end) throw corrupt("it ends too early");
    this.pos = pos + 4;
    return (bytes[pos]! | (bytes[pos + 1]! << 8) | (bytes[pos + 2]! << 16) | (bytes[pos + 3]! << 24)) >>> 0;
  }

  protected readF64(): number {
    const bytes = this.bytes;
    const pos = this.pos;
    if (pos + 8 > this.end) throw corrupt("it ends too early");
    f64Bytes[0] = bytes[pos]!;
    f64Bytes[1] = bytes[pos + 1]!;
    f64Bytes[2] = bytes[pos + 2]!;
    f64Bytes[3] = bytes[pos + 3]!;
    f64Bytes[4] = bytes[pos + 4]!;
    f64Bytes[5] = bytes[pos + 5]!;
    f64Bytes[6] = bytes[pos + 6]!;
    f64Bytes[7] = bytes[pos + 7]!;
    this.pos = pos + 8;
    return f64[0]!;
  }

  /** A count of things that take at least `bytesEach` bytes of the message: a wrong one cannot make us allocate. */
  protected readCount(bytesEach: number): number {
    const count = this.readU32();
    if (count * bytesEach > this.end - this.pos) throw corrupt("a length is larger than the message");
    return count;
  }

  protected readShortText(length: number, cache: TextCache): string {
    const start = this.pos;
    const end = start + length;
    if (end > this.end) throw corrupt("it ends too early");
    this.pos = end;
    return cache.read(this.bytes, start, length);
  }

  protected readLongText(tag: number): string {
    const width = tag === Tag.latin1 ? 1 : 2;
    const start = this.pos + 4;
    const end = start + this.readCount(width) * width;
    this.pos = end;
    return textOf(this.bytes, start, end, width);
  }

  protected readBigint64(): bigint {
    this.readF64();
    return i64[0]!;
  }

  protected readByte(): number {
    if (this.pos >= this.end) throw corrupt("it ends too early");
    return this.bytes[this.pos++]!;
  }

  protected readBytes(length: number): Uint8Array {
    if (this.pos + length > this.end) throw corrupt("it ends too early");
    const copy = unfilledBytes(length);
    this.readBytesInto(copy);
    return copy;
  }

  protected readBytesInto(target: Uint8Array): void {
    const start = this.pos;
    const end = start + target.length;
    if (end > this.end) throw corrupt("it ends too early");
    this.pos = end;
    copyBytes(this.bytes, start, target.length, target, 0);
  }
}

export function corrupt(problem: string): SkeinError {
  return new SkeinError("ERR_SKEIN_CORRUPT_MESSAGE", `A message between threads cannot be read: ${problem}`);
}
