import { InvalidOperationError, argumentRangeError, argumentTypeError } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { ItemQueue } from "../item-queue.ts";
import { checkOptions, ownOption } from "../own-option.ts";
import { TaskCompletionSource } from "../task-completion-source.ts";
import { TaskScheduler, schedule } from "../task-scheduler.ts";
import type { ScheduledItem } from "../task-scheduler.ts";
import type { Task } from "../task.ts";
import type { WorkItem } from "../work-item.ts";

export interface ConcurrentExclusiveSchedulerPairOptions {
  /** Where both really run their items. @default TaskScheduler.default */
  scheduler?: TaskScheduler | undefined;
  /** How many concurrent items may be under way at once. @default Infinity */
  maxConcurrencyLevel?: number | undefined;
  /** After so many items a turn on the underlying scheduler ends and another is asked for. @default Infinity */
  maxItemsPerTask?: number | undefined;
}

const knownOptions: OptionNames<ConcurrentExclusiveSchedulerPairOptions> = {
  scheduler: true,
  maxConcurrencyLevel: true,
  maxItemsPerTask: true,
};

/**
 * Two schedulers like the two sides of a reader–writer lock: an item of `exclusiveScheduler` never overlaps anything of the pair;
 * exclusive items go first.
 *
 * On one thread items overlap only where one runs a nested loop (`ManualScheduler.runAll`, for one). What lasts over an await
 * is not covered, as in .NET: a generator method is one item per part.
 *
 * @see https://learn.microsoft.com/dotnet/api/system.threading.tasks.concurrentexclusiveschedulerpair
 */
export class ConcurrentExclusiveSchedulerPair {
  readonly concurrentScheduler: TaskScheduler;
  readonly exclusiveScheduler: TaskScheduler;
  readonly #scheduler: TaskScheduler;
  readonly #maxConcurrency: number;
  readonly #maxItems: number;
  readonly #exclusive: Side;
  readonly #concurrent: Side;
  readonly #completion = new TaskCompletionSource<void>();
  /** Turns asked for or running, of each kind. */
  #exclusiveTurns = 0;
  #concurrentTurns = 0;
  #isCompleting = false;

  /** @throws TypeError, RangeError for an option of the wrong type or range. */
  constructor(options?: ConcurrentExclusiveSchedulerPairOptions) {
    checkOptions(options, knownOptions);
    const scheduler = ownOption(options, "scheduler") ?? TaskScheduler.default;
    if (!TaskScheduler.isTaskScheduler(scheduler))
      throw argumentTypeError("options.scheduler", "a TaskScheduler", scheduler);
    this.#scheduler = scheduler;
    this.#maxConcurrency = requireCount("maxConcurrencyLevel", ownOption(options, "maxConcurrencyLevel"));
    this.#maxItems = requireCount("maxItemsPerTask", ownOption(options, "maxItemsPerTask"));
    const requireOpen = (): void => this.#requireOpen();
    const arrived = (): void => this.#startTurns();
    this.#exclusive = new Side(1, requireOpen, arrived);
    this.#concurrent = new Side(this.#maxConcurrency, requireOpen, arrived);
    this.exclusiveScheduler = this.#exclusive;
    this.concurrentScheduler = this.#concurrent;
  }

  /** Completes when, after `complete()`, everything queued has run. */
  get completion(): Task<void> {
    return this.#completion.task;
  }

  /** Takes nothing more; what is queued still runs. Can be called again. */
  complete(): void {
    this.#isCompleting = true;
    this.#completeIfDone();
  }

  #requireOpen(): void {
    if (this.#isCompleting) throw new InvalidOperationError("The scheduler pair has been completed");
  }

  #startTurns(): void {
    if (this.#exclusiveTurns > 0) return;
    if (this.#exclusive.items.size > 0) {
      // Concurrent turns end before their next item, and then the exclusive one starts.
      if (this.#concurrentTurns > 0) return;
      this.#exclusiveTurns = 1;
      this.#queueTurn(() => this.#exclusiveTurn());
      return;
    }
    while (
      // Some schedulers run a turn at once, and an exclusive item may come of it.
      this.#exclusiveTurns === 0 &&
      this.#exclusive.items.size === 0 &&
      this.#concurrentTurns < this.#maxConcurrency &&
      this.#concurrentTurns < this.#concurrent.items.size + this.#concurrent.running
    ) {
      this.#concurrentTurns++;
      this.#queueTurn(() => this.#concurrentTurn());
    }
  }

  #queueTurn(turn: () => void): void {
    const work: WorkItem = {
      invoke: turn,
      // The underlying scheduler failed: nobody else would ever run what waits here.
      fail: () => schedule(TaskScheduler.default, work, false),
    };
    schedule(this.#scheduler, work, false);
  }

  #exclusiveTurn(): void {
    for (let left = this.#maxItems; left > 0; left--) if (!this.#exclusive.runNext()) break;
    this.#exclusiveTurns = 0;
    this.#afterTurn();
  }

  #concurrentTurn(): void {
    for (let left = this.#maxItems; left > 0 && this.#exclusive.items.size === 0; left--)
      if (!this.#concurrent.runNext()) break;
    this.#concurrentTurns--;
    this.#afterTurn();
  }

  #afterTurn(): void {
    this.#startTurns();
    this.#completeIfDone();
  }

  #completeIfDone(): void {
    const isIdle = this.#exclusiveTurns === 0 && this.#concurrentTurns === 0;
    const isEmpty = this.#exclusive.items.size === 0 && this.#concurrent.items.size === 0;
    if (this.#isCompleting && isIdle && isEmpty) this.#completion.trySetResult(undefined);
  }
}

class Side extends TaskScheduler {
  readonly items = new ItemQueue<ScheduledItem>();
  running = 0;
  readonly #level: number;
  readonly #requireOpen: () => void;
  readonly #arrived: () => void;

  constructor(level: number, requireOpen: () => void, arrived: () => void) {
    super();
    this.#level = level;
    this.#requireOpen = requireOpen;
    this.#arrived = arrived;
  }

  override get maximumConcurrencyLevel(): number {
    return this.#level;
  }

  queueTask(item: ScheduledItem): void {
    this.#requireOpen();
    this.items.add(item);
    this.#arrived();
  }

  /** What runs inside an item of this side may run its own continuations at once. */
  override tryExecuteInline(item: ScheduledItem): boolean {
    return this.running > 0 && this.tryExecuteTask(item);
  }

  runNext(): boolean {
    if (this.items.size === 0) return false;
    const item = this.items.take();
    this.running++;
    try {
      this.tryExecuteTask(item);
    } finally {
      this.running--;
    }
    return true;
  }
}

function requireCount(name: string, value: unknown): number {
  if (value === undefined || value === -1 || value === Infinity) return Infinity;
  if (typeof value !== "number") throw argumentTypeError(`options.${name}`, "a number", value);
  if (Number.isInteger(value) && value > 0) return value;
  throw argumentRangeError(`options.${name}`, "an integer above 0, or -1 or Infinity for no limit", value);
}
