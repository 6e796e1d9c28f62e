/**
 * Payloads: the memories in which one thread allocates the payloads and contexts of its jobs. Most of the time that is one. It
 * is replaced when it has grown far beyond what is in use, so that a burst gives its memory back; and when it is cut into sizes of which none
 * fits. A memory cannot shrink, but it can be let go.
 *
 * Words      none of its own: those of arena.ts
 * State      | memory   | means                                                       | changed by              |
 *            | current  | takes all new blocks                                        | owner                   |
 *            | draining | takes none; some of its blocks are still in use             | owner                   |
 *            | gone     | nothing in it is in use; all threads drop it                | owner, then each reader |
 * Moves      adopt: a new memory becomes current, the one before draining
 *            leave draining → gone, when no block is in use: at a `free`, or when `trim` has collected what readers returned
 *            close, when the pool is closed: all are let go
 *            Draining and gone are final. A thread that dies takes its memories along, in whatever state.
 * Invariants I1 A memory is known to every thread, or lies in its port, before it is current: the host posts it to all others first.
 *            I2 A block is freed or returned exactly once, after its last reader. So nobody reads a memory that is gone.
 *            I3 A memory of at most KEPT_BYTES is never replaced for its size.
 *            I4 Replacing for size is bounded by readers: the host gives no memory for it while a thread has yet to let go
 *               of an earlier one (host/arena-memories.ts). A thread in a long job pins what it knew, not one memory for each burst.
 * Pairings   none: arena.ts orders what readers return
 * Liveness   The host has its new memory at once. Another thread asks for it, and goes on with the one it has until it comes. A reader
 *            that was killed before it returned a block leaves its memory draining, until the owner ends.
 * Sources    region-based memory; model test: test/host/arena-memories.model.test.ts
 */
import { Arena, arenaFull, type GrowingMemory, NO_ROOM } from "./arena.ts";
import { now as clockNow } from "./timers.ts";

/** Offsets in a memory: 4 GiB in units of 8 bytes. Handles below 2^31 are small integers to V8. */
const BLOCKS = 2 ** 29;
/** What a thread that has nothing under way may keep. */
const KEPT_BYTES = 16 << 20;
/** Replaced when at no moment between two trims more than one in so many bytes was in use. */
const WASTE = 4;
const NO_MEMORY = -1;
/** For the word that readers return blocks to. */
const NO_MEMORY_BYTES = 256;
/** How often a thread that waits for returned blocks looks for a new memory. */
const LOOK_MS = 2;

export interface NumberedMemory {
  readonly id: number;
  readonly memory: GrowingMemory;
}

/** Where memories come from, and who hears that one is gone. */
export interface MemorySource {
  /**
   * Asks for a new memory: with room for a payload of `blockBytes`, or, if that is 0, to replace one that is too large.
   * @returns null when it comes later, by `adopt`, or not at all.
   */
  request(blockBytes: number): NumberedMemory | null;
  /** Nothing in it is in use. */
  gone(id: number): void;
  /** There is memory to let go, now or later: `trim` has to be called from time to time, until it returns false. */
  grown(): void;
}

interface Member {
  readonly id: number;
  readonly index: number;
  /** Handles of its blocks begin here. */
  readonly first: number;
  readonly arena: Arena;
}

/** A handle names a block of one of the memories: 0 never does. */
export class Payloads {
  readonly #source: MemorySource;
  /** By index, which handles hold; null: free for the next. */
  readonly #members: (Member | null)[] = [];
  #current: Member;
  #isTrimmed = false;
  #isClosed = false;

  constructor(first: NumberedMemory, source: MemorySource) {
    this.#source = source;
    this.#current = this.#enter(first);
  }

  /**
   * A new block for `length` bytes, which the caller writes: to `bytes(handle)` from `offset(handle)` on.
   * @throws SkeinError 'ERR_SKEIN_ARENA_FULL' when there is no room, and nobody can give more.
   */
  allocate(length: number): number {
    const block = this.#current.arena.tryAllocate(length);
    return block === NO_ROOM ? this.#allocateElsewhere(length) : this.#handleOf(block);
  }

