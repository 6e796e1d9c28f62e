/** The contexts of running jobs: decoded once per distinct context and thread, then entered for a few nanoseconds. */
import { AsyncScope, ExecutionContext } from "@skein/context";
import type { Arenas } from "../shared/arenas.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";

/** More distinct contexts than a thread meets between two jobs of the same one. */
const CACHED_SCOPES = 256;
/** Contexts count from 1 with each submitter. */
const SERIAL_FACTOR = 2 ** 32;

export class ContextScopes {
  readonly #memory: PoolMemory;
  readonly #arenas: Arenas;
  /** By submitter and context, in order of use, oldest first. */
  readonly #scopes = new Map<number, AsyncScope>();
  #lastId = 0;
  #lastSerial = 0;
  #last: AsyncScope = AsyncScope.root;

  constructor(memory: PoolMemory, arenas: Arenas) {
    this.#memory = memory;
    this.#arenas = arenas;
  }

  /** The context in which the job in `slot` was submitted. */
  of(slot: number): AsyncScope {
    const id = this.#memory.slots.contextId(slot);
    if (id === 0) return AsyncScope.root;
    const serial = this.#memory.submitterSerial(slot);
    if (id === this.#lastId && serial === this.#lastSerial) return this.#last;
    const key = serial * SERIAL_FACTOR + id;
    let scope = this.#scopes.get(key);
    if (scope === undefined) {
      scope = this.#decode(slot, serial);
      if (this.#scopes.size >= CACHED_SCOPES) this.#scopes.delete(this.#scopes.keys().next().value!);
    } else {
      this.#scopes.delete(key);
    }
    this.#scopes.set(key, scope);
    this.#lastId = id;
    this.#lastSerial = serial;
    this.#last = scope;
    return scope;
  }

  #decode(slot: number, serial: number): AsyncScope {
    const block = this.#memory.slots.contextBlock(slot);
    const length = this.#memory.slots.contextLength(slot);
    const bytes = this.#arenas.bytes(serial, block, length);
    const carrier = Buffer.from(bytes.buffer, block * 8, length).toString("utf8");
    return AsyncScope.forContext(ExecutionContext.fromCarrier(carrier));
  }
}
