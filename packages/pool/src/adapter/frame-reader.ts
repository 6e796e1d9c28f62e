import { copyBytes, unfilledBytes } from "../shared/copy-bytes.ts";
import { FrameBody, foreignBytes, part, u32At } from "./process-frames.ts";

/** Of the length and the kind. */
const HEAD = 5;

/** Finds the frames in what comes over a pipe, in pieces of any length. */
export class FrameReader {
  readonly #kinds: readonly number[];
  readonly #onFrame: (kind: number, body: FrameBody) => void;
  /** The beginning of a frame, and how much of it has to be here before it is looked at again. */
  #kept: Uint8Array[] = [];
  #length = 0;
  #needed = 0;

  /** @param kinds Of the frames that come over this pipe. */
  constructor(kinds: readonly number[], onFrame: (kind: number, body: FrameBody) => void) {
    this.#kinds = kinds;
    this.#onFrame = onFrame;
  }

  /** @throws Error when the bytes are no frame. Nothing can be read after that. */
  push(piece: Uint8Array): void {
    const bytes = this.#withKept(piece);
    if (bytes === null) return;
    let at = 0;
    let end = 0;
    for (; bytes.length - at >= HEAD; at = end) {
      end = at + 4 + u32At(bytes, at);
      const kind = bytes[at + 4]!;
      if (!this.#kinds.includes(kind)) throw foreignBytes();
      if (end > bytes.length) break;
      this.#onFrame(kind, new FrameBody(part(bytes, at + HEAD, end)));
    }
    if (at < bytes.length) this.#keep(part(bytes, at, bytes.length));
  }

  #keep(bytes: Uint8Array): void {
    this.#kept = [bytes];
    this.#length = bytes.length;
    this.#needed = bytes.length < HEAD ? HEAD : 4 + u32At(bytes, 0);
  }

  /** Null: not enough yet. */
  #withKept(piece: Uint8Array): Uint8Array | null {
    if (this.#length === 0) return piece;
    this.#kept.push(piece);
    this.#length += piece.length;
    if (this.#length < this.#needed) return null;
    const all = unfilledBytes(this.#length);
    let at = 0;
    for (const each of this.#kept) {
      copyBytes(each, 0, each.length, all, at);
      at += each.length;
    }
    this.#kept = [];
    this.#length = 0;
    return all;
  }
}
