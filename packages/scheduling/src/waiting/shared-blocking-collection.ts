import { isMainThread } from "node:worker_threads";
import { InvalidOperationError, argumentRangeError, argumentTypeError } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { deserialize } from "@skein/context/internal";
import { hookCancellation, isCanceled } from "../cancellation/cancellation-hook.ts";
import type { CancellationHook, CancellationSignal } from "../cancellation/cancellation-hook.ts";
import { isThenable } from "../adopt.ts";
import { NotCloneableError, TimeoutError, cancellationError } from "../errors.ts";
import type { CancellationCause } from "../errors.ts";
import { checkOptions, ownOption } from "../own-option.ts";
import { ITEMS, ItemRing, ROOM, ringBytes } from "../shared/item-ring.ts";
import type { AwaitedSide } from "../shared/item-ring.ts";
import { signalOf } from "../task-options.ts";
import type { SignalOptions } from "../task-options.ts";
import { demandQueue, tryCancel, tryFault, trySucceed } from "../task-state.ts";
import { Task, createTask } from "../task.ts";
import { requireDuration } from "../durations.ts";
import { clearInterval, now, setInterval } from "../timers.ts";

const { process } = globalThis;

const DEFAULT_CAPACITY = 256;
const DEFAULT_ITEM_BYTES = 1024;
const MAX_BYTES = 2 ** 30;
/** The longest interval of a timer. */
const LONGEST_MS = 2 ** 31 - 1;

/** Tells a miss from an item that is undefined. */
const MISS: unique symbol = Symbol("miss");

export interface SharedBlockingCollectionOptions {
  /** How many items it holds; rounded up to a power of two, at least 2. @default 256 */
  boundedCapacity?: number | undefined;
  /** The most that one item may take, cloned. @default 1024 */
  itemBytes?: number | undefined;
}

export interface SyncWaitOptions {
  /** From 0 to 2147483647 milliseconds; -1 and Infinity wait without end. @default Infinity */
  timeoutMs?: number | undefined;
}

const syncWaitOptions: OptionNames<SyncWaitOptions> = { timeoutMs: true };

const knownOptions: OptionNames<SharedBlockingCollectionOptions> = { boundedCapacity: true, itemBytes: true };

/**
 * A BlockingCollection between threads: send `buffer` to another thread and open it there with `from`. Items are structured
 * clones, as `v8.serialize` makes them: Buffers stay Buffers, and each typed array and DataView has memory of its own, also where several
 * shared theirs. First in, first out.
 *
 * `takeSync` and `addSync` block the thread, so they are for pool threads and other workers; on the main thread they throw.
 *
 * A thread that is terminated, anywhere, holds up nobody else. Only the item that it was adding, or had just taken, is lost, and perhaps
 * one spare block of memory: there are 256 of them, or as many as fit into 64 MiB but at least 4. With all gone there is no room.
 *
 * @example
 * // main thread
 * const images = new SharedBlockingCollection<Image>({ itemBytes: 65_536 });
 * pool.run(resizeAll, [images.buffer]);
 * await images.add(image);
 * // in the job
 * for (const image of SharedBlockingCollection.from<Image>(buffer).consumeSync()) resize(image);
 */
export class SharedBlockingCollection<T> {
  readonly #ring: ItemRing;
  /** Not imported: a program without such a collection need not load it. */
  readonly #v8 = process.getBuiltinModule("node:v8");

  /** @throws TypeError, RangeError for an option of the wrong type or range. */
  constructor(options?: SharedBlockingCollectionOptions | ItemRing) {
    this.#ring = options instanceof ItemRing ? options : createRing(options);
  }

  /**
   * The collection that another thread made.
   *
   * @throws TypeError when `buffer` is not the buffer of a collection.
   */
  static from<T>(buffer: SharedArrayBuffer): SharedBlockingCollection<T> {
    if (!ItemRing.isRing(buffer))
      throw argumentTypeError("buffer", "the buffer of a SharedBlockingCollection", buffer);
    return new SharedBlockingCollection<T>(new ItemRing(buffer));
  }

