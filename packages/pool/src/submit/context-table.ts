/**
 * The contexts of submitted jobs: each distinct one lies in the arena once, as its carrier's text, for as long as jobs name it.
 * A thousand jobs of one request encode it once and carry a number. What flows of other storages (`flow`) is no part of the context: entries
 * with that are found by the texts of the stores, each of which lives as long as its store; or, if they are short, by their own.
 *
 * Nothing here keeps a context alive that no job in flight has: entries live as long as their contexts, and hold text alone.
 */
import { ExecutionContext, flows, readFlows, type WrittenEntry } from "@skein/context";
import { copyBytes } from "../shared/copy-bytes.ts";
import { allocateUnfilled, utf8Write } from "../shared/intrinsics.ts";
import type { Payloads } from "../shared/payloads.ts";

/** Texts that no job names any more stay for the next job of the same context, the last so many of them, until `forget`. */
const IDLE_ENTRIES = 64;
/** In the slot. */
const MAX_ID = 2 ** 43 - 1;
/** No carrier is longer. Each is measured by writing it: Buffer.byteLength takes up to seven times as long. */
const CARRIER_BYTES = 16 << 10;
/** To look for a longer text costs as much as to write it: V8 reads all of it for its hash. */
const FOUND_BY_TEXT_CHARS = 256;

/** What is attached to a context. */
interface Attached {
  /** Stands for the table that made it. Not the table itself: a context may outlive it. */
  readonly owner: object;
}

export interface ContextEntry extends Attached {
  /** Never 0, never re-used by this submitter: the same for the same text. */
  readonly id: number;
  readonly carrier: string;
  /** Of the carrier in the arena, in bytes. */
  readonly length: number;
  /** How many jobs name it. */
  users: number;
  /** In the arena; 0: not there now. */
  block: number;
  /** It has stores of other storages, and is short. */
  readonly isFoundByText: boolean;
  /** Its place among the idle ones, now or the last time; -1: it never had one. */
  idleAt: number;
}

/** What is attached to the text of the first store. */
interface WithStores extends Attached {
  /** The text of the context itself. */
  readonly own: string | null;
  readonly stores: readonly WrittenEntry[];
  entry: ContextEntry;
}

/** The entry of an unchanged store is the same object. */
function areSame(some: readonly WrittenEntry[], others: readonly WrittenEntry[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false;
  return true;
}

export class ContextTable {
  readonly #payloads: Payloads;
  readonly #owner: object = {};
  /** For contexts of which nothing flows to a thread. */
  readonly #nothing: Attached = { owner: this.#owner };
  /** For contexts that another pool owns. */
  readonly #shared = new WeakMap<ExecutionContext, Attached>();
  /** Those with stores of other storages that are in the arena. */
  readonly #byText = new Map<string, ContextEntry>();
  /** A ring. Null: free, or a job names that context again. */
  readonly #idle: (ContextEntry | null)[] = Array.from({ length: IDLE_ENTRIES }, () => null);
  #nextIdle = 0;
  /** The bytes of the text that was measured last. */
  #measured: Uint8Array | null = null;
  #measuredEntry: ContextEntry | null = null;
  #nextId = 1;
  #users = 0;
  #bytesInUse = 0;
  /** The last context seen, only while jobs are in flight. */
  #last: ExecutionContext | null = null;
  #lastEntry: ContextEntry | null = null;
  /** The last with stores of other storages, only while jobs are in flight. */
  #lastWithStores: ContextEntry | null = null;

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
    const stores = flows.isEmpty ? null : readFlows("thread");
    if (stores !== null) return this.#withStores(context, stores);
    const entry = context === this.#last ? this.#lastEntry : this.#entryOf(context);
    if (entry === null || entry.block === 0 || this.#payloads.isCurrent(entry.block)) return entry;
    return this.#moved(context, entry);
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
    if (--this.#users === 0) this.#last = this.#lastEntry = this.#lastWithStores = this.#measuredEntry = null;
    if (--entry.users > 0) return;
    this.#bytesInUse -= entry.length;
    if (this.#payloads.isCurrent(entry.block)) this.#rest(entry);
    else this.#evict(entry);
  }

  /** In its former place, if that is free: a context that comes and goes evicts no other. */
  #rest(entry: ContextEntry): void {
    if (this.#idle[entry.idleAt] !== null) {
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
  }

  #entryOf(context: ExecutionContext): ContextEntry | null {
    let attached = this.#attachedTo(context);
    if (attached === null) {
      const carrier = context.toCarrier("thread");
      // A codec may have submitted a job of this context meanwhile.
      attached = this.#attachedTo(context);
      if (attached === null) {
        attached = carrier === null ? this.#nothing : this.#create(carrier, false);
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
    const own = context.ownCarrier("thread");
    const [first] = stores;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tables have attached nothing else.
    let found = first!.attached as WithStores | null;
    if (found?.owner !== this.#owner || found.own !== own || !areSame(found.stores, stores)) {
      // With a store in it, there is a text.
      const entry = this.#withText(context.carrierWith("thread", stores)!);
      found = { owner: this.#owner, own, stores, entry };
      first!.attached = found;
    }
    found.entry = this.#inCurrentMemory(found.entry);
    if (this.#users > 0) this.#lastWithStores = found.entry;
    return found.entry;
  }

  /** Mutable stores, and those that are no objects, are written anew for each job. */
  #withText(carrier: string): ContextEntry {
    const last = this.#lastWithStores;
    if (last !== null && last.carrier === carrier) return last;
    if (carrier.length > FOUND_BY_TEXT_CHARS) return this.#create(carrier, false);
    return this.#byText.get(carrier) ?? this.#create(carrier, true);
  }

  /** As `#moved`. */
  #inCurrentMemory(entry: ContextEntry): ContextEntry {
    if (entry.block === 0 || this.#payloads.isCurrent(entry.block)) return entry;
    if (entry.users === 0) {
      this.#evict(entry);
      return entry;
    }
    return { ...entry, users: 0, block: 0, idleAt: -1 };
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
    if (entry.users === 0) {
      this.#evict(entry);
      return entry;
    }
    const moved: ContextEntry = { ...entry, users: 0, block: 0, idleAt: -1 };
    this.#attach(context, moved);
    this.#last = this.#lastEntry = null;
    return moved;
  }

  #store(entry: ContextEntry): void {
    const block = this.#payloads.allocate(entry.length);
    const bytes = this.#payloads.bytes(block);
    const offset = this.#payloads.offset(block);
    if (entry === this.#measuredEntry) copyBytes(this.#measured!, 0, entry.length, bytes, offset);
    else utf8Write(bytes, entry.carrier, offset);
    entry.block = block;
    if (entry.isFoundByText) this.#byText.set(entry.carrier, entry);
  }

  #evict(entry: ContextEntry): void {
    if (this.#idle[entry.idleAt] === entry) this.#idle[entry.idleAt] = null;
    this.#payloads.free(entry.block);
    entry.block = 0;
    if (entry.isFoundByText && this.#byText.get(entry.carrier) === entry) this.#byText.delete(entry.carrier);
  }

  #create(carrier: string, isFoundByText: boolean): ContextEntry {
    const id = this.#nextId;
    this.#nextId = id === MAX_ID ? 1 : id + 1;
    this.#measured ??= allocateUnfilled(CARRIER_BYTES);
    const length = utf8Write(this.#measured, carrier, 0);
    const owner = this.#owner;
    const entry = { owner, id, carrier, length, users: 0, block: 0, isFoundByText, idleAt: -1 };
    return (this.#measuredEntry = entry);
  }
}
