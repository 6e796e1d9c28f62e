/**
 * What jobs have received and returned is garbage when they are over, and V8 looks for it when there is more: on a thread that has
 * nothing to do, never. So some time after the last large value somebody has to make it look.
 */
import { KEPT_BYTES, makeLook } from "../transfer/memory-pressure.ts";

/** Smaller values are found with all the other garbage. */
export const LARGE_BYTES: number = 64 << 10;

/** What V8 has met while it was already looking, it finds the next time. */
const LOOKS = 3;

export class LargeValues {
  readonly #onFirst: () => void;
  #bytes = 0;
  /** Calls of `trim` since the last value. */
  #rests = 0;

  /** @param onFirst `trim` has to be called from time to time, until it returns false. */
  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
  }

  /** A value of so many bytes has come, or is about to go. */
  add(bytes: number): void {
    if (bytes < LARGE_BYTES) return;
    this.#bytes += bytes;
    this.#rests = 0;
    this.#onFirst();
  }

  /** @returns whether to call it again in a while. */
  trim(): boolean {
    if (this.#bytes === 0) return false;
    if (++this.#rests === 1) return true;
    if (this.#bytes > KEPT_BYTES) makeLook();
    if (this.#rests <= LOOKS) return true;
    this.#bytes = 0;
    return false;
  }
}
