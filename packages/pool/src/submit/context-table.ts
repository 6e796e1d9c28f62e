/**
 * The contexts of submitted jobs: each distinct one lies in the arena once, as its carrier's text, for as long as jobs name it.
 * A thousand jobs of one request encode it once and carry a number. Of many contexts there is one job: the first one of a short text has that
 * beside its arguments, and holds nothing here. What flows of other storages (`flow`) is no part of the context: entries with that are found by
 * their text, and made when a text is seen for the second time.
 *
 * Nothing here keeps a context alive that no job in flight has: entries live as long as their contexts, and hold text alone.
 */
import { ExecutionContext, flows, readFlows, type WrittenEntry } from "@skein/context";
import { copyBytes } from "../shared/copy-bytes.ts";
import { allocateUnfilled, Float64Array, Int32Array, isArray } from "../shared/intrinsics.ts";
import { INLINE_BYTES } from "../shared/layout.ts";
import type { Payloads } from "../shared/payloads.ts";
import { CarrierWriter } from "./carrier-writer.ts";
import { contextBeside } from "./slot-filling.ts";

/** Texts that no job names any more stay for the next job of the same context, the last so many of them, until `forget`. */
const IDLE_ENTRIES = 64;
/** In the slot. */
const MAX_ID = 2 ** 43 - 1;
/** No carrier is longer. Each is measured by writing it: Buffer.byteLength takes up to seven times as long. */
const CARRIER_BYTES = 16 << 10;
/** Shorter texts are copied in a loop: a call out of JavaScript takes longer. */
const NATIVE_FROM = 48;
/** Behind the idle entries: the place of one that never had one. Always free. */
const NOWHERE = IDLE_ENTRIES;
const noStores: readonly WrittenEntry[] = [];
/** Places for texts with stores of other storages. A power of two. */
const TEXT_PLACES = 256;

/** What is attached to a context. */
interface Attached {
  /** Stands for the table that made it. Not the table itself: a context may outlive it. */
  readonly owner: object;
}

export interface ContextEntry extends Attached {
  /** Never 0, never re-used by this submitter: the same for the same text. */
  readonly id: number;
  /** Of the carrier. */
  readonly pieces: readonly string[];
  /** Of the carrier in the arena, in bytes; 0: not known yet. */
  length: number;
  /** How many jobs name it. */
  users: number;
  /** Whether a job had the text beside its arguments, or named it. */
  wasUsed: boolean;
  /** In the arena; 0: not there now. */
  block: number;
  /** Its place among the idle ones, now or the last time; NOWHERE: it never had one. */
  idleAt: number;
}

/** What flows into a job: an entry, or the pieces of a carrier of which nobody knows yet whether there is one. */
export type CurrentContext = ContextEntry | readonly string[];

function arePieces(context: CurrentContext): context is readonly string[] {
  return isArray(context);
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false;
  return true;
}

function unitsOf(pieces: readonly string[]): number {
  let units = 0;
  for (let i = 0; i < pieces.length; i++) units += pieces[i]!.length;
  return units;
}

export class ContextTable {
  readonly #payloads: Payloads;
  readonly #writer = new CarrierWriter();
  readonly #owner: object = {};
  /** For contexts of which nothing flows to a thread. */
  readonly #nothing: Attached = { owner: this.#owner };
  /** For contexts that another pool owns. */
  readonly #shared = new WeakMap<ExecutionContext, Attached>();
  /** With stores of other storages, those that were used last: of the first job alone the pieces. Texts that share a place push each other out. */
  readonly #byText: (CurrentContext | null)[] = Array.from({ length: TEXT_PLACES }, () => null);
  /** Of their texts: looked at first, because what was made some time ago is not in the cache of the processor. */
  readonly #hashes = new Int32Array(TEXT_PLACES);
  readonly #ids = new Float64Array(TEXT_PLACES);
  /** A ring, and NOWHERE. Null: free, or a job names that context again. */
  readonly #idle: (ContextEntry | null)[] = Array.from({ length: IDLE_ENTRIES + 1 }, () => null);
  #nextIdle = 0;
  #measured: Uint8Array | null = null;
  /** Whose bytes it has. */
  #measuredEntry: ContextEntry | null = null;
  #nextId = 1;
  #users = 0;
  #bytesInUse = 0;
  /** The last context seen, only while jobs are in flight. */
  #last: ExecutionContext | null = null;
  #lastEntry: ContextEntry | null = null;
  /** The last with stores of other storages, only while jobs are in flight: what that context and these stores gave. */
  #lastWithStores: CurrentContext | null = null;
  #lastStores = noStores;
  #lastContext: ExecutionContext | null = null;

