/**
 * Which of many fingerprints occur more than once: fork and join over memory that all threads share.
 *
 * A piece of the work is a range of first bytes. It looks at every fingerprint and takes those in its range, so no two pieces write the
 * same mark. Called without a pool, this thread does all of it.
 */
import { fork } from "@skein/pool/worker";

const FIRST_BYTES = 256;
/** Ranges of so many are not divided further. */
const ALONE = 32;

/**
 * @param words two for each fingerprint
 * @param repeats set to 1 where a fingerprint is there more than once
 */
export function markRepeats(
  words: Uint32Array,
  repeats: Uint8Array,
  from: number = 0,
  to: number = FIRST_BYTES,
): void {
  if (to - from <= ALONE) return markRange(words, repeats, from, to);
  const middle = (from + to) >> 1;
  const right = fork(markRepeats, words, repeats, middle, to); // a thread without work takes it
  markRepeats(words, repeats, from, middle);
  right.join(); // or this one does
}

/** Fingerprints are spread evenly, so their low word serves as the hash of a table with open addressing. */
function markRange(words: Uint32Array, repeats: Uint8Array, from: number, to: number): void {
  const size = 2 ** Math.ceil(Math.log2(repeats.length + 1) + 1);
  const table = new Int32Array(size).fill(-1);
  for (let index = 0; index < repeats.length; index++) {
    const high = words[2 * index]!;
    const low = words[2 * index + 1]!;
    const firstByte = high >>> 24;
    if (firstByte < from || firstByte >= to) continue;
    let at = low & (size - 1);
    while (table[at]! >= 0 && (words[2 * table[at]!] !== high || words[2 * table[at]! + 1] !== low))
      at = (at + 1) & (size - 1);
    if (table[at]! >= 0) repeats[table[at]!] = repeats[index] = 1;
    else table[at] = index;
  }
}
