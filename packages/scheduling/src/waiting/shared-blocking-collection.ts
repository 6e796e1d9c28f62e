/**
 * A bounded queue in shared memory: threads add and take, and may block.
 *
 * Words      STATE      Int32: COMPLETED bit; below it the number of threads inside `tryAdd`
 *            HEAD, TAIL Int32 tickets of the next take and the next add; they wrap
 *            ITEMS, ROOM Int32 epochs, up by one whenever an item, or room, has come
 *            TAKERS, ADDERS Int32: who waits, or is about to
 *            per slot   SEQUENCE, LENGTH, then the bytes of the item
 * Slot       | SEQUENCE            | means            | written by               |
 *            | ticket              | free for that add  | whoever took before it |
 *            | ticket + 1          | holds its item     | whoever added it       |
 *            | ticket + capacity   | free for the next round | whoever took it   |
 * Moves      add: CAS TAIL from t to t+1 while SEQUENCE is t, write, store t+1. take: CAS HEAD likewise, read, store t+capacity.
 * Invariants I1 bytes and LENGTH are touched only between a won CAS and the store of SEQUENCE: plain accesses are safe.
 *            I2 after `completeAdding` has returned no item is added: it waits until nobody is inside `tryAdd`.
 * Pairings   [P1] a waiter announces itself, reads the epoch, looks again, then waits on that epoch; an adder stores the item, raises
 *                 the epoch, then reads the announcements. Either the look finds the item, or the wait sees another epoch.
 *            [P2] the same for room. [P3] the same for COMPLETED, which raises both epochs.
 * Liveness   a thread that is terminated between its CAS and its store of SEQUENCE stops the queue at that slot: end threads
 *            between items.
 * Sources    D. Vyukov, bounded MPMC queue; ECMA-262 memory model.
 */

import { deserialize, serialize } from "node:v8";
import { isMainThread } from "node:worker_threads";
import { InvalidOperationError, argumentRangeError, argumentTypeError } from "@skein/context/errors";
import { hookCancellation, isCanceled, requireSignal } from "../cancellation/cancellation-hook.ts";
import type { CancellationSignal } from "../cancellation/cancellation-hook.ts";
import { TimeoutError, cancellationError } from "../errors.ts";
import type { CancellationCause } from "../errors.ts";
import { ownOption } from "../own-option.ts";
import type { SignalOptions } from "../task-options.ts";
import { demandQueue, tryCancel, tryFault, trySucceed } from "../task-state.ts";
import { Task, createTask } from "../task.ts";
import { requireDuration } from "../timer.ts";

const STATE = 0;
const HEAD = 1;
const TAIL = 2;
const ITEMS = 3;
const ROOM = 4;
const TAKERS = 5;
const ADDERS = 6;
const CAPACITY = 7;
const ITEM_BYTES = 8;
const HEADER_WORDS = 16;
const SLOT_HEADER_WORDS = 2;

const COMPLETED = 1 << 30;

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

