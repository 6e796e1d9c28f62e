/**
 * The arenas that this thread can read: its own and those of all others. The host posts a memory to everybody before its owner gets it,
 * so a reader that does not know a number finds it in its port. When nothing in a memory is in use any more and its owner
 * has another, it is dropped here; V8 frees it when all threads have done so.
 */
import { utf8Slice } from "./intrinsics.ts";
import { giveBack, type GrowingMemory, lengthOf } from "./arena.ts";

/** A memory, and what the threads have to know of it. */
export interface ArenaMemory {
  /** Named by slots. Of the memories that live, no two have the same. */
  readonly id: number;
  /** Of its owner. */
  readonly serial: number;
  /** For descriptions of functions: one of each thread, never replaced. All others hold payloads and contexts. */
  readonly isHome: boolean;
  readonly memory: GrowingMemory;
}

class ReadableArena {
  readonly source: ArenaMemory;
  bytes!: Uint8Array;
  words!: Int32Array;

  constructor(source: ArenaMemory) {
    this.source = source;
    this.refresh();
  }

  refresh(): void {
    const { buffer } = this.source.memory;
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
  }
}

export class Arenas {
  readonly #byId = new Map<number, ReadableArena>();
  /** By serial. */
  readonly #homes = new Map<number, ReadableArena>();
  readonly #takeMessages: () => void;
  readonly #onRead: ((bytes: number) => void) | null;

  /**
   * @param takeMessages Takes in what other threads have posted to this one, without waiting.
   * @param onRead A payload of so many bytes is about to be read.
   */
  constructor(takeMessages: () => void, onRead: ((bytes: number) => void) | null = null) {
    this.#takeMessages = takeMessages;
    this.#onRead = onRead;
  }

  add(source: ArenaMemory): void {
    const arena = new ReadableArena(source);
    this.#byId.set(source.id, arena);
    if (source.isHome) this.#homes.set(source.serial, arena);
  }

  has(id: number): boolean {
    return this.#byId.has(id);
  }

  /** Nothing in it is in use, and nothing will be. @returns its buffer; null when it is not known. */
  drop(id: number): SharedArrayBuffer | null {
    const arena = this.#byId.get(id);
    this.#byId.delete(id);
    return arena === undefined ? null : arena.source.memory.buffer;
  }

  /** All of this thread, which is dead: everything in them was read or given up. */
  dropOf(serial: number): void {
    this.#homes.delete(serial);
    for (const [id, { source }] of this.#byId) if (source.serial === serial) this.#byId.delete(id);
  }

  /** The pool is closed. */
  dropAll(): void {
    this.#byId.clear();
    this.#homes.clear();
  }

  /** The bytes of an arena; they reach at least to the end of a block at `block` with `length` bytes. */
  bytes(id: number, block: number, length: number): Uint8Array {
    if (this.#onRead !== null) this.#onRead(length);
    return upTo(this.#withId(id), block * 8 + length).bytes;
  }

  /** The memory of an arena, as far as the end of such a block: what lies there is read and written while it changes. */
  memoryOf(id: number, block: number, length: number): Uint8Array {
    return upTo(this.#withId(id), block * 8 + length).bytes;
  }

  /** The payload was read: its owner may use the block again. */
  giveBack(id: number, block: number): void {
    giveBack(upTo(this.#withId(id), block * 8).words, block);
  }

  /** The text in a block. */
  text(id: number, block: number): string {
    return textIn(this.#withId(id), block);
  }

  /** The text in a block of the home of the thread with this serial. */
  homeText(serial: number, block: number): string {
    let home = this.#homes.get(serial);
    if (home === undefined) {
      this.#takeMessages();
      home = this.#homes.get(serial);
      if (home === undefined) throw unknown(`the home of thread ${serial}`);
    }
    return textIn(home, block);
  }

  /** What a new thread has to know. */
  *entries(): Iterable<ArenaMemory> {
    for (const { source } of this.#byId.values()) yield source;
  }

  #withId(id: number): ReadableArena {
    let arena = this.#byId.get(id);
    if (arena === undefined) {
      this.#takeMessages();
      arena = this.#byId.get(id);
      if (arena === undefined) throw unknown(`arena ${id}`);
    }
    return arena;
  }
}

function unknown(what: string): Error {
  return new Error(`Assertion: ${what} was never announced to this thread`);
}

/** The arena as it is now, if it was shorter than `end` when this thread last looked. */
function upTo(arena: ReadableArena, end: number): ReadableArena {
  if (arena.bytes.length < end) arena.refresh();
  return arena;
}

function textIn(arena: ReadableArena, block: number): string {
  const length = lengthOf(upTo(arena, block * 8).words, block);
  const start = block * 8;
  return utf8Slice(upTo(arena, start + length).bytes, start, start + length);
}
