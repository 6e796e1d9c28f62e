/** The contexts of running jobs: decoded once per distinct context and thread, then entered for a few nanoseconds. */
import { CarriedScope } from "@skein/context";
import type { Arenas } from "../shared/arenas.ts";
import { Float64Array, Int32Array, utf8Slice } from "../shared/intrinsics.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { CONTEXT_IN_SLOT } from "../shared/slot-fields.ts";

/** More distinct contexts than a thread meets between two jobs of the same one. A power of two. */
const PLACES = 256;
/** Of all carriers that are kept. */
const KEPT_CHARS = 256 << 10;

/**
 * Each context has one place, by its number. Numbers follow each other, so that a new one pushes out the oldest. A Map would cost more than the
 * rest: most contexts have one job.
 */
export class ContextScopes {
  readonly #memory: PoolMemory;
  readonly #arenas: Arenas;
  readonly #scopes: (CarriedScope | null)[] = Array.from({ length: PLACES }, () => null);
  readonly #ids = new Float64Array(PLACES);
  readonly #serials = new Int32Array(PLACES);
  readonly #lengths = new Int32Array(PLACES);
  #chars = 0;

  constructor(memory: PoolMemory, arenas: Arenas) {
    this.#memory = memory;
    this.#arenas = arenas;
  }

  /** The context in which the job in `slot` was submitted; null: nothing of it came along. */
  of(slot: number): CarriedScope | null {
    const id = this.#memory.slots.contextId(slot);
    if (id === 0) return null;
    const serial = this.#memory.submitterSerial(slot);
    const place = (id + serial) % PLACES;
    const known = this.#scopes[place]!;
    if (known !== null && this.#ids[place] === id && this.#serials[place] === serial) return known;
    const { slots } = this.#memory;
    const scope =
      slots.contextArena(slot) === CONTEXT_IN_SLOT ? this.#inSlot(slot, place) : this.#inArena(slot, place);
    this.#ids[place] = id;
    this.#serials[place] = serial;
    return (this.#scopes[place] = scope);
  }

  #inSlot(slot: number, place: number): CarriedScope {
    const { slots } = this.#memory;
    const start = slots.contextOffset(slot);
    const length = slots.contextLength(slot);
    this.#makeRoom(place, length);
    return CarriedScope.fromBytes(slots.bytes, start, start + length, utf8Slice);
  }

  #inArena(slot: number, place: number): CarriedScope {
    const { slots } = this.#memory;
    const carrier = this.#arenas.text(slots.contextArena(slot), slots.contextBlock(slot));
    this.#makeRoom(place, carrier.length);
    return new CarriedScope(carrier);
  }

  #makeRoom(place: number, length: number): void {
    this.#chars += length - this.#lengths[place]!;
    if (this.#chars > KEPT_CHARS) {
      this.forget();
      this.#chars = length;
    }
    this.#lengths[place] = length;
  }

  /** The thread has nothing to do: it keeps no context. */
  forget(): void {
    this.#scopes.fill(null);
    this.#lengths.fill(0);
    this.#chars = 0;
  }

  /** The submitter with this serial has ended: another one may count from 1 again, and have its serial one day. */
  drop(serial: number): void {
    for (let place = 0; place < PLACES; place++)
      if (this.#serials[place] === serial) this.#scopes[place] = null;
  }
}
