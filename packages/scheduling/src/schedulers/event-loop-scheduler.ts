import type { OptionNames } from "@skein/context/errors";
import { checkOptions, ownOption } from "../own-option.ts";
import { SlicedQueue } from "../sliced-queue.ts";
import { TaskScheduler } from "../task-scheduler.ts";
import type { ScheduledItem } from "../task-scheduler.ts";
import { requireBudget } from "../durations.ts";
import { reportUncaught } from "../uncaught.ts";

export interface EventLoopSchedulerOptions {
  /** How long one turn may take, with the native continuations that it resumes. @default 4 */
  budgetMs?: number | undefined;
}

const knownOptions: OptionNames<EventLoopSchedulerOptions> = { budgetMs: true };

/**
 * Runs its items in later turns of the event loop, each bounded in time: policy `"yield"` with a queue and a budget of its
 * own.
 */
export class EventLoopScheduler extends TaskScheduler {
  readonly #queue: SlicedQueue;

  /** @throws TypeError, RangeError for an option of the wrong type or range. */
  constructor(options?: EventLoopSchedulerOptions) {
    super();
    checkOptions(options, knownOptions);
    this.#queue = new SlicedQueue(requireBudget(ownOption(options, "budgetMs")));
  }

  override get maximumConcurrencyLevel(): number {
    return 1;
  }

  /** How many items wait. */
  get pending(): number {
    return this.#queue.size;
  }

  queueTask(item: ScheduledItem): void {
    this.#queue.add({ invoke: () => void this.tryExecuteTask(item), fail: reportUncaught });
  }
}
