import { AsyncScope } from "@skein/context";
import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import { Task, TaskCompletionSource } from "@skein/scheduling";
import { currentClocks } from "./clock.ts";
import { BatchesFailedError, CapacityExceededError, InvalidOperationError } from "./errors.ts";
import { FailureLog } from "./failure-log.ts";
import { resolveOptions } from "./options.ts";
import type { BatchingOptions, ResolvedOptions } from "./options.ts";
import { Scheduler } from "./scheduler.ts";
import type { FailedBatch, Pump } from "./pump.ts";
import { SharedInlet } from "./shared-inlet.ts";
import { SharedProducer } from "./shared-producer.ts";
import type { SlotQueue } from "./slot-queue.ts";
import { refuseUnknownOptions } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";

export interface CompleteOptions {
  /** Whether what waits is pumped first; otherwise it is given back, and running batches are asked to end. @default true */
  drain?: boolean | undefined;
}

export interface CompletionReport<T> {
  /** Accepted and never pumped: slot by slot, in order. */
  readonly discarded: T[];
  /** Batches whose pump failed, where `onError` did not decide: the first of them, with up to `capacity` items in all. */
  readonly failed: FailedBatch<T>[];
  /** How many more items were in failed batches that were not kept. */
  readonly failedItemsDropped: number;
}

const completeOptions: OptionNames<CompleteOptions> = { drain: true };

/** Counts of items since the consumer was made; `pushed` is the sum of all others. */
export interface BatchingStats {
  readonly pushed: number;
  readonly pumped: number;
  /** In batches whose pump failed for good, the dropped ones included. */
  readonly failed: number;
  readonly discarded: number;
  /** By number of the slot: items that wait, and batches in the pump. */
  readonly slots: readonly { readonly pending: number; readonly running: number }[];
}

const admitted: Task<void> = Task.fromResult<void>(undefined);

/**
 * Collects items from many producers, slot by slot, and gives them to one function in batches: as soon as `batchSize` items of a
 * slot have come, or when the oldest has waited for `pushIntervalMs`. An item never leaves its slot, so what has to be completed
 * where it came from (on the receiver of a message, in the table of a row) gets a slot for each such place.
 *
 * Batches of a slot start in the order of the pushes, up to `maxConcurrency` at once; slots do not wait for each other. One timer
 * in all, and none while nothing waits. While started, waiting items keep the process alive, unless `pushIntervalMs` is
 * Infinity: nobody knows when their batch will be full.
 *
 * @example
 * const completions = new MultiProducerConcurrentConsumer<Message>({
 *   batchSize: 100, pushIntervalMs: 50, maxConcurrency: 4, slots: receivers.length,
 * });
 * completions.start((messages, slot) => receivers[slot].complete(messages));
 * for (const [slot, receiver] of receivers.entries()) receiver.onMessage((message) => completions.push(message, slot));
 * // at the end
 * const { failed } = await completions.complete();
 * @see https://github.com/danielmarbach/MultiProducerConcurrentConsumer
 */
export class MultiProducerConcurrentConsumer<T, S = undefined> implements AsyncDisposable {
  readonly #options: ResolvedOptions<T>;
  readonly #failures: FailureLog<T>;
  readonly #scheduler: Scheduler<T, S>;
  readonly #queues: readonly SlotQueue<T>[];
  #inlet: SharedInlet<T> | null = null;
  #isOpen = true;
  #discarded = 0;
  /** Set from the first `complete()` until the next `start()`. */
  #completion: TaskCompletionSource<CompletionReport<T>> | null = null;

