/**
 * A growing block of bytes, and how numbers and texts are written into it. The tags are those of wire-tags.ts. Long runs of bytes and long
 * texts stay where they are until the message is copied to its place: they are copied once.
 */
import { NotCloneableError } from "../errors.ts";
import { copyBytes } from "../shared/copy-bytes.ts";
import {
  asInt64,
  bigintText,
  charCodeAt,
  execRegExp,
  latin1Write,
  setBytes,
  ucs2Write,
  Uint8Array,
} from "../shared/intrinsics.ts";
import { Refusal } from "./refusal.ts";
import { shortTextLimit, smallIntBias, smallIntCount, Tag, textApart } from "./wire-tags.ts";

const initialBytes = 4096;
/** A block larger than this is given back with its message. */
const keptBytes = 4 * 1024 * 1024;
/** From here on a native write beats a loop over the characters. */
const nativeWriteFrom = 32;
const maxLength = 0xffff_ffff;
/** Slots hold lengths as signed 32 bits. */
const maxMessage = 0x7fff_ffff;
export const tooLarge = "is too large to be copied; share it as a SharedArrayBuffer or list it in `transfer`";
/** From here on it pays to remember where bytes are instead of copying them twice. */
const runFrom = 4096;
/** What any tag, number or short text needs at most; kept free so that these need not ask for room. */
export const chunk = 32;

const notLatin1 = /[^\0-\xff]/;
const f64 = new Float64Array(1);
const f64Bytes = new Uint8Array(f64.buffer);
const i64 = new BigInt64Array(f64.buffer);

/** Bytes of the message that are not in the block. */
interface Run {
  /** Where in the block they belong. */
  readonly at: number;
  /** A text of as many characters as bytes is latin1, any other UTF-16. */
  readonly source: Uint8Array | string;
  /** In bytes. */
  readonly length: number;
}

/** In place of the runs of a message that was copied: without them its bytes are not whole. */
const copied: Run[] = [];

export class ByteWriter {
  protected out: Uint8Array = new Uint8Array(initialBytes);
  protected pos = 0;
  #runs: Run[] | null = null;
  #runBytes = 0;

  protected begin(): void {
    this.pos = 1;
  }

