/**
 * The contexts of submitted jobs: each distinct one lies in the arena once, as its carrier's text, for as long as jobs name it.
 * A thousand jobs of one request encode it once and carry a number. Of many contexts there is one job: the first one of a short text has that
 * beside its arguments (job-preparation.ts), and holds nothing here. What flows of other storages (`flow`) is no part of the context: entries with
 * that are found by their text.
 *
 * Nothing here keeps a context alive that no job in flight has: entries live as long as their contexts, and hold text alone.
 */
import { ExecutionContext, flows, readFlows, type WrittenEntry } from "@skein/context";
import { copyBytes } from "../shared/copy-bytes.ts";
import { allocateUnfilled, charCodeAt, Int32Array, utf8Write } from "../shared/intrinsics.ts";
import type { Payloads } from "../shared/payloads.ts";

/** Texts that no job names any more stay for the next job of the same context, the last so many of them, until `forget`. */
const IDLE_ENTRIES = 64;
/** In the slot. */
const MAX_ID = 2 ** 43 - 1;
/** No carrier is longer. Each is measured by writing it: Buffer.byteLength takes up to seven times as long. */
const CARRIER_BYTES = 16 << 10;
/** Shorter texts are written in a loop: a call out of JavaScript takes longer. */
const NATIVE_FROM = 48;
/** Behind the idle entries: the place of one that never had one. Always free. */
const NOWHERE = IDLE_ENTRIES;
const noStores: readonly WrittenEntry[] = [];
const noHead = ["", ""] as const;
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
  /** Of the carrier in the arena, in bytes. */
  readonly length: number;
  /** How many jobs name it. */
  users: number;
  /** Whether a job had the text beside its arguments, or named it. */
  wasUsed: boolean;
  /** In the arena; 0: not there now. */
  block: number;
  /** Its place among the idle ones, now or the last time; NOWHERE: it never had one. */
  idleAt: number;
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false;
  return true;
}

/**
 * By which a text is looked for. Of some characters alone, six at the end of each value, where ids are, and eight before them: V8 reads all of a
 * text for the hash of a Map, a nanosecond a character.
 */
function hashOf(pieces: readonly string[]): number {
  let hash = 0;
  // Values stand at even places; the first is the version, or the text of a whole context.
  for (let i = 0; i < pieces.length; i += 2) {
    const piece = pieces[i]!;
    const { length } = piece;
    const end = length > 6 ? length - 6 : 0;
    const step = (end >> 3) + 1;
    hash = (hash * 31 + length) | 0;
    for (let at = 0; at < end; at += step) hash = (hash * 31 + charCodeAt(piece, at)) | 0;
    for (let at = end; at < length; at++) hash = (hash * 31 + charCodeAt(piece, at)) | 0;
  }
  return hash ^ (hash >>> 8) ^ (hash >>> 16);
}