  /** What to send to another thread. */
  get buffer(): SharedArrayBuffer {
    return this.#ring.buffer;
  }

  get boundedCapacity(): number {
    return this.#ring.capacity;
  }

  /** How many items there are; other threads may change it at any time. */
  get count(): number {
    return this.#ring.count;
  }

  get isAddingCompleted(): boolean {
    return this.#ring.isCompleted;
  }

  /** Nothing more will come. */
  get isCompleted(): boolean {
    return this.#ring.isCompleted && this.#ring.isEmpty;
  }

  /**
   * Adds if there is room.
   *
   * @throws InvalidOperationError when adding is completed.
   * @throws RangeError when the clone of `item` is larger than `itemBytes`; NotCloneableError when it cannot be cloned.
   */
  tryAdd(item: T): boolean {
    return this.#tryAddBytes(this.#encode(item));
  }

  /** Takes the oldest item, or gives undefined; also for an item that is undefined. */
  tryTake(): T | undefined {
    const item = this.#tryTake();
    return item === MISS ? undefined : item;
  }

  /**
   * Takes the oldest item, and blocks this thread until there is one.
   *
   * @throws InvalidOperationError on the main thread; and when none will come any more.
   * @throws TimeoutError when the time has run out.
   */
  takeSync(options?: SyncWaitOptions): T {
    const item = this.#blockFor(options, ITEMS, () => this.#tryTake());
    if (item === MISS) throw nothingToTake();
    return item;
  }

  /**
   * Adds, and blocks this thread until there is room.
   *
   * @throws InvalidOperationError on the main thread, and when adding is completed, also while it waits.
   * @throws TimeoutError when the time has run out.
   */
  addSync(item: T, options?: SyncWaitOptions): void {
    const bytes = this.#encode(item);
    this.#blockFor(options, ROOM, () => (this.#tryAddBytes(bytes) ? undefined : MISS));
  }

  /** Takes item after item, blocking, until adding is completed and it is empty. */
  *consumeSync(): Generator<T, void, undefined> {
    for (;;) {
      const item = this.#blockFor(undefined, ITEMS, () => this.#tryTake());
      if (item === MISS) return;
      yield item;
    }
  }

