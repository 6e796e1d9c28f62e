/**
 * The memories of all arenas: made here and posted to every thread before their owner gets them; dropped everywhere when their owner says
 * that nothing in them is in use.
 *
 * A thread that runs a long job takes in no message. What it should drop, and what it should get to know, stays until it does. So a
 * memory that only replaces one which has become too large is not given while somebody has yet to drop an earlier one.
 */
import { createArenaMemory, type GrowingMemory } from "../shared/arena.ts";
import type { ArenaMemory, Arenas } from "../shared/arenas.ts";
import { HOST_SERIAL } from "../shared/pool-memory.ts";
import { sharedMemoryDropped } from "../transfer/memory-pressure.ts";

const ID_MASK = 0x7fff_ffff;

/** Where this posts. */
export interface ArenaAudience {
  /** The serials of the threads that can be told something. */
  serials(): readonly number[];
  known(to: number, arena: ArenaMemory): void;
  granted(to: number, arena: ArenaMemory): void;
  gone(to: number, id: number): void;
}

export class ArenaMemories {
  readonly #arenas: Arenas;
  readonly #audience: ArenaAudience;
  /** By serial: how many memories that are gone a thread has yet to drop. */
  readonly #owed = new Map<number, number>();
  /** Threads that want a smaller memory, and wait until nobody owes anything. */
  readonly #waiting = new Set<number>();
  #lastId = 0;

  constructor(arenas: Arenas, audience: ArenaAudience) {
    this.#arenas = arenas;
    this.#audience = audience;
  }

  /** Before a thread starts: it gets what `Arenas.entries` lists. */
  create(serial: number, isHome: boolean): ArenaMemory {
    return this.#announce(serial, isHome, createArenaMemory());
  }

  /** As MemorySource.request, for the host's own. */
  request(blockBytes: number): ArenaMemory | null {
    if (blockBytes === 0 && this.#owed.size > 0) return null;
    return this.#announce(HOST_SERIAL, false, createArenaMemory(blockBytes));
  }

  /** The thread with this serial asks for one. */
  onWanted(serial: number, blockBytes: number): void {
    if (blockBytes === 0 && this.#owed.size > 0) {
      this.#waiting.add(serial);
      return;
    }
    this.#waiting.delete(serial);
    this.#audience.granted(serial, this.#announce(serial, false, createArenaMemory(blockBytes)));
  }

  /** Its owner says that nothing in it is in use. */
  gone(id: number): void {
    const dropped = this.#arenas.drop(id);
    if (dropped !== null) sharedMemoryDropped(dropped);
    for (const serial of this.#audience.serials()) {
      this.#owed.set(serial, (this.#owed.get(serial) ?? 0) + 1);
      this.#audience.gone(serial, id);
    }
  }

  /** The thread with this serial has dropped one that was gone. */
  onDropped(serial: number): void {
    const owed = this.#owed.get(serial);
    if (owed === undefined) return;
    if (owed > 1) this.#owed.set(serial, owed - 1);
    else this.#settled(serial);
  }

  /** The thread with this serial has ended, and everything in its memories was read or given up. */
  ended(serial: number): void {
    this.#waiting.delete(serial);
    this.#arenas.dropOf(serial);
    this.#settled(serial);
  }

  #settled(serial: number): void {
    this.#owed.delete(serial);
    if (this.#owed.size > 0) return;
    for (const waiting of this.#waiting) this.onWanted(waiting, 0);
  }

  /** To everybody but its owner, which must not use it before. */
  #announce(serial: number, isHome: boolean, memory: GrowingMemory): ArenaMemory {
    const arena: ArenaMemory = { id: this.#nextId(), serial, isHome, memory };
    this.#arenas.add(arena);
    for (const other of this.#audience.serials()) if (other !== serial) this.#audience.known(other, arena);
    return arena;
  }

  /** Of the numbers that wrap around only those are left out which are in use: whoever hears of one again has heard that it was gone. */
  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) & ID_MASK;
    while (this.#arenas.has(this.#lastId));
    return this.#lastId;
  }
}
