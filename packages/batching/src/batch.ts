import { AsyncScope } from "@skein/context";
import { attachScopes, type PushScope } from "./context-of.ts";

/** How many items' worth of buffers are kept for later. */
const KEPT_ITEMS = 131_072;
/** The room that a buffer has from the beginning; a larger one grows when it is first needed. */
const FIRST_LENGTH = 1024;

// oxlint-disable-next-line typescript/unbound-method -- it does not look at `this`
const { isExtensible } = Object;

/** What is told when the pump's promise for a batch has settled. */
export interface BatchOwner<T> {
  /** Of the consumer. */
  readonly name: string | null;
  onPumped(batch: Batch<T>): void;
  onPumpFailed(batch: Batch<T>, error: unknown): void;
}

/**
 * Up to `batchSize` items of one slot: filled in place, handed to the pump, and then used again. The buffer is never
 * shortened: it would give up its memory.
 */
export class Batch<T> {
  readonly buffer: T[];
  readonly scopes: PushScope[] | null;
  /** What the pump gets: the buffer, or a copy of its filled part. */
  items: readonly T[];
  count = 0;
  slot = 0;
  /** When the first item came. */
  since = 0;
  /** The place in the order of starts of its slot. */
  serial = 0;
  /** How often the pump has failed. */
  failures = 0;
  next: Batch<T> | null = null;
  // Made once, for all the times that this object is used.
  readonly onPumped: () => void;
  readonly onPumpFailed: (error: unknown) => void;

  constructor(owner: BatchOwner<T>, size: number, flowContext: boolean) {
    // Filled, so that it is an array of anything from the start: neither the first item nor `clear` changes its kind.
    // oxlint-disable-next-line unicorn/no-new-array -- Array.from takes ten times as long, and a backlog makes many
    this.buffer = new Array<T>(Math.min(size, FIRST_LENGTH)).fill(undefined as T);
    this.items = this.buffer;
    this.scopes = flowContext
      ? Array.from<PushScope>({ length: this.buffer.length }).fill(AsyncScope.root)
      : null;
    if (this.scopes !== null) attachScopes(this.buffer, this.scopes);
    this.onPumped = () => owner.onPumped(this);
    this.onPumpFailed = (error) => owner.onPumpFailed(this, error);
  }

  /** Nothing will be added: `items` gets the right length. Costs one array, unless the buffer is full. */
  close(): void {
    if (this.count === this.buffer.length) return;
    this.items = this.buffer.slice(0, this.count);
    if (this.scopes !== null) attachScopes(this.items, this.scopes.slice(0, this.count));
  }

  /** Lets go of the items. */
  clear(): void {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody reads beyond `count`.
    (this.buffer as unknown[]).fill(undefined, 0, this.count);
    this.scopes?.fill(AsyncScope.root, 0, this.count);
    this.items = this.buffer;
    this.count = 0;
    this.failures = 0;
  }
}

/** Batches that wait to be used again. Grows to what a backlog needed, and keeps a bounded part of that. */
export class BatchPool<T> {
  readonly #make: () => Batch<T>;
  readonly #limit: number;
  #free: Batch<T> | null = null;
  #kept = 0;

  /** @param least How many are kept, however large they are. */
  constructor(make: () => Batch<T>, batchSize: number, least: number) {
    this.#make = make;
    this.#limit = Math.max(least, Math.ceil(KEPT_ITEMS / batchSize));
  }

  take(): Batch<T> {
    const batch = this.#free;
    if (batch === null) return this.#make();
    this.#free = batch.next;
    batch.next = null;
    this.#kept--;
    return batch;
  }

  giveBack(batch: Batch<T>): void {
    // The pump has frozen or sealed what it was given, as libraries do that share immutable data.
    if (!isExtensible(batch.buffer)) return;
    batch.clear();
    if (this.#kept === this.#limit) return;
    batch.next = this.#free;
    this.#free = batch;
    this.#kept++;
  }
}
