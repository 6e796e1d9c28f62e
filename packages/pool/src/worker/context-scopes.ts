/** The contexts of running jobs: decoded once per distinct context and thread, then entered for a few nanoseconds. */
import { CarriedScope, ExecutionContext } from "@skein/context";
import type { Arenas } from "../shared/arenas.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { RecentBySubmitter } from "./recent.ts";

/** More distinct contexts than a thread meets between two jobs of the same one, as far as they are short. */
const KEPT_BYTES = 256 << 10;
/** What the shortest one takes. */
const SCOPE_BYTES = 2 << 10;

interface DecodedContext {
  readonly scope: CarriedScope;
  readonly length: number;
}

export class ContextScopes {
  readonly #memory: PoolMemory;
  readonly #arenas: Arenas;
  readonly #decoded = new RecentBySubmitter<DecodedContext>(KEPT_BYTES, ({ length }) => SCOPE_BYTES + length);
  #lastId = 0;
  #lastSerial = 0;
  #last: CarriedScope | null = null;

  constructor(memory: PoolMemory, arenas: Arenas) {
    this.#memory = memory;
    this.#arenas = arenas;
  }

  /** The context in which the job in `slot` was submitted; null: nothing of it came along. */
  of(slot: number): CarriedScope | null {
    const id = this.#memory.slots.contextId(slot);
    if (id === 0) return null;
    const serial = this.#memory.submitterSerial(slot);
    if (id === this.#lastId && serial === this.#lastSerial) return this.#last;
    let decoded = this.#decoded.get(serial, id);
    if (decoded === undefined) this.#decoded.set(serial, id, (decoded = this.#decode(slot)));
    this.#lastId = id;
    this.#lastSerial = serial;
    return (this.#last = decoded.scope);
  }

  /** The thread has nothing to do: it keeps no context. */
  forget(): void {
    this.#decoded.clear();
    this.#forgetLast();
  }

  /** The submitter with this serial has ended: another one may count from 1 again, and have its serial one day. */
  drop(serial: number): void {
    this.#decoded.drop(serial);
    if (serial === this.#lastSerial) this.#forgetLast();
  }

  #forgetLast(): void {
    this.#lastId = 0;
    this.#last = null;
  }

  #decode(slot: number): DecodedContext {
    const { slots } = this.#memory;
    const carrier = this.#arenas.text(slots.contextArena(slot), slots.contextBlock(slot));
    return { scope: new CarriedScope(ExecutionContext.fromOwnCarrier(carrier)), length: carrier.length };
  }
}
