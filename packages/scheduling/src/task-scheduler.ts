/**
 * User-defined places for continuations to run.
 *
 * A scheduler receives opaque items and decides when `tryExecuteTask` runs each. All of it happens on this thread:
 * a scheduler chooses a queue, never another thread.
 */

import { InvalidOperationError } from "@skein/context/errors";
import { enqueueAsynchronous } from "./asynchronous-queue.ts";
import { SynchronizationContext, capturedContext, swapContext } from "./contexts/synchronization-context.ts";
import { TaskSchedulerError } from "./errors.ts";
import { isOfKind, setKind, shared } from "./this-copy.ts";
import { reportUncaught } from "./uncaught.ts";
import type { WorkItem } from "./work-item.ts";

/** The scheduler whose item is running, of whichever copy of this package; null stands for the default one. */
export const ambientScheduler: { current: TaskScheduler | null } = shared("taskScheduler", () => ({
  current: null,
}));

/** The work of an item, under a name that all copies know: any of them may be given it to run. */
const workOf: unique symbol = Symbol.for("skein.scheduling.work");

let createItem: (work: WorkItem) => ScheduledItem;

/** What a scheduler queues: run it with `tryExecuteTask`, which does so at most once. */
export class ScheduledItem {
  /** @internal */
  [workOf]: WorkItem | undefined;

  private constructor(work: WorkItem) {
    this[workOf] = work;
  }

  static {
    createItem = (work) => new ScheduledItem(work);
  }
}

/** Takes the work out of the item, once; undefined afterwards. */
function claim(item: ScheduledItem): WorkItem | undefined {
  const work = item[workOf];
  item[workOf] = undefined;
  return work;
}

/**
 * The base of user schedulers.
 *
 * @example
 * class Lifo extends TaskScheduler {
 *   readonly stack: ScheduledItem[] = [];
 *   queueTask(item: ScheduledItem) { this.stack.push(item); }
 *   runOne() { const item = this.stack.pop(); return item !== undefined && this.tryExecuteTask(item); }
 * }
 * @see https://learn.microsoft.com/dotnet/api/system.threading.tasks.taskscheduler
 */
export abstract class TaskScheduler {
  static {
    setKind(this, "TaskScheduler");
  }

  /** Whether `value` is a TaskScheduler, also one of another copy of this package. */
  static isTaskScheduler(value: unknown): value is TaskScheduler {
    return isOfKind(value, "TaskScheduler");
  }

  /** The scheduler whose item is running on this stack, otherwise the default one. Not kept across native `await`. */
  static get current(): TaskScheduler {
    return ambientScheduler.current ?? defaultScheduler;
  }

  /** Runs items on the queue of policy `"asynchronous"`. */
  static get default(): TaskScheduler {
    return defaultScheduler;
  }

  /**
   * A scheduler whose items are posts to the current SynchronizationContext, one each; inline only where that context is
   * current.
   *
   * @throws InvalidOperationError when no context is current.
   */
  static fromSynchronizationContext(): TaskScheduler {
    const context = SynchronizationContext.current;
    if (context === null)
      throw new InvalidOperationError("There is no current SynchronizationContext to take items");
    return new ContextScheduler(context);
  }

  /** How many of its items may be under way at once. */
  get maximumConcurrencyLevel(): number {
    return Infinity;
  }

  /**
   * Takes an item to be run later. What it throws fails the waiting task with a TaskSchedulerError; it does not reach
   * whoever completed the task before it.
   */
  abstract queueTask(item: ScheduledItem): void;

  /**
   * Asked only where inline is allowed and this scheduler's own item is running: run the item now and return true, or
   * return false to have it queued. Returning true without having run it is an error.
   */
  tryExecuteInline(_item: ScheduledItem): boolean {
    return false;
  }

  /** Runs the item under this scheduler; false when it was run before. What it throws becomes an uncaught exception. */
  protected tryExecuteTask(item: ScheduledItem): boolean {
    const work = claim(item);
    if (work === undefined) return false;
    const previous = ambientScheduler.current;
    const context = SynchronizationContext.current;
    ambientScheduler.current = this === defaultScheduler ? null : this;
    try {
      work.invoke();
    } catch (error) {
      reportUncaught(error);
    } finally {
      ambientScheduler.current = previous;
      swapContext(context);
    }
    return true;
  }
}

class DefaultTaskScheduler extends TaskScheduler {
  queueTask(item: ScheduledItem): void {
    enqueueAsynchronous({ invoke: () => void this.tryExecuteTask(item), fail: reportUncaught });
  }
}

class ContextScheduler extends TaskScheduler {
  readonly #context: SynchronizationContext;

  constructor(context: SynchronizationContext) {
    super();
    this.#context = context;
  }

  override get maximumConcurrencyLevel(): number {
    return 1;
  }

  queueTask(item: ScheduledItem): void {
    this.#context.post(this.#execute, item);
  }

  override tryExecuteInline(item: ScheduledItem): boolean {
    return SynchronizationContext.current === this.#context && this.tryExecuteTask(item);
  }

  readonly #execute = (item: ScheduledItem): void => void this.tryExecuteTask(item);
}

const defaultScheduler: TaskScheduler = new DefaultTaskScheduler();

/** Where a wait that begins now has to resume: null when anywhere will do. */
export function capturedPlace(): SynchronizationContext | TaskScheduler | null {
  return capturedContext() ?? ambientScheduler.current;
}

/** Makes another scheduler current; gives the previous one, to be put back. Null hides it (A4.6). */
export function swapScheduler(next: TaskScheduler | null): TaskScheduler | null {
  const previous = ambientScheduler.current;
  ambientScheduler.current = next;
  return previous;
}

/** False for a scheduler that never takes anything inline: what it is given then keeps its turn in the queue. */
export function mayAcceptInline(scheduler: TaskScheduler): boolean {
  return scheduler.tryExecuteInline !== TaskScheduler.prototype.tryExecuteInline;
}

/** Gives `work` to a SynchronizationContext by one post. Never throws. */
export function postTo(context: SynchronizationContext, work: WorkItem): void {
  const item = createItem(work);
  try {
    context.post(runPosted, { item, context });
  } catch (error) {
    if (claim(item) === undefined) reportUncaught(error);
    else work.fail(new TaskSchedulerError(error));
  }
}

/** @throws InvalidOperationError when a context runs what was posted a second time. */
function runPosted(posted: { readonly item: ScheduledItem; readonly context: SynchronizationContext }): void {
  const work = claim(posted.item);
  if (work === undefined) throw new InvalidOperationError("A posted continuation was invoked twice");
  const previous = ambientScheduler.current;
  const outside = swapContext(posted.context);
  ambientScheduler.current = null;
  try {
    work.invoke();
  } finally {
    ambientScheduler.current = previous;
    swapContext(outside);
  }
}

/** Gives `work` to a scheduler, inline where that is allowed and the scheduler agrees. Never throws. */
export function schedule(scheduler: TaskScheduler, work: WorkItem, mayInline: boolean): void {
  const item = createItem(work);
  try {
    if (mayInline && ambientScheduler.current === scheduler && scheduler.tryExecuteInline(item)) {
      if (claim(item) === undefined) return;
      work.fail(
        new TaskSchedulerError(
          new InvalidOperationError("tryExecuteInline returned true without running the item"),
        ),
      );
      return;
    }
    scheduler.queueTask(item);
  } catch (error) {
    if (claim(item) === undefined) reportUncaught(error);
    else work.fail(new TaskSchedulerError(error));
  }
}
