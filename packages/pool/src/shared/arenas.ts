/**
 * The arenas that this thread can read: its own and those of all others, by the serial of their owner. The host posts the memory
 * of a new thread to everybody before it starts it, so a reader that does not know a serial finds it in its port.
 */
import { giveBack, type GrowingMemory } from "./arena.ts";

class ReadableArena {
  readonly memory: GrowingMemory;
  bytes: Uint8Array;
  words: Int32Array;

  constructor(memory: GrowingMemory) {
    this.memory = memory;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
  }
}

export class Arenas {
  readonly #arenas = new Map<number, ReadableArena>();
  readonly #takeMessages: () => void;

  /** @param takeMessages Takes in what other threads have posted to this one, without waiting. */
  constructor(takeMessages: () => void) {
    this.#takeMessages = takeMessages;
  }

  add(serial: number, memory: GrowingMemory): void {
    this.#arenas.set(serial, new ReadableArena(memory));
  }

  /** Its thread is dead, and everything in it was read or given up. */
  drop(serial: number): void {
    this.#arenas.delete(serial);
  }

  /** The bytes of an arena; they reach at least to the end of a block at `block` with `length` bytes. */
  bytes(serial: number, block: number, length: number): Uint8Array {
    return this.#upTo(serial, block * 8 + length).bytes;
  }

  /** The payload was read: its owner may use the block again. */
  giveBack(serial: number, block: number): void {
    giveBack(this.#upTo(serial, block * 8).words, block);
  }

  *entries(): Iterable<[serial: number, memory: GrowingMemory]> {
    for (const [serial, { memory }] of this.#arenas) yield [serial, memory];
  }

  #upTo(serial: number, end: number): ReadableArena {
    let arena = this.#arenas.get(serial);
    if (arena === undefined) {
      this.#takeMessages();
      arena = this.#arenas.get(serial);
      if (arena === undefined)
        throw new Error(`Assertion: arena ${serial} was never announced to this thread`);
    }
    if (arena.bytes.length < end) {
      // It has grown since.
      arena.bytes = new Uint8Array(arena.memory.buffer);
      arena.words = new Int32Array(arena.memory.buffer);
    }
    return arena;
  }
}