/**
 * A BlockingCollection between threads: send `buffer` to another thread and open it there with `from`. Items are structured
 * clones. First in, first out.
 *
 * `takeSync` and `addSync` block the thread, so they are for pool threads and other workers; on the main thread they throw.
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
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #mask: number;
  readonly #itemBytes: number;
  readonly #slotWords: number;

  /** @throws TypeError, RangeError for an option of the wrong type or range. */
  constructor(options?: SharedBlockingCollectionOptions | SharedArrayBuffer) {
    this.buffer = options instanceof SharedArrayBuffer ? options : allocate(options);
    this.#words = new Int32Array(this.buffer);
    this.#bytes = new Uint8Array(this.buffer);
    // Plain reads: these two are written before the buffer is handed to anybody.
    this.#mask = (this.#words[CAPACITY] ?? 0) - 1;
    this.#itemBytes = this.#words[ITEM_BYTES] ?? 0;
    this.#slotWords = SLOT_HEADER_WORDS + this.#itemBytes / 4;
  }

  /**
   * The collection that another thread made.
   *
   * @throws TypeError when `buffer` is not the buffer of a collection.
   */
  static from<T>(buffer: SharedArrayBuffer): SharedBlockingCollection<T> {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength < HEADER_WORDS * 4)
      throw argumentTypeError("buffer", "the buffer of a SharedBlockingCollection", buffer);
    return new SharedBlockingCollection<T>(buffer);
  }

  get boundedCapacity(): number {
    return this.#mask + 1;
  }

  /** How many items there are; other threads may change it at any time. */
  get count(): number {
    // [unpaired] two loads: a statistic.
    const head = Atomics.load(this.#words, HEAD);
    return Math.max(0, (Atomics.load(this.#words, TAIL) - head) | 0);
  }

  get isAddingCompleted(): boolean {
    return (Atomics.load(this.#words, STATE) & COMPLETED) !== 0; // [P3]
  }

  /** Nothing more will come. */
  get isCompleted(): boolean {
    return this.isAddingCompleted && this.count === 0;
  }

  /**
   * Adds if there is room.
   *
   * @throws InvalidOperationError when adding is completed.
   * @throws RangeError when the clone of `item` is larger than `itemBytes`; DataCloneError when it cannot be cloned.
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
    const item = this.#blockFor(options, ITEMS, TAKERS, () => this.#tryTake());
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
    this.#blockFor(options, ROOM, ADDERS, () => (this.#tryAddBytes(bytes) ? undefined : MISS));
  }

  /** Takes item after item, blocking, until adding is completed and it is empty. */
  *consumeSync(): Generator<T, void, undefined> {
    for (;;) {
      const item = this.#blockFor(undefined, ITEMS, TAKERS, () => this.#tryTake());
      if (item === MISS) return;
      yield item;
    }
  }

  /** Takes the oldest item, waiting for one without blocking. Rejects like `BlockingCollection.take`. */
  take(options?: SignalOptions): Task<T> {
    return this.#waitFor(options, ITEMS, TAKERS, () => {
      const isClosed = this.#isClosed;
      const item = this.#tryTake();
      if (item === MISS && isClosed) throw nothingToTake();
      return item;
    });
  }

  /** Adds, waiting for room without blocking. Rejects like `BlockingCollection.add`. */
  add(item: T, options?: SignalOptions): Task<void> {
    const bytes = this.#encode(item);
    return this.#waitFor(options, ROOM, ADDERS, () => (this.#tryAddBytes(bytes) ? undefined : MISS));
  }

  /** From here on nothing is added, by any thread; all who wait are woken. When it returns, `count` only falls. */
  completeAdding(): void {
    const words = this.#words;
    const before = Atomics.or(words, STATE, COMPLETED); // [P3]
    if ((before & COMPLETED) !== 0) return;
    // Inside tryAdd nobody blocks: this ends within microseconds. The value changes, so the wait mostly returns at once.
    for (let inside = Atomics.load(words, STATE); inside !== COMPLETED; inside = Atomics.load(words, STATE))
      Atomics.wait(words, STATE, inside, 1);
    this.#signal(ITEMS, Infinity); // [P3]
    this.#signal(ROOM, Infinity); // [P3]
  }

  /** Completed, and the last adder has left: what a take misses after this will never come. */
  get #isClosed(): boolean {
    return Atomics.load(this.#words, STATE) === COMPLETED; // [P3]
  }

  #encode(item: T): Uint8Array {
    const bytes = serialize(item);
    if (bytes.length > this.#itemBytes)
      throw argumentRangeError("item", `at most ${this.#itemBytes} bytes when cloned`, bytes.length);
    return bytes;
  }

  #tryAddBytes(bytes: Uint8Array): boolean {
    const words = this.#words;
    if ((Atomics.add(words, STATE, 1) & COMPLETED) !== 0) {
      this.#leaveGate();
      throw addingCompleted();
    }
    try {
      for (;;) {
        const ticket = Atomics.load(words, TAIL);
        const slot = this.#slot(ticket);
        const lag = (Atomics.load(words, slot) - ticket) | 0;
        if (lag < 0) return false;
        if (lag > 0 || Atomics.compareExchange(words, TAIL, ticket, (ticket + 1) | 0) !== ticket) continue;
        // I1
        words[slot + 1] = bytes.length;
        this.#bytes.set(bytes, (slot + SLOT_HEADER_WORDS) * 4);
        Atomics.store(words, slot, (ticket + 1) | 0); // [P1]
        this.#signalIfAwaited(ITEMS, TAKERS);
        return true;
      }
    } finally {
      this.#leaveGate();
    }
  }

  /** Wakes `completeAdding`, if it waits for this thread. */
  #leaveGate(): void {
    const before = Atomics.sub(this.#words, STATE, 1);
    if ((before & COMPLETED) !== 0) Atomics.notify(this.#words, STATE);
  }

  #tryTake(): T | typeof MISS {
    const words = this.#words;
    for (;;) {
      const ticket = Atomics.load(words, HEAD);
      const slot = this.#slot(ticket);
      const lag = (Atomics.load(words, slot) - ((ticket + 1) | 0)) | 0; // [P1]
      if (lag < 0) return MISS;
      if (lag > 0 || Atomics.compareExchange(words, HEAD, ticket, (ticket + 1) | 0) !== ticket) continue;
      // I1
      const start = (slot + SLOT_HEADER_WORDS) * 4;
      const bytes = Buffer.from(this.#bytes.slice(start, start + (words[slot + 1] ?? 0)));
      Atomics.store(words, slot, (ticket + this.#mask + 1) | 0); // [P2]
      this.#signalIfAwaited(ROOM, ADDERS);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the clone of a T.
      return deserialize(bytes) as T;
    }
  }

  #slot(ticket: number): number {
    return HEADER_WORDS + (ticket & this.#mask) * this.#slotWords;
  }

  #signalIfAwaited(epoch: number, waiters: number): void {
    Atomics.add(this.#words, epoch, 1); // [P1] [P2]
    // All of them: an asynchronous wait that was given up is still counted, and would swallow a single wake-up.
    if (Atomics.load(this.#words, waiters) > 0) Atomics.notify(this.#words, epoch); // [P1] [P2]
  }

  #signal(epoch: number, count: number): void {
    Atomics.add(this.#words, epoch, 1);
    Atomics.notify(this.#words, epoch, count);
  }

  /** MISS when adding is completed and `attempt` still misses. */
  #blockFor<R>(
    options: SyncWaitOptions | undefined,
    epoch: number,
    waiters: number,
    attempt: () => R | typeof MISS,
  ): R | typeof MISS {
    if (isMainThread)
      throw new InvalidOperationError("The main thread must not block; wait for the task of take() or add()");
    const timeoutMs = requireDuration("options.timeoutMs", ownOption(options, "timeoutMs") ?? Infinity);
    const deadline = performance.now() + timeoutMs;
    const words = this.#words;
    for (;;) {
      const quick = attempt();
      if (quick !== MISS) return quick;
      Atomics.add(words, waiters, 1); // [P1] [P2]
      try {
        const seen = Atomics.load(words, epoch); // [P1] [P2] [P3]
        const isClosed = this.#isClosed;
        const late = attempt();
        if (late !== MISS || isClosed) return late;
        const left = deadline - performance.now();
        if (left <= 0) throw new TimeoutError();
        // "ok" and "not-equal": look again. "timed-out": look again, then give up above. A worker may block.
        Atomics.wait(words, epoch, seen, left);
      } finally {
        Atomics.sub(words, waiters, 1); // [P1] [P2]
      }
    }
  }

  #waitFor<R>(
    options: SignalOptions | undefined,
    epoch: number,
    waiters: number,
    attempt: () => R | typeof MISS,
  ): Task<R> {
    const signal = requireSignal(ownOption(options, "signal"));
    if (isCanceled(signal)) return Task.fromCanceled(signal);
    const task = createTask<R>("asynchronous");
    try {
      const quick = attempt();
      if (quick !== MISS) return Task.fromResult(quick);
    } catch (error) {
      return Task.fromError(error);
    }
    void this.#poll(task, signal, epoch, waiters, attempt);
    return task;
  }

  async #poll<R>(
    task: Task<R>,
    signal: CancellationSignal | undefined,
    epoch: number,
    waiters: number,
    attempt: () => R | typeof MISS,
  ): Promise<void> {
    const words = this.#words;
    // A pending waitAsync does not keep the process alive; whoever waits for a task expects that.
    const keepAlive = setInterval(nothing, LONGEST_MS);
    const onAbort = (by: CancellationCause): void => {
      clearInterval(keepAlive);
      demandQueue(task);
      tryCancel(task, cancellationError(by));
    };
    const hook = signal === undefined ? undefined : hookCancellation(signal, { onAbort });
    Atomics.add(words, waiters, 1); // [P1] [P2]
    try {
      // A cancelled wait stays behind until something comes; it leaves that to others.
      while (!task.isCompleted) {
        const seen = Atomics.load(words, epoch); // [P1] [P2] [P3]
        const outcome = attempt();
        if (outcome === MISS) {
          const wait = Atomics.waitAsync(words, epoch, seen);
          if (wait.async) await wait.value;
        } else {
          trySucceed(task, outcome);
        }
      }
    } catch (error) {
      tryFault(task, error);
    } finally {
      Atomics.sub(words, waiters, 1); // [P1] [P2]
      clearInterval(keepAlive);
      hook?.remove();
    }
  }
}

function nothing(): void {}

function allocate(options: SharedBlockingCollectionOptions | undefined): SharedArrayBuffer {
  const asked = requireSize("boundedCapacity", ownOption(options, "boundedCapacity"), DEFAULT_CAPACITY);
  // With one slot, holding an item and being free for the next round would be the same number.
  const capacity = Math.max(2, 2 ** Math.ceil(Math.log2(asked)));
  const bytes = requireSize("itemBytes", ownOption(options, "itemBytes"), DEFAULT_ITEM_BYTES);
  const itemBytes = Math.ceil(bytes / 4) * 4;
  const slotWords = SLOT_HEADER_WORDS + itemBytes / 4;
  const size = (HEADER_WORDS + capacity * slotWords) * 4;
  if (size > MAX_BYTES)
    throw argumentRangeError("options.boundedCapacity", `small enough for ${MAX_BYTES} bytes in all`, asked);
  const buffer = new SharedArrayBuffer(size);
  const words = new Int32Array(buffer);
  words[CAPACITY] = capacity;
  words[ITEM_BYTES] = itemBytes;
  for (let slot = 0; slot < capacity; slot++) words[HEADER_WORDS + slot * slotWords] = slot;
  return buffer;
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
