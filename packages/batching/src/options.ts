import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import { refuseUnknownOptions } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";

/** What becomes of a batch whose pump failed: it is given up, or its items go back to the head of their slot. */
export type FailureVerdict = "drop" | "retry";

export interface BatchingOptions<T> {
  /** The most items of one batch. From 1. */
  batchSize: number;
  /**
   * How long an item waits for its batch to fill, by the global timers of the moment: fake timers steer it. From 0 to 2147483647 milliseconds, or Infinity: only full batches. With 0
   * a batch is what was pushed in one go, before the event loop or any `await` came in between.
   */
  pushIntervalMs: number;
  /** The most batches of one slot in the pump at once. From 1; with 1 the items of a slot are also completed in order. */
  maxConcurrency: number;
  /** How many slots there are, numbered from 0. From 1. */
  slots: number;
  /**
   * The most items that wait in one slot, those in the pump not counted. From 1. A batch that is to be tried again takes its
   * place back in any case; pushes then wait until there is room. At least `batchSize` where `pushIntervalMs` is Infinity: no
   * batch would ever be full. Also the most failed items that are kept for the report, of
   * all slots together; without a limit 10000 of these are kept.
   * @default no limit
   */
  capacity?: number | undefined;
  /**
   * Decides about a batch whose pump threw or rejected. `attempt` counts from 1. A retry comes after 1, 2, 4 … milliseconds, at
   * most `pushIntervalMs` or a second, by the timers of Node; until then no batch of that slot starts. `items` may be kept when
   * it is dropped. When this throws, or returns anything else, the batch is reported as failed. Runs under the empty context;
   * `contextOf(items, index)` works in it.
   * @default the first batches are kept and reported by `complete()`, and a process warning tells of them
   */
  onError?:
    | ((error: unknown, items: readonly T[], slot: number, attempt: number) => FailureVerdict)
    | undefined;
  /** Captures the context of each push, for `contextOf(items, index)` in the pump. Costs 50–200 ns a push. @default false */
  flowContext?: boolean | undefined;
  /**
   * Memory of each slot that has a `producer()`, in bytes: what pushes from other threads may take up before they arrive here.
   * From 8192 to 67108864. @default 1048576
   */
  sharedBytes?: number | undefined;
  /** Shown in warnings, and told to subscribers of `skein:batch`. */
  name?: string | undefined;
}

export interface ResolvedOptions<T> {
  readonly batchSize: number;
  readonly pushIntervalMs: number;
  readonly maxConcurrency: number;
  readonly slots: number;
  readonly capacity: number;
  readonly onError: BatchingOptions<T>["onError"];
  readonly flowContext: boolean;
  readonly sharedBytes: number;
  readonly name: string | undefined;
}

const optionNames: OptionNames<BatchingOptions<unknown>> = {
  batchSize: true,
  pushIntervalMs: true,
  maxConcurrency: true,
  slots: true,
  capacity: true,
  onError: true,
  flowContext: true,
  sharedBytes: true,
  name: true,
};

const MAX_COUNT = 0x3fff_ffff;
const MAX_BATCH = 1 << 24;
const MAX_SLOTS = 1 << 20;
/** The longest time that Node's timers take; beyond it they would fire at once. */
const MAX_MS = 2_147_483_647;
const MIN_SHARED_BYTES = 8192;
const MAX_SHARED_BYTES = 1 << 26;
const DEFAULT_SHARED_BYTES = 1 << 20;

/** @throws TypeError, RangeError that name the option. */
export function resolveOptions<T>(options: BatchingOptions<T>): ResolvedOptions<T> {
  if (typeof options !== "object" || options === null)
    throw argumentTypeError("options", "an object", options);
  refuseUnknownOptions(options, optionNames);
  // Without a prototype: what somebody put on Object.prototype is not an option.
  const own: Partial<BatchingOptions<T>> = Object.assign(Object.create(null) as object, options);
  const { onError, flowContext = false, name } = own;
  if (onError !== undefined && typeof onError !== "function") {
    throw argumentTypeError("options.onError", "a function", onError);
  }
  if (typeof flowContext !== "boolean") {
    throw argumentTypeError("options.flowContext", "a boolean", flowContext);
  }
  if (name !== undefined && typeof name !== "string")
    throw argumentTypeError("options.name", "a string", name);
  const batchSize = requireCount("batchSize", own.batchSize, 1, MAX_BATCH);
  const pushIntervalMs = requireInterval(own.pushIntervalMs);
  return {
    batchSize,
    pushIntervalMs,
    maxConcurrency: requireCount("maxConcurrency", own.maxConcurrency, 1, MAX_COUNT),
    slots: requireCount("slots", own.slots, 1, MAX_SLOTS),
    capacity: requireCapacity(own.capacity, batchSize, pushIntervalMs),
    onError,
    flowContext,
    sharedBytes: requireCount(
      "sharedBytes",
      own.sharedBytes ?? DEFAULT_SHARED_BYTES,
      MIN_SHARED_BYTES,
      MAX_SHARED_BYTES,
    ),
    name,
  };
}

function requireCount(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number") throw argumentTypeError(`options.${name}`, "a number", value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw argumentRangeError(`options.${name}`, `a whole number from ${min} to ${max}`, value);
  }
  return value;
}

function requireCapacity(value: unknown, batchSize: number, pushIntervalMs: number): number {
  if (value === undefined || value === Infinity) return Number.MAX_SAFE_INTEGER;
  const capacity = requireCount("capacity", value, 1, MAX_COUNT);
  if (capacity < batchSize && pushIntervalMs === Infinity) {
    throw argumentRangeError(
      "options.capacity",
      `at least \`batchSize\`, ${batchSize}, because \`pushIntervalMs\` is Infinity: no batch would ever be full`,
      value,
    );
  }
  return capacity;
}

function requireInterval(value: unknown): number {
  if (typeof value !== "number") {
    throw argumentTypeError("options.pushIntervalMs", "a number of milliseconds", value);
  }
  if (!(value === Infinity || (value >= 0 && value <= MAX_MS))) {
    throw argumentRangeError(
      "options.pushIntervalMs",
      `from 0 to ${MAX_MS} milliseconds, or Infinity`,
      value,
    );
  }
  return value;
}
