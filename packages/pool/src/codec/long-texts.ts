/**
 * Long texts out of shared memory. Node.js copies such bytes into memory of that moment before it makes a string of them. Copied into a block that
 * stays for a while, they become one several times faster.
 */
import { copyBytes, unfilledBytes } from "../shared/copy-bytes.ts";
import { bufferOf, latin1Slice, ucs2Slice } from "../shared/intrinsics.ts";
import { TrimTimer } from "../shared/trim-timer.ts";
import { isSharedArrayBuffer } from "./brand-checks.ts";

/** Shorter ones take as long either way. */
const LONG_BYTES = 512 << 10;

let block: Uint8Array | null = null;
let wasUsed = false;
const timer = new TrimTimer(() => {
  if (!wasUsed) block = null;
  wasUsed = false;
  return block !== null;
});

/** The text in `bytes` from `start` to `end`, of one byte a character, or of two. */
export function textOf(bytes: Uint8Array, start: number, end: number, width: 1 | 2): string {
  const slice = width === 1 ? latin1Slice : ucs2Slice;
  const length = end - start;
  if (length < LONG_BYTES || !isSharedArrayBuffer(bufferOf(bytes)) || !makeRoom(length))
    return slice(bytes, start, end);
  copyBytes(bytes, start, length, block!, 0);
  return slice(block!, 0, length);
}

/** @returns false: the machine has none, and the text may yet fit. */
function makeRoom(length: number): boolean {
  wasUsed = true;
  if (block !== null && block.length >= length) return true;
  block = null;
  try {
    block = unfilledBytes(length);
  } catch {
    return false;
  }
  timer.start();
  return true;
}
