import { SkeinError, argumentRangeError, argumentTypeError, nameErrorClass } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { checkOptions } from "../own-option.ts";
import { isCanceled } from "../cancellation/cancellation-hook.ts";
import { signalOf } from "../task-options.ts";
import type { SignalOptions } from "../task-options.ts";
import { Task } from "../task.ts";
import { WaiterQueue } from "./waiter-queue.ts";
import { continuationsOf } from "./waiting-options.ts";
import type { ContinuationsOption } from "./waiting-options.ts";

const knownOptions: OptionNames<ContinuationsOption> = { continuations: true };

/** More was released than the semaphore's maximum allows. */
export class SemaphoreFullError extends SkeinError {
  static {
    nameErrorClass(this, "SemaphoreFullError");
  }

  constructor() {
    super("ERR_SKEIN_SEMAPHORE_FULL", "The release would bring the semaphore above its maximum");
  }
}

/**
 * So many at once. First come, first served: `tryWait` does not overtake those who wait.
 *
 * @example
 * const connections = new AsyncSemaphore(4);
 * await connections.waitAsync({ signal });
 * try { await query(); } finally { connections.release(); }
 * @see https://learn.microsoft.com/dotnet/api/system.threading.semaphoreslim
 */
export class AsyncSemaphore {
  readonly #waiters: WaiterQueue<void>;
  readonly #max: number;
  #count: number;

  /** @throws TypeError, RangeError unless `initial` is an integer from 0 to `max`, and `max` one above 0. */
  constructor(initial: number, max: number = Number.MAX_SAFE_INTEGER, options?: ContinuationsOption) {
    checkOptions(options, knownOptions);
    this.#max = requireInteger("max", max, 1, Number.MAX_SAFE_INTEGER);
    this.#count = requireInteger("initial", initial, 0, max);
    this.#waiters = new WaiterQueue(continuationsOf(options));
  }

  /** How many may enter without waiting. */
  get currentCount(): number {
    return this.#count;
  }

  /** Enters, or waits for its turn. Cancelled, it takes nothing. */
  waitAsync(options?: SignalOptions): Task<void> {
    const signal = signalOf(options);
    if (isCanceled(signal)) return Task.fromCanceled(signal);
    return this.tryWait() ? Task.fromResult(undefined) : this.#waiters.add(signal, undefined);
  }

  /** Enters if it need not wait. */
  tryWait(): boolean {
    if (this.#count === 0) return false;
    this.#count--;
    return true;
  }

  /**
   * Lets `count` more enter: first those who wait, in order. Returns how many could have entered before.
   *
   * @throws SemaphoreFullError when that would exceed the maximum, also if that many wait; then nothing was released.
   * @throws TypeError, RangeError unless `count` is an integer above 0.
   */
  release(count: number = 1): number {
    requireInteger("count", count, 1, Number.MAX_SAFE_INTEGER);
    const before = this.#count;
    // Those who wait do not count: no more may be inside at once than the maximum says.
    if (count > this.#max - before) throw new SemaphoreFullError();
    const entering = Math.min(count, this.#waiters.size);
    // First the count: an inline waiter may look at it, or release in its turn.
    this.#count += count - entering;
    if (entering > 0) this.#waiters.releaseFirst(entering, undefined);
    return before;
  }
}

function requireInteger(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number") throw argumentTypeError(name, "a number", value);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw argumentRangeError(name, `an integer from ${min} to ${max}`, value);
}
