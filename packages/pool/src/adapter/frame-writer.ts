import { copyBytes, unfilledBytes } from "../shared/copy-bytes.ts";
import { Float64Array, ucs2Write, Uint8Array } from "../shared/intrinsics.ts";
import { part, writeU32 } from "./process-frames.ts";

const BLOCK = 64 << 10;
/** From here on bytes are written from where they lie. */
const LARGE = 16 << 10;
/** Of a frame without texts and bytes. */
const FIXED = 64;

const f64 = new Float64Array(1);
const f64Bytes = new Uint8Array(f64.buffer);

/** Collects frames, so that many of them are one write. */
export class FrameWriter {
  readonly #write: (bytes: Uint8Array) => boolean;
  #block: Uint8Array = unfilledBytes(BLOCK);
  /** What lies before was given to `write`, and may not be gone. */
  #from = 0;
  #at = 0;
  #start = 0;

  /** @param write Gives whether the bytes are gone: otherwise they must not change any more. */
  constructor(write: (bytes: Uint8Array) => boolean) {
    this.#write = write;
  }

  /** Begins a frame; `end` has to follow. @param textLength Of all its texts together. */
  begin(kind: number, textLength: number = 0): void {
    const length = FIXED + textLength * 2;
    this.#makeRoom(length);
    this.#start = this.#at;
    this.#at += 4;
    this.u8(kind);
  }

  u8(value: number): void {
    this.#block[this.#at++] = value;
  }

  u32(value: number): void {
    writeU32(this.#block, this.#at, value);
    this.#at += 4;
  }

  f64(value: number): void {
    f64[0] = value;
    for (let i = 0; i < 8; i++) this.#block[this.#at++] = f64Bytes[i]!;
  }

  text(text: string): void {
    this.u32(text.length);
    ucs2Write(this.#block, text, this.#at);
    this.#at += text.length * 2;
  }

  /** @param bytes The end of the frame. They must not change before they are gone. */
  end(bytes: Uint8Array | null = null): void {
    const length = bytes === null ? 0 : bytes.length;
    writeU32(this.#block, this.#start, this.#at - this.#start - 4 + length);
    if (bytes === null) return;
    if (length >= LARGE) {
      this.flush();
      this.#write(bytes);
      return;
    }
    this.#makeRoom(length);
    copyBytes(bytes, 0, length, this.#block, this.#at);
    this.#at += length;
  }

  flush(): void {
    if (this.#at === this.#from) return;
    if (this.#write(part(this.#block, this.#from, this.#at))) this.#at = 0;
    this.#from = this.#at;
  }

  #makeRoom(length: number): void {
    if (this.#at + length <= this.#block.length) return;
    this.flush();
    if (this.#at + length <= this.#block.length) return;
    this.#block = unfilledBytes(length > BLOCK ? length : BLOCK);
    this.#from = this.#at = 0;
  }
}