  /**
   * As `allocate`, but when there is no room waits for readers and for a new memory: again and again, until there is. Blocks this thread.
   * @param takeMessages Takes in what the host has posted, without waiting.
   * @throws as `allocate`, when there was no room for `patienceMs`.
   */
  allocatePatiently(length: number, patienceMs: number, takeMessages: () => void): number {
    const end = clockNow() + patienceMs;
    for (;;) {
      try {
        return this.allocate(length);
      } catch (error) {
        if (clockNow() >= end) throw error;
      }
      this.#current.arena.waitForReturns(LOOK_MS);
      takeMessages();
    }
  }

  /** The memory of a block, until the next allocation. */
  bytes(handle: number): Uint8Array {
    return this.#memberOf(handle).arena.bytes;
  }

  /** Where its payload begins, in bytes. */
  offset(handle: number): number {
    return (handle % BLOCKS) * 8;
  }

  /** The number of its memory, for a slot. */
  arenaOf(handle: number): number {
    return this.#memberOf(handle).id;
  }

  /** Its number in that memory, for a slot. */
  blockOf(handle: number): number {
    return handle % BLOCKS;
  }

  /** False: what stays should be stored anew, because it holds a memory that is to go. */
  isCurrent(handle: number): boolean {
    return isIn(this.#current, handle);
  }

  /** After `close`: nothing, the memory is gone. A thread that could not be ended in time may have had the block. */
  free(handle: number): void {
    if (this.#isClosed) return;
    const member = this.#memberOf(handle);
    member.arena.free(handle % BLOCKS);
    if (member !== this.#current) this.#leaveIfEmpty(member);
  }

  /** A new memory is there. */
  adopt(memory: NumberedMemory): void {
    const former = this.#current;
    this.#current = this.#enter(memory);
    this.#leaveIfEmpty(former);
    if (this.#members[former.index] === former) this.#watch();
  }

  /** Lets go what is not needed. @returns whether to call it again in a while. */
  trim(): boolean {
    for (const member of this.#members) {
      if (member !== null && member !== this.#current) this.#leaveIfEmpty(member);
    }
    const { arena } = this.#current;
    arena.collect();
    const isWasteful = arena.sizeBytes > KEPT_BYTES && arena.peakBytes * WASTE < arena.sizeBytes;
    arena.restartPeak();
    if (isWasteful) {
      const next = this.#source.request(0);
      if (next !== null) this.adopt(next);
    }
    this.#isTrimmed = this.#members.some(
      (member) => member !== null && (member !== this.#current || member.arena.sizeBytes > KEPT_BYTES),
    );
    return this.#isTrimmed;
  }

  /** No job will come any more, and handles are only freed: holds no memory from now on. */
  close(): void {
    this.#isClosed = true;
    this.#members.length = 0;
    this.#current = this.#enter({
      id: NO_MEMORY,
      memory: { buffer: new SharedArrayBuffer(NO_MEMORY_BYTES) },
    });
  }

  /** What all memories have grown to. */
  get sizeBytes(): number {
    return this.#members.reduce((sum, member) => sum + (member?.arena.sizeBytes ?? 0), 0);
  }

  #allocateElsewhere(length: number): number {
    const { arena } = this.#current;
    // If even an empty memory that can grow has no room, the machine has none.
    const next = arena.collect() && arena.canGrow ? null : this.#source.request(length);
    if (next === null) throw arenaFull(this.sizeBytes);
    this.adopt(next);
    const block = this.#current.arena.tryAllocate(length);
    if (block === NO_ROOM) throw arenaFull(this.sizeBytes);
    return this.#handleOf(block);
  }

  #handleOf(block: number): number {
    const { arena, first } = this.#current;
    if (arena.sizeBytes > KEPT_BYTES) this.#watch();
    return first + block;
  }

  #watch(): void {
    if (this.#isTrimmed) return;
    this.#isTrimmed = true;
    this.#source.grown();
  }

  #memberOf(handle: number): Member {
    const current = this.#current;
    // Asked several times for each job that names a context: without a division.
    return isIn(current, handle) ? current : this.#members[Math.floor(handle / BLOCKS)]!;
  }

  #enter({ id, memory }: NumberedMemory): Member {
    const free = this.#members.indexOf(null);
    const index = free === -1 ? this.#members.length : free;
    return (this.#members[index] = { id, index, first: index * BLOCKS, arena: new Arena(memory) });
  }

  #leaveIfEmpty(member: Member): void {
    if (!member.arena.collect()) return;
    this.#members[member.index] = null;
    this.#source.gone(member.id);
  }
}

function isIn({ first }: Member, handle: number): boolean {
  return handle >= first && handle < first + BLOCKS;
}
