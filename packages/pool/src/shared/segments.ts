/**
 * Segments: the growable part of shared memory. Each is a SharedArrayBuffer with a number; its owner posts it to the
 * other threads before any slot names it, so a reader that does not know a number finds it in its port (`takeMessages`).
 *
 * A number is `owner's serial | large | index`. Serials are never re-used (20 bits: a million threads in the life of a pool), so
 * a replaced thread cannot be taken for the dead one. The index of a large segment (one payload, dropped afterwards) is re-used:
 * its reader takes in the port's messages first, every time, because they hold the retirement of the former and the
 * announcement of this one, in order.
 */

const INDEX_BITS = 11;
/** How many segments one thread may have. */
export const MAX_SEGMENTS: number = 1 << INDEX_BITS;

const LARGE = 1 << INDEX_BITS;
const SERIAL_SHIFT = INDEX_BITS + 1;

export function segmentId(serial: number, index: number, large: boolean): number {
  return (serial << SERIAL_SHIFT) | (large ? LARGE : 0) | index;
}

export function segmentIndex(id: number): number {
  return id & (MAX_SEGMENTS - 1);
}

/** The segments that this thread can read: its own and those of others. */
export class SegmentDirectory {
  readonly #views = new Map<number, Uint8Array>();
  readonly #takeMessages: () => void;

  /** @param takeMessages Takes in what other threads have posted to this one, without waiting. */
  constructor(takeMessages: () => void) {
    this.#takeMessages = takeMessages;
  }

  add(id: number, buffer: SharedArrayBuffer): void {
    this.#views.set(id, new Uint8Array(buffer));
  }

  drop(id: number): void {
    this.#views.delete(id);
  }

  /** Forgets everything that the thread with this serial owned. */
  dropOwner(serial: number): void {
    for (const id of this.#views.keys()) {
      if (id >>> SERIAL_SHIFT === serial) this.#views.delete(id);
    }
  }

  bytes(id: number): Uint8Array {
    let view = (id & LARGE) === 0 ? this.#views.get(id) : undefined;
    if (view === undefined) {
      this.#takeMessages();
      view = this.#views.get(id);
      if (view === undefined) throw new Error(`Assertion: segment ${id} was never announced to this thread`);
    }
    return view;
  }
}
