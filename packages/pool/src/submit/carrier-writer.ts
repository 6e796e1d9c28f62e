/** Carriers, from their pieces to bytes. The first job of a short one has it beside its arguments: it is written for each context of one job. */
import { charCodeAt, utf8Write } from "../shared/intrinsics.ts";
import { INLINE_BYTES } from "../shared/layout.ts";

/** For what stands before a value: the version, and the name. Of three bytes for each character at most. */
const HEAD_BYTES = 256;
/** Shorter texts are written in a loop: a call out of JavaScript takes longer. */
const NATIVE_FROM = 48;

export class CarrierWriter {
  /**
   * Of the text that was written last. Never 0. The same for the same text, and another one for most others: of a value that is too long for a
   * slot some bytes count alone, six at its end, where ids are, and eight before them.
   */
  hash = 1;
  /** The name of the first value in the last text, and that text up to there. */
  #head = "";
  #headLength = 0;
  readonly #headBytes = new Uint8Array(HEAD_BYTES);

  /**
   * In UTF-8, as far as there is room. Most texts begin as the one before, with the name of the same value: bytes are copied in half the time
   * that characters take.
   *
   * @param pieces The text of the context, or the version alone; then the name of a value and its text, and so on.
   * @returns how many bytes they take.
   */
  write(pieces: readonly string[], target: Uint8Array, at: number): number {
    let end = at;
    let from = 0;
    if (pieces.length > 2 && pieces[0]!.length === 1) {
      if (pieces[1] !== this.#head) this.#keepHead(pieces[0]!, pieces[1]!);
      // Equal, but perhaps not the same: that would be compared again and again.
      this.#head = pieces[1]!;
      const head = this.#headBytes;
      const length = this.#headLength;
      for (let i = 0; i < length; i++) target[end + i] = head[i]!;
      end += length;
      if (length > 0) from = 2;
    }
    let hash = 1;
    for (let i = from; i < pieces.length; i++) {
      const text = pieces[i]!;
      const { length } = text;
      let done = 0;
      if (length < NATIVE_FROM) {
        for (; done < length; done++) {
          const code = charCodeAt(text, done);
          if (code > 0x7f) break;
          target[end + done] = code;
          hash = hashWith(hash, code);
        }
      }
      if (done === length) {
        end += length;
      } else {
        const bytes = utf8Write(target, text, end);
        hash = hashWithBytes(hash, target, end, bytes);
        end += bytes;
      }
    }
    hash ^= (hash >>> 8) ^ (hash >>> 16);
    this.hash = hash === 0 ? 1 : hash;
    return end - at;
  }

  #keepHead(start: string, name: string): void {
    const text = start + name;
    this.#headLength = text.length * 3 > HEAD_BYTES ? 0 : utf8Write(this.#headBytes, text, 0);
  }
}

/** Times 31, without a multiplication of doubles. */
function hashWith(hash: number, code: number): number {
  return ((hash << 5) - hash + code) | 0;
}

function hashWithBytes(start: number, bytes: Uint8Array, at: number, length: number): number {
  let hash = start;
  const last = length > 6 ? at + length - 6 : at;
  const step = length > INLINE_BYTES ? (length >> 3) + 1 : 1;
  for (let i = at; i < last; i += step) hash = hashWith(hash, bytes[i]!);
  for (let i = last; i < at + length; i++) hash = hashWith(hash, bytes[i]!);
  return hash;
}
