/** Where things are in the shared memory of one slot. A pure function of its size, computed alike by every thread. */

export const LINE_WORDS = 16;
export const BLOCK_BYTES = 256;
export const BLOCKS_PER_WORD = 32;
const WORD_BYTES = 4;

export interface SegmentLayout {
  /** Blocks in use from the beginning, and as many again that are withheld: see blocks.ts. A multiple of 32 each. */
  readonly blocks: number;
  readonly totalBlocks: number;
  readonly headWord: number;
  readonly bitmapWord: number;
  readonly bitmapWords: number;
  /** The item linked before this one; valid in the first block of an item. */
  readonly nextWord: number;
  /** The next block of the same item. */
  readonly moreWord: number;
  /** Bytes of the whole item; valid in its first block. */
  readonly lengthWord: number;
  readonly dataByte: number;
  readonly byteLength: number;
}

export function layoutFor(sharedBytes: number): SegmentLayout {
  const wordsInUse = Math.max(1, Math.floor(sharedBytes / (BLOCK_BYTES * BLOCKS_PER_WORD)));
  const blocks = wordsInUse * BLOCKS_PER_WORD;
  const totalBlocks = 2 * blocks;
  const bitmapWords = totalBlocks / BLOCKS_PER_WORD;
  const headWord = 0;
  const bitmapWord = LINE_WORDS;
  const nextWord = Math.ceil((bitmapWord + bitmapWords) / LINE_WORDS) * LINE_WORDS;
  const moreWord = nextWord + totalBlocks;
  const lengthWord = moreWord + totalBlocks;
  const dataByte = (lengthWord + totalBlocks) * WORD_BYTES;
  return {
    blocks,
    totalBlocks,
    headWord,
    bitmapWord,
    bitmapWords,
    nextWord,
    moreWord,
    lengthWord,
    dataByte,
    byteLength: dataByte + totalBlocks * BLOCK_BYTES,
  };
}