  /** The message is not needed any more: what it held goes, since the next one may come late. */
  protected forgetMessage(): void {
    if (this.out.length > keptBytes) this.out = new Uint8Array(initialBytes);
    if (this.#runs === null) return;
    this.#runs = null;
    this.#runBytes = 0;
  }

  /** The same, of a message that is still in use: only what lies in the block can be read again. */
  protected runsCopied(): void {
    if (this.#runs !== null) this.#runs = copied;
  }

  /** Of the message so far. */
  protected get length(): number {
    const runs = this.#runs ?? [];
    for (let i = 0; i < runs.length; i++) {
      const { source, length } = runs[i]!;
      if (typeof source !== "string") checkedLength(source, length);
    }
    const length = this.pos + this.#runBytes;
    if (length > maxMessage) throw new Refusal(tooLarge);
    return length;
  }

  protected get hasRuns(): boolean {
    return this.#runs !== null;
  }

  /**
   * The message, to `target` at `at`.
   * @throws NotCloneableError when code of the user's has run since it was encoded, and has taken memory of it away.
   */
  protected writeTo(target: Uint8Array, at: number): void {
    const runs = this.#runs;
    if (runs === copied) throw new Error("Assertion: a message that was copied is read again");
    let from = 0;
    if (runs !== null) {
      for (let i = 0; i < runs.length; i++) {
        const run = runs[i]!;
        copyBytes(this.out, from, run.at - from, target, at);
        at += run.at - from;
        from = run.at;
        const { source, length } = run;
        copyRun(source, length, target, at);
        at += length;
      }
    }
    copyBytes(this.out, from, this.pos - from, target, at);
  }

  /** Room for `count` more bytes; every value asks for its own, with `chunk` to spare for tags and numbers. */
  protected reserve(count: number): void {
    const needed = this.pos + count + chunk;
    if (needed <= this.out.length) return;
    const twice = this.out.length * 2;
    const larger = allocate(needed > twice ? needed : twice) ?? allocate(needed);
    if (larger === undefined) {
      throw new Refusal(tooLarge);
    }
    copyBytes(this.out, 0, this.pos, larger, 0);
    this.out = larger;
  }

  protected writeNumber(value: number): void {
    const out = this.out;
    let pos = this.pos;
    const int = value | 0;
    if (int === value && (int !== 0 || 1 / value > 0)) {
      const small = int + smallIntBias;
      if (small >= 0 && small < smallIntCount) {
        out[pos] = Tag.smallInt + small;
        this.pos = pos + 1;
        return;
      }
      out[pos++] = Tag.int32;
      this.pos = pos;
      this.writeU32(int);
      return;
    }
    out[pos] = Tag.double;
    this.pos = pos + 1;
    this.writeF64(value);
  }

  protected writeU32(value: number): void {
    const out = this.out;
    const pos = this.pos;
    out[pos] = value;
    out[pos + 1] = value >>> 8;
    out[pos + 2] = value >>> 16;
    out[pos + 3] = value >>> 24;
    this.pos = pos + 4;
  }

  protected writeF64(value: number): void {
    f64[0] = value;
    this.write8();
  }

  protected write8(): void {
    const out = this.out;
    const pos = this.pos;
    out[pos] = f64Bytes[0]!;
    out[pos + 1] = f64Bytes[1]!;
    out[pos + 2] = f64Bytes[2]!;
    out[pos + 3] = f64Bytes[3]!;
    out[pos + 4] = f64Bytes[4]!;
    out[pos + 5] = f64Bytes[5]!;
    out[pos + 6] = f64Bytes[6]!;
    out[pos + 7] = f64Bytes[7]!;
    this.pos = pos + 8;
  }

  protected writeLength(tag: number, length: number): void {
    if (length > maxLength) throw new Refusal("is larger than 4 GiB; share it as a SharedArrayBuffer");
    this.out[this.pos++] = tag;
    this.writeU32(length);
  }

  /** Also the keys of objects: wherever a text stands, `chunk` bytes are free. */
  protected writeText(text: string): void {
    const length = text.length;
    if (length >= nativeWriteFrom) return this.writeLongText(text);
    const out = this.out;
    let pos = this.pos;
    out[pos++] = Tag.shortText + length;
    for (let i = 0; i < length; i++) {
      const code = charCodeAt(text, i);
      if (code > 0xff) return this.writeUtf16(text);
      out[pos++] = code;
    }
    this.pos = pos;
  }

  protected writeLongText(text: string): void {
    if (execRegExp(notLatin1, text) !== null) return this.writeUtf16(text);
    const length = text.length;
    if (length < shortTextLimit) this.out[this.pos++] = Tag.shortText + length;
    else this.writeLength(Tag.latin1, length);
    if (length >= runFrom) return this.#addRun(text, length);
    this.reserve(length);
    latin1Write(this.out, text, this.pos);
    this.pos += length;
  }

  /** As `writeLongText`, with the characters elsewhere. @returns how many bytes they take. */
  protected writeTextApart(text: string): number {
    const isLatin1 = execRegExp(notLatin1, text) === null;
    this.writeLength(isLatin1 ? Tag.latin1 : Tag.utf16, textApart);
    return isLatin1 ? text.length : text.length * 2;
  }

  protected writeUtf16(text: string): void {
    const length = text.length * 2;
    this.writeLength(Tag.utf16, text.length);
    if (length >= runFrom) return this.#addRun(text, length);
    this.reserve(length);
    ucs2Write(this.out, text, this.pos);
    this.pos += length;
  }

  protected writeBigint(value: bigint): void {
    if (asInt64(64, value) === value) {
      this.out[this.pos++] = Tag.bigint64;
      i64[0] = value;
      this.write8();
      return;
    }
    this.out[this.pos++] = Tag.bigintHex;
    this.writeText(value < 0n ? `-${bigintText(-value, 16)}` : bigintText(value, 16));
  }

  protected writeBytes(source: Uint8Array): void {
    if (source.length >= runFrom) return this.#addRun(source, source.length);
    this.reserve(source.length);
    setBytes(this.out, source, this.pos);
    this.pos += source.length;
  }

  #addRun(source: Uint8Array | string, length: number): void {
    const runs = (this.#runs ??= []);
    runs[runs.length] = { at: this.pos, source, length };
    this.#runBytes += length;
    this.reserve(0);
  }
}

/**
 * @param source A text of as many characters as bytes is latin1, any other UTF-16.
 * @throws NotCloneableError when it is memory that no longer has its length.
 */
export function copyRun(source: Uint8Array | string, length: number, target: Uint8Array, at: number): void {
  if (typeof source !== "string") {
    if (source.length !== length)
      throw new NotCloneableError(
        "message",
        "holds memory that was resized or transferred before it was copied",
      );
    copyBytes(source, 0, length, target, at);
  } else if (source.length === length) latin1Write(target, source, at);
  else ucs2Write(target, source, at);
}

/** @throws Refusal when a getter has changed what was visited before it. */
export function checkedLength(source: Uint8Array, length: number): number {
  if (source.length !== length) throw new Refusal("was resized or transferred by a getter of the same value");
  return length;
}

function allocate(length: number): Uint8Array | undefined {
  try {
    return new Uint8Array(length);
  } catch {
    return undefined;
  }
}
