/**
 * V8 frees shared memory when no thread has an object for it, but does not count it: on a thread that has little else to do, the
 * object of some hundred MB is never collected. So much memory that V8 does count makes it look. What is dropped while it is already
 * looking it finds only the next time: so it is made to look until what was dropped has gone.
 */
import { TrimTimer } from "../shared/trim-timer.ts";

/** More than 64 MB above what there was after the last collection makes V8 begin one, in steps, beside the thread's other work. */
const COUNTED_BYTES = 96 << 20;
/** So much may lie about. */
export const KEPT_BYTES: number = 16 << 20;
/** Somebody else may have it still: then it is not looked for any longer. */
const LOOKS = 8;

/** Dropped, and not collected. */
let droppedBytes = 0;
let looks = 0;

const finalizer = new FinalizationRegistry<number>((bytes) => {
  droppedBytes = Math.max(0, droppedBytes - bytes);
});

const timer = new TrimTimer(() => {
  if (droppedBytes > KEPT_BYTES && looks < LOOKS) {
    looks++;
    makeLook();
    return true;
  }
  droppedBytes = 0;
  return false;
});

/** This thread has let go its last reference to `buffer`. */
export function sharedMemoryDropped(buffer: SharedArrayBuffer): void {
  const bytes = buffer.byteLength;
  finalizer.register(buffer, bytes);
  droppedBytes += bytes;
  if (droppedBytes <= KEPT_BYTES) return;
  looks = 1;
  makeLook();
  timer.start();
}

/** V8 begins a collection, unless it is at one. */
export function makeLook(): void {
  try {
    // Address space, never touched, and gone before the collection begins.
    new ArrayBuffer(COUNTED_BYTES).transfer(0);
  } catch {
    // There is no room: V8 has collected in vain.
  }
}
