import { InvalidOperationError, argumentRangeError, argumentTypeError } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { hookCancellation, isCanceled } from "../cancellation/cancellation-hook.ts";
import type { CancellationHook, CancellationSignal } from "../cancellation/cancellation-hook.ts";
import { cancellationError } from "../errors.ts";
import type { CancellationCause } from "../errors.ts";
import { checkOptions, ownOption } from "../own-option.ts";
import { signalOf } from "../task-options.ts";
import type { SignalOptions } from "../task-options.ts";
import { demandQueue, tryCancel, tryFault, trySucceed } from "../task-state.ts";
import { Task, createTask } from "../task.ts";
import { ItemQueue } from "../item-queue.ts";
import { WaiterQueue } from "./waiter-queue.ts";
import { continuationsOf } from "./waiting-options.ts";
import type { ContinuationsOption } from "./waiting-options.ts";

export interface BlockingCollectionOptions extends ContinuationsOption {
  /** How many items it holds before `add` waits. @default Infinity */
  boundedCapacity?: number | undefined;
}

let watch: (collection: BlockingCollection<never>, wake: () => void) => void;
let unwatch: (collection: BlockingCollection<never>, wake: () => void) => void;

/** What `takeFromAny` gives. */
export interface TakenItem<T> {
  readonly item: T;
  readonly index: number;
}

const knownOptions: OptionNames<BlockingCollectionOptions> = { continuations: true, boundedCapacity: true };

/**
 * A queue between producers and consumers on one thread: consumers wait for items, producers for room. First in, first
 * out, for items and for those who wait.
 *
 * What blocks in .NET gives a Task here. For consumers on other threads, which really block, see SharedBlockingCollection.
 *
 * @see https://learn.microsoft.com/dotnet/api/system.collections.concurrent.blockingcollection-1
 */
export class BlockingCollection<T> {
  readonly #items = new ItemQueue<T>();
  readonly #takers: WaiterQueue<T>;
  readonly #adders: WaiterQueue<void, T>;
  /** Those who wait at several collections at once. */
  readonly #watchers = new Set<() => void>();
  readonly #capacity: number;
  #isAddingCompleted = false;

  /** @throws TypeError, RangeError for an option of the wrong type or range. */
  constructor(options?: BlockingCollectionOptions) {
    checkOptions(options, knownOptions);
    const policy = continuationsOf(options);
    this.#capacity = requireCapacity(ownOption(options, "boundedCapacity"));
    this.#takers = new WaiterQueue(policy);
    this.#adders = new WaiterQueue(policy);
  }

  /** How many items are in it; those of waiting `add`s are not. */
  get count(): number {
    return this.#items.size;
  }

  get boundedCapacity(): number {
    return this.#capacity;
  }

  get isAddingCompleted(): boolean {
    return this.#isAddingCompleted;
  }

  /** Nothing more will come: adding is completed, and it is empty. */
  get isCompleted(): boolean {
    return this.#isAddingCompleted && this.#items.size === 0;
  }