  constructor(payloads: Payloads) {
    this.#payloads = payloads;
  }

  /** Of the contexts that jobs name, each counted once. */
  get bytesInUse(): number {
    return this.#bytesInUse;
  }

  /** How much more there would be with one more job of this context. */
  bytesToAdd(entry: ContextEntry | null): number {
    return entry === null || entry.users > 0 ? 0 : entry.length;
  }

  /**
   * The current context, and what flows of other storages; null when nothing flows to a thread. Runs codecs and `capture` of users, before
   * anything has changed: they may submit jobs, or throw. For `putBeside`, and otherwise `entryOf`.
   *
   * @throws {ContextTooLargeError} and what a codec or `capture` throws.
   */
  current(): CurrentContext | null {
    const context = ExecutionContext.capture();
    if (context === null) return null;
    const stores = flows.isEmpty ? null : readFlows("thread", this.#lastStores);
    if (stores !== null) return this.#withStores(context, stores);
    const entry = context === this.#last ? this.#lastEntry : this.#attachedEntry(context);
    return entry === null ? null : this.#moved(context, entry);
  }

  /**
   * Writes the text behind the arguments of a job, if no job has had it before and there is room in a slot: most contexts have one job, and that
   * holds nothing else for it then.
   *
   * @param target Has room for three times as much as a slot.
   * @returns what the job keeps of it: see `contextBeside`. Null: it names the context.
   */
  putBeside(context: CurrentContext, target: Uint8Array, at: number): number | null {
    if (!arePieces(context) && context.wasUsed) return null;
    const pieces = arePieces(context) ? context : context.pieces;
    if (at + unitsOf(pieces) > INLINE_BYTES) return null;
    const length = this.#writer.write(pieces, target, at);
    if (at + length > INLINE_BYTES) return null;
    if (!arePieces(context)) {
      context.wasUsed = true;
      return contextBeside(context.id, length);
    }
    const { hash } = this.#writer;
    const place = hash & (TEXT_PLACES - 1);
    if (this.#hashes[place] === hash) return null;
    const id = this.#newId();
    this.#byText[place] = pieces;
    this.#hashes[place] = hash;
    this.#ids[place] = id;
    return contextBeside(id, length);
  }

  /** What a job names. */
  entryOf(context: CurrentContext): ContextEntry {
    if (arePieces(context)) return this.#entryOfText(context);
    if (context.length === 0) this.#measure(context);
    return context;
  }

  /**
   * One more job names it: `leave` has to follow.
   * @throws SkeinError 'ERR_SKEIN_ARENA_FULL' when there is no room. Nothing has changed then.
   */
  enter(entry: ContextEntry): void {
    if (entry.block === 0) this.#store(entry);
    entry.wasUsed = true;
    if (entry.users++ === 0) {
      if (this.#idle[entry.idleAt] === entry) this.#idle[entry.idleAt] = null;
      this.#bytesInUse += entry.length;
    }
    this.#users++;
  }

  leave(entry: ContextEntry): void {
    if (--this.#users === 0) {
      this.#last = this.#lastEntry = this.#lastContext = null;
      this.#lastWithStores = this.#measuredEntry = null;
      this.#lastStores = noStores;
    }
    if (--entry.users > 0) return;
    this.#bytesInUse -= entry.length;
    if (this.#payloads.isCurrent(entry.block)) this.#rest(entry);
    else this.#evict(entry);
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

  /** The thread has nothing to do: what nobody names goes. */
  forget(): void {
    for (const entry of this.#idle) if (entry !== null) this.#evict(entry);
    this.#byText.fill(null);
    this.#hashes.fill(0);
    // Of a job that was refused.
    this.#measuredEntry = null;
  }

  #attachedEntry(context: ExecutionContext): ContextEntry | null {
    let attached = this.#attachedTo(context);
    if (attached === null) {
      const pieces = context.pieces("thread", noStores);
      // A codec may have submitted a job of this context meanwhile.
      attached = this.#attachedTo(context);
      if (attached === null) {
        attached = pieces === null ? this.#nothing : newEntry(this.#owner, this.#newId(), pieces, 0);
        this.#attach(context, attached);
      }
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this table has attached nothing else.
    const entry = attached === this.#nothing ? null : (attached as ContextEntry);
    if (this.#users > 0) {
      this.#last = context;
      this.#lastEntry = entry;
    }
    return entry;
  }

  #withStores(context: ExecutionContext, stores: readonly WrittenEntry[]): CurrentContext {
    const last = this.#lastWithStores;
    const isSame = last !== null && this.#lastContext === context && this.#lastStores === stores;
    if (isSame && (arePieces(last) || this.#isUsable(last))) return last;
    // With a store in it, there is a text.
    const pieces = context.pieces("thread", stores)!;
    if (this.#users > 0) {
      this.#lastWithStores = pieces;
      this.#lastStores = stores;
      this.#lastContext = context;
    }
    return pieces;
  }

  #entryOfText(pieces: readonly string[]): ContextEntry {
    const length = this.#writeMeasured(pieces);
    const { hash } = this.#writer;
    const place = hash & (TEXT_PLACES - 1);
    const known = this.#hashes[place] === hash ? this.#byText[place]! : null;
    let entry: ContextEntry;
    if (known === null || !areSame(arePieces(known) ? known : known.pieces, pieces)) {
      entry = this.#measuredEntry = newEntry(this.#owner, this.#newId(), pieces, length);
    } else if (arePieces(known)) {
      entry = this.#measuredEntry = usedEntry(this.#owner, this.#ids[place]!, pieces, length);
    } else {
      // As `#moved`.
      entry = this.#isUsable(known) ? known : movedFrom(known);
    }
    this.#byText[place] = entry;
    this.#hashes[place] = hash;
    if (this.#lastWithStores === pieces) this.#lastWithStores = entry;
    return entry;
  }

  /** Whether another job can name it: it is not in a memory that is to go. One that nobody names leaves that at once. */
  #isUsable(entry: ContextEntry): boolean {
    if (entry.block === 0 || this.#payloads.isCurrent(entry.block)) return true;
    if (entry.users > 0) return false;
    this.#evict(entry);
    return true;
  }

  #attachedTo(context: ExecutionContext): Attached | null {
    const { attached } = context;
    if (attached === null || attached.owner === this.#owner) return attached;
    return this.#shared.get(context) ?? null;
  }

  #attach(context: ExecutionContext, attached: Attached): void {
    const { attached: present } = context;
    if (present === null || present.owner === this.#owner) context.attached = attached;
    else this.#shared.set(context, attached);
  }

  /** Its memory is to go, and would not while there is always a job of this context: jobs from now on have a text of their own. */
  #moved(context: ExecutionContext, entry: ContextEntry): ContextEntry {
    if (this.#isUsable(entry)) return entry;
    const moved = movedFrom(entry);
    this.#attach(context, moved);
    this.#last = this.#lastEntry = null;
    return moved;
  }

  #store(entry: ContextEntry): void {
    const block = this.#payloads.allocate(entry.length);
    const bytes = this.#payloads.bytes(block);
    const offset = this.#payloads.offset(block);
    if (entry === this.#measuredEntry) copyMeasured(this.#measured!, entry.length, bytes, offset);
    else this.#writer.write(entry.pieces, bytes, offset);
    entry.block = block;
  }

  #evict(entry: ContextEntry): void {
    if (this.#idle[entry.idleAt] === entry) this.#idle[entry.idleAt] = null;
    this.#payloads.free(entry.block);
    entry.block = 0;
  }

  #newId(): number {
    const id = this.#nextId;
    this.#nextId = id === MAX_ID ? 1 : id + 1;
    return id;
  }

  #measure(entry: ContextEntry): void {
    entry.length = this.#writeMeasured(entry.pieces);
    this.#measuredEntry = entry;
  }

  #writeMeasured(pieces: readonly string[]): number {
    this.#measuredEntry = null;
    return this.#writer.write(pieces, (this.#measured ??= allocateUnfilled(CARRIER_BYTES)), 0);
  }
}

function copyMeasured(from: Uint8Array, length: number, to: Uint8Array, at: number): void {
  if (length >= NATIVE_FROM) copyBytes(from, 0, length, to, at);
  else for (let i = 0; i < length; i++) to[at + i] = from[i]!;
}

function newEntry(owner: object, id: number, pieces: readonly string[], length: number): ContextEntry {
  return { owner, id, pieces, length, users: 0, wasUsed: false, block: 0, idleAt: NOWHERE };
}

function usedEntry(owner: object, id: number, pieces: readonly string[], length: number): ContextEntry {
  return { ...newEntry(owner, id, pieces, length), wasUsed: true };
}

function movedFrom({ owner, id, pieces, length }: ContextEntry): ContextEntry {
  return usedEntry(owner, id, pieces, length);
}