  /** Takes the oldest item, waiting for one without blocking. Rejects like `BlockingCollection.take`. */
  take(options?: SignalOptions): Task<T> {
    return this.#waitFor(options, ITEMS, () => {
      const isCompleted = this.#ring.isCompleted;
      const item = this.#tryTake();
      if (item === MISS && isCompleted) throw nothingToTake();
      return item;
    });
  }

  /** Adds, waiting for room without blocking. Rejects like `BlockingCollection.add`. */
  add(item: T, options?: SignalOptions): Task<void> {
    const bytes = this.#encode(item);
    return this.#waitFor(options, ROOM, () => (this.#tryAddBytes(bytes) ? undefined : MISS));
  }

  /** From here on nothing is added, by any thread; all who wait are woken. When it returns, `count` only falls. */
  completeAdding(): void {
    this.#ring.complete();
  }

  #encode(item: T): Uint8Array {
    if (isThenable(item)) throw new NotCloneableError("item", "is a promise or a task; await it first");
    let bytes: Uint8Array;
    try {
      bytes = this.#v8.serialize(item);
    } catch (error) {
      throw explain(error);
    }
    if (bytes.length > this.#ring.itemBytes)
      throw argumentRangeError("item", `at most ${this.#ring.itemBytes} bytes when cloned`, bytes.length);
    return bytes;
  }

  #tryAddBytes(bytes: Uint8Array): boolean {
    const outcome = this.#ring.tryAdd(bytes);
    if (outcome === "completed") throw addingCompleted();
    return outcome === "added";
  }

  #tryTake(): T | typeof MISS {
    const bytes = this.#ring.tryTake();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the clone of a T.
    return bytes === undefined ? MISS : (deserialize(bytes) as T);
  }

  /** MISS when adding is completed and `attempt` still misses. */
  #blockFor<R>(
    options: SyncWaitOptions | undefined,
    what: AwaitedSide,
    attempt: () => R | typeof MISS,
  ): R | typeof MISS {
    if (isMainThread)
      throw new InvalidOperationError("The main thread must not block; wait for the task of take() or add()");
    checkOptions(options, syncWaitOptions);
    const timeoutMs = requireDuration("options.timeoutMs", ownOption(options, "timeoutMs") ?? Infinity);
    const deadline = now() + timeoutMs;
    const ring = this.#ring;
    for (;;) {
      const quick = attempt();
      if (quick !== MISS) return quick;
      ring.announce(what);
      try {
        const epoch = ring.epoch(what);
        const { isCompleted } = ring;
        const late = attempt();
        if (late !== MISS || isCompleted) return late;
        const left = deadline - now();
        if (left <= 0) throw new TimeoutError();
        ring.sleep(what, epoch, left);
      } finally {
        ring.withdraw(what);
      }
    }
  }

  #waitFor<R>(
    options: SignalOptions | undefined,
    what: AwaitedSide,
    attempt: () => R | typeof MISS,
  ): Task<R> {
    const signal = signalOf(options);
    if (isCanceled(signal)) return Task.fromCanceled(signal);
    try {
      const quick = attempt();
      if (quick !== MISS) return Task.fromResult(quick);
    } catch (error) {
      return Task.fromError(error);
    }
    const task = createTask<R>("asynchronous");
    void this.#poll(task, signal, what, attempt);
    return task;
  }

  async #poll<R>(
    task: Task<R>,
    signal: CancellationSignal | undefined,
    what: AwaitedSide,
    attempt: () => R | typeof MISS,
  ): Promise<void> {
    const ring = this.#ring;
    // A pending wait on shared memory does not keep the process alive; whoever waits for a task expects that.
    const keepAlive = setInterval(nothing, LONGEST_MS);
    const onAbort = (by: CancellationCause): void => {
      clearInterval(keepAlive);
      demandQueue(task);
      tryCancel(task, cancellationError(by));
    };
    let hook: CancellationHook | undefined;
    ring.announce(what);
    try {
      if (signal !== undefined) hook = hookCancellation(signal, { onAbort });
      // A cancelled wait stays behind until the ring looks again; what comes meanwhile it leaves to others.
      while (!task.isCompleted) {
        const epoch = ring.epoch(what);
        const outcome = attempt();
        if (outcome === MISS) await ring.sleepAsync(what, epoch);
        else trySucceed(task, outcome);
      }
    } catch (error) {
      tryFault(task, error);
    } finally {
      ring.withdraw(what);
      clearInterval(keepAlive);
      hook?.remove();
    }
  }
}

/** What the item's own getters throw is passed on as it is. */
function explain(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.endsWith("could not be cloned.")) return error;
  return new NotCloneableError("item", `cannot be copied to another thread: ${error.message}`, {
    cause: error,
  });
}

function nothing(): void {}

function createRing(options: SharedBlockingCollectionOptions | undefined): ItemRing {
  checkOptions(options, knownOptions);
  const asked = requireSize("boundedCapacity", ownOption(options, "boundedCapacity"), DEFAULT_CAPACITY);
  const capacity = Math.max(2, 2 ** Math.ceil(Math.log2(asked)));
  const bytes = requireSize("itemBytes", ownOption(options, "itemBytes"), DEFAULT_ITEM_BYTES);
  const itemBytes = Math.ceil(bytes / 4) * 4;
  if (ringBytes(capacity, itemBytes) > MAX_BYTES)
    throw argumentRangeError("options.boundedCapacity", `small enough for ${MAX_BYTES} bytes in all`, asked);
  return ItemRing.create(capacity, itemBytes);
}

function requireSize(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== "number") throw argumentTypeError(`options.${name}`, "a number", value);
  if (Number.isInteger(value) && value > 0) return value;
  throw argumentRangeError(`options.${name}`, "an integer above 0", value);
}

function addingCompleted(): InvalidOperationError {
  return new InvalidOperationError("Adding to the collection has been completed");
}

function nothingToTake(): InvalidOperationError {
  return new InvalidOperationError("The collection is empty, and adding to it has been completed");
}
