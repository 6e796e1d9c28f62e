/**
 * V8 frees shared memory when no thread has an object for it, but does not count it: on a thread that has little else to do, the
 * object of some hundred MB is never collected. So much memory that V8 does count makes it look.
 */

/** More than 64 MB above what there was after the last collection makes V8 begin one, in steps, beside the thread's other work. */
const COUNTED_BYTES = 96 << 20;
/** So much may lie about. */
const KEPT_BYTES = 16 << 20;
let droppedBytes = 0;

/** This thread has let go its last reference to so much shared memory. */
export function sharedMemoryDropped(bytes: number): void {
  droppedBytes += bytes;
  if (droppedBytes <= KEPT_BYTES) return;
  droppedBytes = 0;
  try {
    // Address space, never touched, and gone before the collection begins.
    new ArrayBuffer(COUNTED_BYTES).transfer(0);
  } catch {
    // There is no room: V8 has collected in vain.
  }
}
