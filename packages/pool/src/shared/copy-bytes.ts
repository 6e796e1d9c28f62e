/**
 * Bytes from one memory to another, at the speed of the machine. `TypedArray.set` takes shared memory word by word: on Node 24 four times as
 * long for 64 KB. `Buffer.copy` copies natively, as long as it copies a part of its source.
 */
import { allocateUnfilled, copyBuffer, Uint8Array } from "./intrinsics.ts";

/** From here on zeroes that are overwritten at once take a measurable time. */
const unfilledFrom = 16_384;

/** Memory of its own, to be overwritten at once: it may hold anything. @throws RangeError when there is none. */
export function unfilledBytes(length: number): Uint8Array<ArrayBuffer> {
  return length < unfilledFrom ? new Uint8Array(length) : new Uint8Array(allocateUnfilled(length).buffer);
}

/** `length` bytes of `source` from `start` on, as far as it has them, to `target` at `at`. There must be room. */
export function copyBytes(
  source: Uint8Array,
  start: number,
  length: number,
  target: Uint8Array,
  at: number,
): void {
  if (start > 0 || length < source.length) {
    copyBuffer(source, target, at, start, start + length);
  } else if (source.length > 1) {
    target[at] = source[0]!;
    copyBuffer(source, target, at + 1, 1, source.length);
  } else if (source.length > 0) {
    target[at] = source[0]!;
  }
}
