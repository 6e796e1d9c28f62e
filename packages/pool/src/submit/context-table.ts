/**
 * The contexts of submitted jobs. A thousand jobs of one request encode it once and carry a number (context-entries.ts). Of many contexts there is
 * one job: the first one of a short text has that beside its arguments, and leaves a small object. What flows of other storages (`flow`) is no part
 * of the context: those texts are found by what they say.
 *
 * Nothing here keeps a context alive that no job in flight has: what was seen lives as long as its context, and holds text alone.
 */
import { ExecutionContext, flows, readFlows, type WrittenEntry } from "@skein/context";
import { Int32Array } from "../shared/intrinsics.ts";
import { INLINE_BYTES } from "../shared/layout.ts";
import type { Payloads } from "../shared/payloads.ts";
import { CarrierWriter } from "./carrier-writer.ts";
import { ContextEntries, type ContextEntry } from "./context-entries.ts";
import { contextBeside } from "./slot-filling.ts";

/** In the slot. */
const MAX_ID = 2 ** 43 - 1;
/** Of a text that was not looked for yet. */
const NO_ID = 0;
/** Places for texts with stores of other storages. A power of two. */
const TEXT_PLACES = 256;
const noStores: readonly WrittenEntry[] = [];

/** A context of which a job was submitted, or is about to be. Attached to it, unless there are stores of others with it. */
export interface SeenContext {
  /** Stands for the table that made it. Not the table itself: a context may outlive it. */
  readonly owner: object;
  /** Never re-used by this submitter: the same for the same text. */
  id: number;
  /** Of the carrier. */
  readonly pieces: readonly string[];
  /** Whether a job had the text beside its arguments, or names it. */
  wasUsed: boolean;
  /** What jobs name. Null: none does yet. */
  entry: ContextEntry | null;
}

export class ContextTable {
  readonly #writer = new CarrierWriter();
  readonly #entries: ContextEntries;
  readonly #owner: object = {};
  /** For contexts of which nothing flows to a thread. Always there, as V8 lets a hidden class go with its last object. */
  readonly #nothing = this.#newSeen(NO_ID, []);
  /** For contexts that another pool owns. */
  readonly #shared = new WeakMap<ExecutionContext, SeenContext>();
  /** Those with stores of other storages that were used last. Texts that share a place push each other out. */
  readonly #byText: (SeenContext | null)[] = Array.from({ length: TEXT_PLACES }, () => null);
  /** Of their texts: looked at first, because what was made some time ago is not in the cache of the processor. */
  readonly #hashes = new Int32Array(TEXT_PLACES);
  #nextId = 1;
  /** The last context seen, only while jobs name one. */
  #last: ExecutionContext | null = null;
  #lastSeen: SeenContext | null = null;
  /** The last with stores of other storages, only while jobs name one: what that context and these stores gave. */
  #lastWithStores: SeenContext | null = null;
  #lastStores = noStores;
  #lastContext: ExecutionContext | null = null;

  constructor(payloads: Payloads) {
    this.#entries = new ContextEntries(payloads, this.#writer);
  }