  /** @throws TypeError, RangeError that name the option. */
  constructor(options: BatchingOptions<T>) {
    this.#options = resolveOptions(options);
    this.#failures = new FailureLog<T>(this.#options.name, this.#options.capacity);
    this.#scheduler = new Scheduler<T, S>(
      this.#options,
      this.#failures,
      currentClocks(),
      (queue) => this.#admit(queue),
      () => this.#finish(),
    );
    this.#queues = this.#scheduler.queues;
  }

  /**
   * Begins to pump. What was pushed before is pumped too, at once if it has waited long enough. Can be called again after
   * `complete()` has resolved.
   *
   * @throws InvalidOperationError when it is started already, or still completing.
   */
  start(pump: Pump<T, S>, ...state: undefined extends S ? [state?: S] : [state: S]): void {
    if (typeof pump !== "function") throw argumentTypeError("pump", "a function", pump);
    if (!this.#scheduler.isStopped) {
      throw new InvalidOperationError(
        this.#isOpen ? "The consumer is already started" : "complete() has not finished yet",
      );
    }
    this.#completion = null;
    this.#isOpen = true;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it may be left out only where S has undefined.
    this.#scheduler.start(pump, state[0] as S);
    this.#inlet?.listen();
  }

  /**
   * Accepts one item, before `start()` too. The pump is never called on this stack. Costs a few nanoseconds, and no memory while
   * the backlog does not grow.
   *
   * @throws RangeError when there is no such slot.
   * @throws CapacityExceededError when `capacity` items wait in the slot.
   * @throws InvalidOperationError after `complete()` was called.
   */
  push(item: T, slot: number): void {
    const queue = this.#queueAt(slot);
    if (!this.#isOpen) throw closedError();
    if (queue.pending >= this.#options.capacity) {
      throw new CapacityExceededError(slot, `${queue.pending} items wait`);
    }
    this.#scheduler.put(queue, item, this.#options.flowContext ? AsyncScope.capture() : null);
  }

  /**
   * Like `push`, for the ordinary miss.
   * @returns false when `capacity` items wait in the slot, or `complete()` was called.
   * @throws RangeError when there is no such slot.
   */
  tryPush(item: T, slot: number): boolean {
    const queue = this.#queueAt(slot);
    if (!this.#isOpen || queue.pending >= this.#options.capacity) return false;
    this.#scheduler.put(queue, item, this.#options.flowContext ? AsyncScope.capture() : null);
    return true;
  }

  /**
   * Like `push`; completes when the item was accepted, which is at once when there is room. Those that wait are accepted in order.
   * Rejects with InvalidOperationError when `complete()` was called before that.
   *
   * @throws RangeError when there is no such slot.
   */
  pushAsync(item: T, slot: number): Task<void> {
    const queue = this.#queueAt(slot);
    if (!this.#isOpen) return Task.fromError<void>(closedError());
    const scope = this.#options.flowContext ? AsyncScope.capture() : null;
    // There is room and somebody waits: this is called by whoever was admitted just now.
    if (queue.pending < this.#options.capacity && !queue.hasWaiting) {
      this.#scheduler.put(queue, item, scope);
      return admitted;
    }
    const source = new TaskCompletionSource<void>();
    queue.addWaiting({ item, scope, source });
    return source.task;
  }

  /**
   * A producer for one slot that other threads can use; its items come through the slot's shared memory (`sharedBytes`), and
   * `capacity` holds them there. They count in `stats()` when they arrive on this thread. The handle stays valid when the
   * consumer is completed and started again. Does not keep the process alive; what was pushed before its end is pumped.
   *
   * @throws RangeError when there is no such slot.
   */
  producer(slot: number): SharedProducer<T> {
    const queue = this.#queueAt(slot);
    this.#inlet ??= new SharedInlet<T>(this.#options, {
      put: (target, item, scope) => this.#scheduler.put(target, item, scope),
      fail: (target, error) => this.#failures.add({ items: [], slot: target.index, error }),
    });
    const handle = this.#inlet.handleFor(queue, this.#isOpen);
    if (!this.#scheduler.isStopped && this.#isOpen) this.#inlet.listen();
    return SharedProducer.attach<T>(handle);
  }

  /**
   * Takes no more items, and completes when the last batch has ended. By default everything that waits is pumped first. Never
   * rejects; batches that failed without an `onError` are in the report, and a process warning has told of them before. Every call gives the same task until the next `start()`; a later `drain: false` cuts a drain short.
   *
   * Waits for the pump as long as that takes: with `drain: false` the pump's signal is aborted.
   */
  complete(options?: CompleteOptions): Task<CompletionReport<T>> {
    const drain = requireDrain(options);
    if (this.#completion !== null) {
      if (!drain && !this.#scheduler.isStopped) this.#scheduler.stop();
      return this.#completion.task;
    }
    const completion = new TaskCompletionSource<CompletionReport<T>>();
    this.#completion = completion;
    this.#isOpen = false;
    const refused = this.#queues.flatMap((queue) => queue.takeWaiting(Infinity));
    this.#inlet?.close();
    if (this.#scheduler.isStopped) this.#finish();
    else if (drain) this.#scheduler.drain();
    else this.#scheduler.stop();
    // After all moves: a scheduler or context that an awaiter has chosen may run anything now, `start` too.
    for (const { source } of refused) source.setError(closedError());
    return completion.task;
  }

  stats(): BatchingStats {
    const { pumped, failed, inPump } = this.#scheduler;
    const slots = this.#queues.map(({ pending, running }) => ({ pending, running }));
    const pending = slots.reduce((sum, slot) => sum + slot.pending, 0);
    const discarded = this.#discarded;
    return { pushed: pumped + failed + discarded + pending + inPump, pumped, failed, discarded, slots };
  }

  /**
   * Drains, and waits for the end.
   * @throws BatchesFailedError when batches failed without an `onError`, and `complete()` was not called to report them.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const isReported = this.#completion !== null;
    const { failed, failedItemsDropped } = await this.complete();
    if (!isReported && failed.length > 0) throw new BatchesFailedError(failed, failedItemsDropped);
  }

  #queueAt(slot: number): SlotQueue<T> {
    const queue = this.#queues[slot];
    if (queue === undefined || typeof slot !== "number") throw slotError(slot, this.#queues.length);
    return queue;
  }

  /** Gives free places to those that wait for one: pushes of this thread and of others in turn. */
  #admit(queue: SlotQueue<T>): void {
    const { capacity } = this.#options;
    if (capacity === Number.MAX_SAFE_INTEGER) return;
    let isMore = true;
    while (isMore && queue.pending < capacity) {
      isMore = this.#inlet?.admitOne(queue.index) ?? false;
      if (!queue.hasWaiting || queue.pending >= capacity) continue;
      isMore = true;
      for (const { item, scope, source } of queue.takeWaiting(1)) {
        this.#scheduler.put(queue, item, scope);
        source.setResult();
      }
    }
  }

  #finish(): void {
    const discarded = this.#scheduler.removeAll();
    this.#discarded += discarded.length;
    this.#completion!.setResult({ discarded, ...this.#failures.take() });
  }
}

function requireDrain(options: CompleteOptions | undefined): boolean {
  if (options !== undefined && (typeof options !== "object" || options === null)) {
    throw argumentTypeError("options", "an object", options);
  }
  if (options !== undefined) refuseUnknownOptions(options, completeOptions);
  const drain = options !== undefined && Object.hasOwn(options, "drain") ? options.drain : undefined;
  if (drain !== undefined && typeof drain !== "boolean") {
    throw argumentTypeError("options.drain", "a boolean", drain);
  }
  return drain ?? true;
}

function closedError(): InvalidOperationError {
  return new InvalidOperationError(
    "complete() was called; the consumer takes no more items until it is started again",
  );
}

function slotError(slot: unknown, slots: number): TypeError | RangeError {
  return typeof slot === "number"
    ? argumentRangeError("slot", `a whole number from 0 to ${slots - 1}`, slot)
    : argumentTypeError("slot", "a number", slot);
}
