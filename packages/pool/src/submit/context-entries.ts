/**
 * The texts of contexts that jobs name: each lies in the arena once, for as long as jobs name it. Those that no job names any more stay for the next
 * job of the same context, the last so many of them.
 */
import { copyBytes } from "../shared/copy-bytes.ts";
import { allocateUnfilled } from "../shared/intrinsics.ts";
import type { Payloads } from "../shared/payloads.ts";
import type { CarrierWriter } from "./carrier-writer.ts";

/** That no job names, until `forget`. */
const IDLE_ENTRIES = 64;
/** Behind the idle entries: the place of one that never had one. Always free. */
const NOWHERE = IDLE_ENTRIES;
/** No carrier is longer. Each is measured by writing it: Buffer.byteLength takes up to seven times as long. */
const CARRIER_BYTES = 16 << 10;
const noPieces: readonly string[] = [];

export interface ContextEntry {
  /** Of the context: see `SeenContext`. */
  readonly id: number;
  /** Of the carrier. */
  readonly pieces: readonly string[];
  /** Of the carrier in the arena, in bytes. */
  readonly length: number;
  /** How many jobs name it. */
  users: number;
  /** In the arena; 0: not there now. */
  block: number;
  /** Its place among the idle ones, now or the last time; NOWHERE: it never had one. */
  idleAt: number;
}

export class ContextEntries {
  readonly #payloads: Payloads;
  readonly #writer: CarrierWriter;
  /** A ring, and NOWHERE. Null: free, or a job names that context again. */
  readonly #idle: (ContextEntry | null)[] = Array.from({ length: IDLE_ENTRIES + 1 }, () => null);
  #nextIdle = 0;
  /** The text that was measured last. */
  #measured: Uint8Array | null = null;
  #measuredPieces = noPieces;
  #measuredLength = 0;
  #measuredHash = 0;
  #users = 0;
  #bytesInUse = 0;

  constructor(payloads: Payloads, writer: CarrierWriter) {
    this.#payloads = payloads;
    this.#writer = writer;
  }

  /** Of those that jobs name, each counted once. */
  get bytesInUse(): number {
    return this.#bytesInUse;
  }

  /** How many jobs name one. */
  get users(): number {
    return this.#users;
  }

  /** The hash of a text, which is measured with it. */
  hashOf(pieces: readonly string[]): number {
    this.#measure(pieces);
    return this.#measuredHash;
  }

  create(id: number, pieces: readonly string[]): ContextEntry {
    return { id, pieces, length: this.#measure(pieces), users: 0, block: 0, idleAt: NOWHERE };
  }

  /**
   * The entry, as another job can name it. If it is in a memory that is to go, which would not while there is always a job of this context: another
   * one with the same text. One that nobody names leaves such a memory at once.
   */
  usable(entry: ContextEntry): ContextEntry {
    if (entry.block === 0 || this.#payloads.isCurrent(entry.block)) return entry;
    if (entry.users > 0) return { ...entry, users: 0, block: 0, idleAt: NOWHERE };
    this.#evict(entry);
    return entry;
  }

  /**
   * One more job names it: `leave` has to follow.
   * @throws SkeinError 'ERR_SKEIN_ARENA_FULL' when there is no room. Nothing has changed then.
   */
  enter(entry: ContextEntry): void {
    if (entry.block === 0) this.#store(entry);
    if (entry.users++ === 0) {
      if (this.#idle[entry.idleAt] === entry) this.#idle[entry.idleAt] = null;
      this.#bytesInUse += entry.length;
    }
    this.#users++;
  }

  leave(entry: ContextEntry): void {
    if (--this.#users === 0) this.#measuredPieces = noPieces;
    if (--entry.users > 0) return;
    this.#bytesInUse -= entry.length;
    if (this.#payloads.isCurrent(entry.block)) this.#rest(entry);
    else this.#evict(entry);
  }

  /** What nobody names goes. */
  forget(): void {
    for (const entry of this.#idle) if (entry !== null) this.#evict(entry);
    // Of a job that was refused.
    this.#measuredPieces = noPieces;
  }

  /** In its former place, if that is free: a context that comes and goes evicts no other. */
  #rest(entry: ContextEntry): void {
    if (entry.idleAt === NOWHERE || this.#idle[entry.idleAt] !== null) {
      entry.idleAt = this.#nextIdle;
      this.#nextIdle = (this.#nextIdle + 1) % IDLE_ENTRIES;
      const oldest = this.#idle[entry.idleAt];
      if (oldest !== null) this.#evict(oldest!);
    }
    this.#idle[entry.idleAt] = entry;
  }

  #evict(entry: ContextEntry): void {
    if (this.#idle[entry.idleAt] === entry) this.#idle[entry.idleAt] = null;
    this.#payloads.free(entry.block);
    entry.block = 0;
  }

  #store(entry: ContextEntry): void {
    const { pieces, length } = entry;
    const block = this.#payloads.allocate(length);
    const bytes = this.#payloads.bytes(block);
    const offset = this.#payloads.offset(block);
    if (pieces === this.#measuredPieces) copyBytes(this.#measured!, 0, length, bytes, offset);
    else this.#writer.write(pieces, bytes, offset);
    entry.block = block;
  }

  /** @returns its length in bytes. */
  #measure(pieces: readonly string[]): number {
    if (pieces !== this.#measuredPieces) {
      this.#measuredPieces = noPieces;
      this.#measured ??= allocateUnfilled(CARRIER_BYTES);
      this.#measuredLength = this.#writer.write(pieces, this.#measured, 0);
      this.#measuredHash = this.#writer.hash;
      this.#measuredPieces = pieces;
    }
    return this.#measuredLength;
  }
}
