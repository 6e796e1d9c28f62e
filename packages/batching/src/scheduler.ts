/**
 * Which batch goes to the pump, and when.
 *
 * State    | STOPPED  | items may come, nothing starts                                              |
 *          | RUNNING  | full batches and those whose oldest item has waited long enough are started |
 *          | DRAINING | every item is due, none comes any more                                      |
 *          | STOPPING | nothing starts, running batches end                                         |
 * Moves    STOPPED → RUNNING → DRAINING → STOPPED, RUNNING → STOPPING → STOPPED, DRAINING → STOPPING
 *
 * Slots that can start a batch stand in a queue (`#ready`); each gets one start per turn, so that no slot holds up another. The
 * pump is called from a microtask, never on the stack of a push.
 */
import { AsyncScope } from "@skein/context";
import { Batch, BatchPool } from "./batch.ts";
import type { BatchOwner } from "./batch.ts";
import type { Clock, Clocks } from "./clock.ts";
import { detachScopes, type PushScope } from "./context-of.ts";
import { DueSlots } from "./due-slots.ts";
import type { FailureLog } from "./failure-log.ts";
import { verdictOn } from "./failure-verdict.ts";
import { settled, whenSettled } from "./native-promise.ts";
import type { ResolvedOptions } from "./options.ts";
import { runBatch } from "./pump.ts";
import type { Pump } from "./pump.ts";
import { SlotOrder } from "./slot-order.ts";
import { SlotQueue } from "./slot-queue.ts";
import { WakeTimer } from "./wake-timer.ts";

const STOPPED = 0;
const RUNNING = 1;
const DRAINING = 2;
const STOPPING = 3;

const MAX_REST_MS = 1000;

const Controller = AbortController;

export class Scheduler<T, S> implements BatchOwner<T> {
  readonly queues: readonly SlotQueue<T>[];
  /** Items, as all counts that follow. */
  pumped = 0;
  failed = 0;
  inPump = 0;
  readonly #options: ResolvedOptions<T>;
  readonly #failures: FailureLog<T>;
  /** For items that wait for their batch to fill. */
  readonly #fillClock: Clock;
  readonly #fillTimer: WakeTimer;
  /** For slots that rest. */
  readonly #restClock: Clock;
  readonly #restTimer: WakeTimer;
  readonly #pool: BatchPool<T>;
  readonly #onRoom: (queue: SlotQueue<T>) => void;
  readonly #onStopped: () => void;
  readonly #ready: SlotOrder;
  readonly #due: DueSlots<T>;
  readonly #wakeOne = (queue: SlotQueue<T>): void => this.#wake(queue);
  readonly #dispatch: () => void;
  #mode = STOPPED;
  #pump: Pump<T, S> | null = null;
  #state: S | undefined = undefined;
  /** Of the batches since the last start. */
  #abort: AbortController | null = null;
  #runningBatches = 0;
  #isDispatchQueued = false;
  #isDispatching = false;