  /**
   * Adds, waiting for room if there is none. Rejects with an InvalidOperationError when adding is completed, also when that happens
   * while it waits; cancelled, it has added nothing.
   */
  add(item: T, options?: SignalOptions): Task<void> {
    const signal = signalOf(options);
    if (isCanceled(signal)) return Task.fromCanceled(signal);
    if (this.#isAddingCompleted) return Task.fromError(addingCompleted());
    return this.#put(item) ? Task.fromResult(undefined) : this.#adders.add(signal, item);
  }

  /**
   * Adds if there is room.
   *
   * @throws InvalidOperationError when adding is completed.
   */
  tryAdd(item: T): boolean {
    if (this.#isAddingCompleted) throw addingCompleted();
    return this.#put(item);
  }

  /** Takes the oldest item, waiting for one. Rejects with an InvalidOperationError when none will come any more. */
  take(options?: SignalOptions): Task<T> {
    const signal = signalOf(options);
    if (isCanceled(signal)) return Task.fromCanceled(signal);
    if (this.#items.size > 0) return Task.fromResult(this.#get());
    return this.#isAddingCompleted ? Task.fromError(nothingToTake()) : this.#takers.add(signal, undefined);
  }

  /** Takes the oldest item, or gives undefined; `count` tells a miss from an item that is undefined. */
  tryTake(): T | undefined {
    return this.#items.size > 0 ? this.#get() : undefined;
  }

  /** From here on nothing is added; producers that wait are refused, consumers get what is left. Can be called again. */
  completeAdding(): void {
    if (this.#isAddingCompleted) return;
    this.#isAddingCompleted = true;
    this.#adders.failAll(addingCompleted);
    this.#takers.failAll(nothingToTake);
    this.#wakeWatchers();
  }

  /** Takes item after item until adding is completed and it is empty. Several consumers share the items. */
  getConsumingIterable(options?: SignalOptions): AsyncGenerator<Awaited<T>, void, undefined> {
    return this.#consume(signalOf(options));
  }

  async *#consume(signal: CancellationSignal | undefined): AsyncGenerator<Awaited<T>, void, undefined> {
    while (!this.isCompleted) {
      let item: Awaited<T>;
      try {
        item = await this.take({ signal });
      } catch (error) {
        // Completed while it waited: that is the end, not a failure.
        if (error instanceof InvalidOperationError && this.isCompleted) return;
        throw error;
      }
      yield item;
    }
  }

  /** The items of this moment; takes nothing. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.toArray().values();
  }

  /**
   * Adds to the first collection that has room, and gives its index.
   *
   * @throws TypeError when `collections` is empty or holds something else.
   */
  static addToAny<T>(
    collections: readonly BlockingCollection<T>[],
    item: T,
    options?: SignalOptions,
  ): Task<number> {
    const all = requireCollections(collections);
    return waitAtAny(all, signalOf(options), () => {
      if (all.some((collection) => collection.#isAddingCompleted)) throw addingCompleted();
      const index = all.findIndex((collection) => collection.#put(item));
      return index === -1 ? undefined : index;
    });
  }

  /**
   * Takes from the first collection that has an item. Rejects with an InvalidOperationError when all are completed.
   *
   * @throws TypeError when `collections` is empty or holds something else.
   */
  static takeFromAny<T>(
    collections: readonly BlockingCollection<T>[],
    options?: SignalOptions,
  ): Task<TakenItem<T>> {
    const all = requireCollections(collections);
    return waitAtAny(all, signalOf(options), () => {
      const index = all.findIndex((collection) => collection.#items.size > 0);
      const source = all[index];
      if (source !== undefined) return { item: source.#get(), index };
      if (all.every((collection) => collection.#isAddingCompleted)) throw nothingToTake();
      return undefined;
    });
  }

  /** To a consumer that waits, or into the queue; false when that is full. */
  #put(item: T): boolean {
    if (this.#takers.size > 0) return this.#takers.release(item);
    if (this.#items.size >= this.#capacity) return false;
    this.#items.add(item);
    this.#wakeWatchers();
    return true;
  }

  /** Not called when it is empty. Room is given to the producer that waits longest. */
  #get(): T {
    const item = this.#items.take();
    const adder = this.#adders.first;
    if (adder !== null) {
      this.#items.add(adder.state);
      this.#adders.release(undefined);
    }
    this.#wakeWatchers();
    return item;
  }

  #wakeWatchers(): void {
    for (const wake of this.#watchers) wake();
  }

  static {
    watch = (collection, wake) => void collection.#watchers.add(wake);
    unwatch = (collection, wake) => void collection.#watchers.delete(wake);
  }
}

/** Tries now, and whenever one of the collections has changed, until `attempt` gives something or throws. */
function waitAtAny<T, R>(
  collections: readonly BlockingCollection<T>[],
  signal: CancellationSignal | undefined,
  attempt: () => R | undefined,
): Task<R> {
  if (isCanceled(signal)) return Task.fromCanceled(signal);
  const task = createTask<R>("asynchronous");
  // What this very attempt adds or takes wakes all who watch, itself among them.
  let isTrying = false;
  const wake = (): void => {
    if (isTrying || task.isCompleted) return;
    isTrying = true;
    let result: R | undefined;
    try {
      result = attempt();
    } catch (error) {
      release();
      tryFault(task, error);
      return;
    } finally {
      isTrying = false;
    }
    if (result === undefined) return;
    release();
    trySucceed(task, result);
  };
  const onAbort = (by: CancellationCause): void => {
    // Too late: code that runs in the middle of an attempt has been given its item, or the room for one.
    if (isTrying) return;
    release();
    demandQueue(task);
    tryCancel(task, cancellationError(by));
  };
  let hook: CancellationHook | undefined;
  const release = (): void => {
    hook?.remove();
    for (const collection of collections) unwatch(collection as BlockingCollection<never>, wake);
  };
  // First the hook: a signal of somebody's may throw, or call back at once, and then nobody watches.
  hook = signal === undefined ? undefined : hookCancellation(signal, { onAbort });
  if (task.isCompleted) return task;
  for (const collection of collections) watch(collection as BlockingCollection<never>, wake);
  wake();
  return task;
}

function addingCompleted(): InvalidOperationError {
  return new InvalidOperationError("Adding to the collection has been completed");
}

function nothingToTake(): InvalidOperationError {
  return new InvalidOperationError("The collection is empty, and adding to it has been completed");
}

/** A copy: the wait lasts, and the caller's list may change. */
function requireCollections<T>(value: readonly BlockingCollection<T>[]): readonly BlockingCollection<T>[] {
  const list = Array.isArray(value) ? [...value] : [];
  if (list.length === 0 || !list.every((one) => one instanceof BlockingCollection))
    throw argumentTypeError("collections", "a list of at least one BlockingCollection", value);
  return list;
}

function requireCapacity(value: unknown): number {
  if (value === undefined || value === Infinity) return Infinity;
  if (typeof value !== "number") throw argumentTypeError("options.boundedCapacity", "a number", value);
  if (Number.isInteger(value) && value > 0) return value;
  throw argumentRangeError("options.boundedCapacity", "an integer above 0, or Infinity", value);
}