export class ContextTable {
  readonly #payloads: Payloads;
  readonly #owner: object = {};
  /** For contexts of which nothing flows to a thread. */
  readonly #nothing: Attached = { owner: this.#owner };
  /** For contexts that another pool owns. */
  readonly #shared = new WeakMap<ExecutionContext, Attached>();
  /** Those with stores of other storages that were used last. Texts that share a place push each other out. */
  readonly #byText: (ContextEntry | null)[] = Array.from({ length: TEXT_PLACES }, () => null);
  /** Of their texts: looked at first, because an entry of some time ago is not in the cache of the processor. */
  readonly #hashes = new Int32Array(TEXT_PLACES);
  /** A ring, and NOWHERE. Null: free, or a job names that context again. */
  readonly #idle: (ContextEntry | null)[] = Array.from({ length: IDLE_ENTRIES + 1 }, () => null);
  #nextIdle = 0;
  #measured: Uint8Array | null = null;
  /** Whose bytes it has. */
  #measuredEntry: ContextEntry | null = null;
  /** Its first two pieces, and their bytes together. */
  #head: readonly [first: string, second: string] = noHead;
  #headLength = 0;
  #nextId = 1;
  #users = 0;
  #bytesInUse = 0;
  /** The last context seen, only while jobs are in flight. */
  #last: ExecutionContext | null = null;
  #lastEntry: ContextEntry | null = null;
  /** The last with stores of other storages, only while jobs are in flight: the entry of that context and these stores. */
  #lastWithStores: ContextEntry | null = null;
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
   * anything has changed: they may submit jobs, or throw.
   *
   * @throws {ContextTooLargeError} and what a codec or `capture` throws.
   */
  current(): ContextEntry | null {
    const context = ExecutionContext.capture();
    if (context === null) return null;
    const stores = flows.isEmpty ? null : readFlows("thread", this.#lastStores);
    if (stores !== null) return this.#withStores(context, stores);
    const entry = context === this.#last ? this.#lastEntry : this.#entryOf(context);
    return entry === null ? null : this.#moved(context, entry);
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

  /** Writes the text to `bytes` at `at`. */
  write(entry: ContextEntry, bytes: Uint8Array, at: number): void {
    if (entry === this.#measuredEntry) copyMeasured(this.#measured!, entry.length, bytes, at);
    else writePieces(bytes, entry.pieces, 0, at);
  }

  leave(entry: ContextEntry): void {
    if (--this.#users === 0) {
      this.#last = this.#lastEntry = this.#lastContext = null;
      this.#lastWithStores = this.#measuredEntry = null;
      this.#lastStores = noStores;
      this.#head = noHead;
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
    // Of a job that was refused, or has it beside its arguments.
    this.#measuredEntry = null;
    this.#head = noHead;
  }

  #entryOf(context: ExecutionContext): ContextEntry | null {
    let attached = this.#attachedTo(context);
    if (attached === null) {
      const pieces = context.pieces("thread", noStores);
      // A codec may have submitted a job of this context meanwhile.
      attached = this.#attachedTo(context);
      if (attached === null) {
        attached = pieces === null ? this.#nothing : this.#create(pieces);
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

  #withStores(context: ExecutionContext, stores: readonly WrittenEntry[]): ContextEntry {
    const last = this.#lastWithStores;
    if (last !== null && this.#lastContext === context && this.#lastStores === stores && this.#isUsable(last))
      return last;
    // With a store in it, there is a text.
    const pieces = context.pieces("thread", stores)!;
    const hash = hashOf(pieces);
    const place = hash & (TEXT_PLACES - 1);
    let entry = this.#hashes[place] === hash ? this.#byText[place]! : null;
    if (entry === null || !areSame(entry.pieces, pieces)) entry = this.#create(pieces);
    // As `#moved`.
    else if (!this.#isUsable(entry)) entry = movedFrom(entry);
    this.#byText[place] = entry;
    this.#hashes[place] = hash;
    if (this.#users > 0) {
      this.#lastWithStores = entry;
      this.#lastStores = stores;
      this.#lastContext = context;
    }
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
    this.write(entry, this.#payloads.bytes(block), this.#payloads.offset(block));
    entry.block = block;
  }

  #evict(entry: ContextEntry): void {
    if (this.#idle[entry.idleAt] === entry) this.#idle[entry.idleAt] = null;
    this.#payloads.free(entry.block);
    entry.block = 0;
  }

  #create(pieces: readonly string[]): ContextEntry {
    const id = this.#nextId;
    this.#nextId = id === MAX_ID ? 1 : id + 1;
    const length = this.#measure(pieces);
    return (this.#measuredEntry = newEntry(this.#owner, id, pieces, length));
  }

  /** @returns how many bytes the text takes. Most begin as the one before, with the name of the same value: that stands there already. */
  #measure(pieces: readonly string[]): number {
    const target = (this.#measured ??= allocateUnfilled(CARRIER_BYTES));
    const first = pieces[0]!;
    const second = pieces.length > 1 ? pieces[1]! : "";
    if (first !== this.#head[0] || second !== this.#head[1]) {
      this.#head = [first, second];
      this.#headLength = writePieces(target, this.#head, 0, 0);
    }
    return this.#headLength + writePieces(target, pieces, 2, this.#headLength);
  }
}

function copyMeasured(from: Uint8Array, length: number, to: Uint8Array, at: number): void {
  if (length >= NATIVE_FROM) copyBytes(from, 0, length, to, at);
  else for (let i = 0; i < length; i++) to[at + i] = from[i]!;
}

function newEntry(owner: object, id: number, pieces: readonly string[], length: number): ContextEntry {
  return { owner, id, pieces, length, users: 0, wasUsed: false, block: 0, idleAt: NOWHERE };
}

function movedFrom({ owner, id, pieces, length }: ContextEntry): ContextEntry {
  return { ...newEntry(owner, id, pieces, length), wasUsed: true };
}

/** @returns how many bytes they take, from the piece `start` on. */
function writePieces(target: Uint8Array, pieces: readonly string[], start: number, at: number): number {
  let end = at;
  for (let i = start; i < pieces.length; i++) end += writeText(target, pieces[i]!, end);
  return end - at;
}

function writeText(target: Uint8Array, text: string, at: number): number {
  const { length } = text;
  if (length >= NATIVE_FROM) return utf8Write(target, text, at);
  for (let i = 0; i < length; i++) {
    const code = charCodeAt(text, i);
    if (code > 0x7f) return utf8Write(target, text, at);
    target[at + i] = code;
  }
  return length;
}