  /**
   * @param onRoom A batch of this queue went to the pump.
   * @param onStopped Draining or stopping has come to its end.
   */
  constructor(
    options: ResolvedOptions<T>,
    failures: FailureLog<T>,
    clocks: Clocks,
    onRoom: (queue: SlotQueue<T>) => void,
    onStopped: () => void,
  ) {
    const { batchSize, slots, maxConcurrency, flowContext } = options;
    this.#options = options;
    this.#failures = failures;
    this.#fillClock = clocks.steered;
    this.#fillTimer = new WakeTimer(clocks.steered, () => this.#onFillTime());
    this.#restClock = clocks.own;
    this.#restTimer = new WakeTimer(clocks.own, () => this.#onRestTime());
    this.#onRoom = onRoom;
    this.#onStopped = onStopped;
    this.queues = Array.from({ length: slots }, (_, index) => new SlotQueue<T>(index));
    this.#pool = new BatchPool(
      () => new Batch<T>(this, batchSize, flowContext),
      batchSize,
      slots * Math.min(maxConcurrency + 1, 64),
    );
    this.#ready = new SlotOrder(slots);
    this.#due = new DueSlots(this.queues, options.pushIntervalMs);
    this.#dispatch = () => this.#startReady();
  }

  get name(): string | null {
    return this.#options.name ?? null;
  }

  get isStopped(): boolean {
    return this.#mode === STOPPED;
  }

  start(pump: Pump<T, S>, state: S): void {
    this.#pump = pump;
    this.#state = state;
    this.#abort = new Controller();
    this.#mode = RUNNING;
    for (const queue of this.queues) this.#wake(queue);
    this.#due.wakeFilled(this.#fillClock.now(), this.#wakeOne);
    this.#setTimers();
  }

  /** Adds an item, whatever the capacity. */
  put(queue: SlotQueue<T>, item: T, scope: PushScope | null): void {
    const { batchSize } = this.#options;
    let batch = queue.tail ?? this.#open(queue);
    // The push that filled it had no stack left to close it.
    if (batch.count === batchSize) {
      this.#close(queue, batch);
      batch = this.#open(queue);
    }
    const { count } = batch;
    batch.buffer[count] = item;
    if (scope !== null) batch.scopes![count] = scope;
    batch.count = count + 1;
    queue.pending++;
    if (count + 1 === batchSize) this.#close(queue, batch);
  }

  /** Everything is due. Calls `onStopped` when all has been pumped. */
  drain(): void {
    this.#mode = DRAINING;
    for (const queue of this.queues) this.#wake(queue);
    this.#queueDispatch();
  }

  /** Nothing is started any more. Calls `onStopped` when the running batches have ended. */
  stop(): void {
    this.#mode = STOPPING;
    this.#stopTimers();
    this.#queueDispatch();
    // Last, because it calls the listeners of the pump's signal: under the empty context, as the pump.
    const abort = this.#abort!;
    AsyncScope.root.run(() => abort.abort());
  }

  /** What was accepted and not pumped, slot by slot; failed batches that wait for another try included. */
  removeAll(): T[] {
    const items: T[] = [];
    for (const queue of this.queues) {
      for (const item of queue.removeAll()) items.push(item);
      this.#ready.remove(queue.index);
      this.#due.forget(queue);
    }
    return items;
  }

  onPumped(batch: Batch<T>): void {
    const queue = this.#end(batch);
    this.pumped += batch.count;
    this.#pool.giveBack(batch);
    this.#afterEnd(queue);
  }

  onPumpFailed(batch: Batch<T>, error: unknown): void {
    // While `onError` decides, the batch is still running.
    const verdict = verdictOn(batch, error, this.#options.onError);
    const queue = this.#end(batch);
    batch.failures++;
    if (verdict === "retry") {
      queue.putBack(batch);
      this.#rest(queue, batch.failures);
    } else {
      // Not given back to the pool: its items belong to whoever was told of the failure.
      this.failed += batch.count;
      if (verdict !== "drop") {
        detachScopes(batch.items);
        this.#failures.add(verdict);
      }
    }
    this.#afterEnd(queue);
  }

  /** Or throws, where the stack is full, and then there is no tail. */
  #open(queue: SlotQueue<T>): Batch<T> {
    const batch = this.#pool.take();
    const { pushIntervalMs, batchSize } = this.#options;
    batch.slot = queue.index;
    queue.tail = batch;
    if (batchSize === 1 || pushIntervalMs === Infinity) return batch;
    try {
      batch.since = this.#fillClock.now();
      if (pushIntervalMs === 0) {
        queue.isTailDue = true;
        this.#wake(queue);
      } else {
        if (this.#mode === RUNNING) this.#fillTimer.atLatest(batch.since + pushIntervalMs, batch.since);
        this.#due.beginFilling(queue);
      }
    } catch (error) {
      queue.tail = null;
      queue.isTailDue = false;
      throw error;
    }
    return batch;
  }

  #close(queue: SlotQueue<T>, batch: Batch<T>): void {
    this.#due.endFilling(queue);
    queue.closeTail(batch);
    this.#wake(queue);
  }

  /** Lets the slot take part in the next dispatch if it can start a batch. */
  #wake(queue: SlotQueue<T>): void {
    if (!this.#canStart(queue)) return;
    this.#ready.append(queue.index);
    this.#queueDispatch();
  }

  #canStart(queue: SlotQueue<T>): boolean {
    if (queue.running === this.#options.maxConcurrency || queue.isResting) return false;
    if (this.#mode === RUNNING) return queue.hasClosed || queue.isTailDue;
    return this.#mode === DRAINING && (queue.hasClosed || queue.tail !== null);
  }

  #queueDispatch(): void {
    if (this.#isDispatchQueued || this.#isDispatching) return;
    whenSettled(settled, this.#dispatch);
    // Not before: where the stack is full that throws, and the next one must ask again.
    this.#isDispatchQueued = true;
  }

  #startReady(): void {
    this.#isDispatchQueued = false;
    this.#isDispatching = true;
    for (let index = this.#ready.first(); index !== -1; index = this.#ready.first()) {
      const queue = this.queues[index]!;
      this.#ready.remove(index);
      if (!this.#canStart(queue)) continue;
      this.#startOne(queue);
      if (this.#canStart(queue)) this.#ready.append(index);
    }
    this.#isDispatching = false;
    this.#setTimers();
    if (this.#isAtEnd()) {
      this.#mode = STOPPED;
      this.#stopTimers();
      // What belongs to this start is let go.
      this.#pump = null;
      this.#state = undefined;
      this.#abort = null;
      this.#onStopped();
    }
  }

  #startOne(queue: SlotQueue<T>): void {
    if (!queue.hasClosed) {
      this.#due.endFilling(queue);
      queue.closeTail(queue.tail!);
    }
    const batch = queue.takeClosed()!;
    queue.running++;
    queue.pending -= batch.count;
    this.inPump += batch.count;
    this.#runningBatches++;
    this.#onRoom(queue);
    AsyncScope.root.run(runBatch, this, batch, this.#pump!, this.#state, this.#abort!.signal);
  }

  #end(batch: Batch<T>): SlotQueue<T> {
    const queue = this.queues[batch.slot]!;
    queue.running--;
    this.inPump -= batch.count;
    this.#runningBatches--;
    return queue;
  }

  #afterEnd(queue: SlotQueue<T>): void {
    this.#wake(queue);
    if (this.#mode !== RUNNING) this.#queueDispatch();
  }

  #rest(queue: SlotQueue<T>, failures: number): void {
    if (this.#mode === STOPPING) return;
    const longest = Math.max(1, Math.min(this.#options.pushIntervalMs, MAX_REST_MS));
    const now = this.#restClock.now();
    this.#due.rest(queue, now + Math.min(2 ** (failures - 1), longest));
    this.#restTimer.atLatest(queue.restsUntil, now);
  }

  #onFillTime(): void {
    this.#due.wakeFilled(this.#fillClock.now(), this.#wakeOne);
    // A pump that advances fake timers is in the middle of a dispatch, which goes on with what is ready now.
    if (!this.#isDispatching) this.#startReady();
  }

  #onRestTime(): void {
    this.#due.wakeRested(this.#restClock.now(), this.#wakeOne);
    this.#startReady();
  }

  /** Sets the timers for what is due next, or stops them. */
  #setTimers(): void {
    const filledAt = this.#mode === RUNNING ? this.#due.nextFilledAt() : Infinity;
    if (filledAt === Infinity) this.#fillTimer.stop();
    else this.#fillTimer.atLatest(filledAt, this.#fillClock.now());
    const restedAt = this.#mode === STOPPING ? Infinity : this.#due.nextRestedAt();
    if (restedAt === Infinity) this.#restTimer.stop();
    else this.#restTimer.atLatest(restedAt, this.#restClock.now());
  }

  #stopTimers(): void {
    this.#fillTimer.stop();
    this.#restTimer.stop();
  }

  #isAtEnd(): boolean {
    if (this.#runningBatches > 0) return false;
    if (this.#mode === STOPPING) return true;
    return this.#mode === DRAINING && this.queues.every((queue) => queue.pending === 0);
  }
}