  /** Of the contexts that jobs name, each counted once. */
  get bytesInUse(): number {
    return this.#entries.bytesInUse;
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
  current(): SeenContext | null {
    const context = ExecutionContext.capture();
    if (context === null) return null;
    const stores = flows.isEmpty ? null : readFlows("thread", this.#lastStores);
    if (stores !== null) return this.#withStores(context, stores);
    return context === this.#last ? this.#lastSeen : this.#attachedTo(context);
  }

  /**
   * Writes the text behind the arguments of a job, if no job has had it before and there is room in a slot: most contexts have one job, and that
   * holds nothing else for it then.
   *
   * @param target Has room for three times as much as a slot.
   * @returns what the job keeps of it: see `contextBeside`. Null: it names the context.
   */
  putBeside(seen: SeenContext, target: Uint8Array, at: number): number | null {
    if (seen.wasUsed) return null;
    const { pieces } = seen;
    if (at + unitsOf(pieces) > INLINE_BYTES) return null;
    const length = this.#writer.write(pieces, target, at);
    if (at + length > INLINE_BYTES) return null;
    if (seen.id === NO_ID) {
      const { hash } = this.#writer;
      const place = placeOf(hash);
      if (this.#hashes[place] === hash) return null;
      this.#keep(seen, place, hash);
    }
    seen.wasUsed = true;
    return contextBeside(seen.id, length);
  }

  /** What a job names. */
  entryOf(current: SeenContext): ContextEntry {
    const seen = current.id === NO_ID ? this.#seenAs(current) : current;
    seen.wasUsed = true;
    const entry =
      seen.entry === null ? this.#entries.create(seen.id, seen.pieces) : this.#entries.usable(seen.entry);
    seen.entry = entry;
    return entry;
  }

  /** @see ContextEntries.enter */
  enter(entry: ContextEntry): void {
    this.#entries.enter(entry);
  }

  leave(entry: ContextEntry): void {
    this.#entries.leave(entry);
    if (this.#entries.users > 0) return;
    this.#last = this.#lastSeen = this.#lastContext = this.#lastWithStores = null;
    this.#lastStores = noStores;
  }

  /** The thread has nothing to do: what nobody names goes. */
  forget(): void {
    this.#entries.forget();
    this.#byText.fill(null);
    this.#hashes.fill(0);
  }

  #attachedTo(context: ExecutionContext): SeenContext | null {
    let attached = this.#find(context);
    if (attached === null) {
      const pieces = context.pieces("thread", noStores);
      // A codec may have submitted a job of this context meanwhile.
      attached = this.#find(context);
      if (attached === null) {
        attached = pieces === null ? this.#nothing : this.#newSeen(this.#newId(), pieces);
        if (context.attached === null) context.attached = attached;
        else this.#shared.set(context, attached);
      }
    }
    const seen = attached === this.#nothing ? null : attached;
    if (this.#entries.users > 0) {
      this.#last = context;
      this.#lastSeen = seen;
    }
    return seen;
  }

  #find(context: ExecutionContext): SeenContext | null {
    const { attached } = context;
    if (attached === null) return null;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this table attaches nothing else.
    return attached.owner === this.#owner ? (attached as SeenContext) : (this.#shared.get(context) ?? null);
  }

  #withStores(context: ExecutionContext, stores: readonly WrittenEntry[]): SeenContext {
    const last = this.#lastWithStores;
    if (last !== null && this.#lastContext === context && this.#lastStores === stores) return last;
    // With a store in it, there is a text.
    const seen = this.#newSeen(NO_ID, context.pieces("thread", stores)!);
    if (this.#entries.users > 0) {
      this.#lastWithStores = seen;
      this.#lastStores = stores;
      this.#lastContext = context;
    }
    return seen;
  }

  /** What has the same text, and was seen before; or this one from now on. */
  #seenAs(current: SeenContext): SeenContext {
    const { pieces } = current;
    const hash = this.#entries.hashOf(pieces);
    const place = placeOf(hash);
    const before = this.#hashes[place] === hash ? this.#byText[place]! : null;
    const isKnown = before !== null && areSame(before.pieces, pieces);
    if (!isKnown) this.#keep(current, place, hash);
    const seen = isKnown ? before : current;
    if (this.#lastWithStores === current) this.#lastWithStores = seen;
    return seen;
  }

  #keep(seen: SeenContext, place: number, hash: number): void {
    seen.id = this.#newId();
    this.#byText[place] = seen;
    this.#hashes[place] = hash;
  }

  #newSeen(id: number, pieces: readonly string[]): SeenContext {
    return { owner: this.#owner, id, pieces, wasUsed: false, entry: null };
  }

  #newId(): number {
    const id = this.#nextId;
    this.#nextId = id === MAX_ID ? 1 : id + 1;
    return id;
  }
}

function placeOf(hash: number): number {
  return hash & (TEXT_PLACES - 1);
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
