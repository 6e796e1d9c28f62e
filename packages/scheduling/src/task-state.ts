/**
 * The state of a task: its outcome, and who waits for it.
 *
 * State    | value     | means                                | value field            |
 *          | PENDING   | no outcome yet                       | the callback's state   |
 *          | SUCCEEDED | final                                | the result             |
 *          | FAULTED   | final                                | the error, or Faults   |
 *          | CANCELED  | final                                | the cancellation error |
 * Waiting  nobody; a bare callback, whose state is kept in the value field, so that the lightest wait allocates nothing; a
 *          continuation; or a set of them.
 * Bits     OBSERVED: somebody waits for the outcome or has read it; such a fault is not reported as unhandled.
 * Moves    PENDING → any final state, once, by `trySettle`. Nothing leaves a final state.
 * Order    The final state is visible before the first continuation runs (A4.1). Of several continuations those that
 *          are queued are queued before the first runs inline (A4.3).
 * Stack    A task that has completed resumes those who wait, also when the completer's stack was full: what could not be queued
 *          there is queued behind it. Inline continuations run on that stack, and share its fate.
 *
 * The moves are functions of this file, not methods, so that whoever holds a Task cannot settle it.
 */

import { InvalidOperationError } from "@skein/context/errors";
import { drainLate, late } from "./asynchronous-queue.ts";
import { callInline, canNestInline, enqueue, isCurrentPlace, runInline } from "./continuation-policy.ts";
import type { ContinuationPolicy, Place } from "./continuation-policy.ts";
import { Promise, promiseThen } from "./intrinsics.ts";
import { PlainContinuation } from "./plain-continuation.ts";
import { capturedPlace } from "./task-scheduler.ts";
import { isOfKind, setKind } from "./this-copy.ts";
import { reportUncaught } from "./uncaught.ts";
import { FaultWatch } from "./unobserved-faults.ts";
import type { WorkItem } from "./work-item.ts";

const PENDING = 0;
const SUCCEEDED = 1;
const FAULTED = 2;
const CANCELED = 3;
const OUTCOME_MASK = 3;
const OBSERVED = 4;

export type TaskStatus = "pending" | "succeeded" | "faulted" | "canceled";

const statusWords: readonly TaskStatus[] = ["pending", "succeeded", "faulted", "canceled"];

/** Something to run when a task completes. One object per wait: the same object is attached to a task only once. */
export interface Continuation extends WorkItem {
  /** How the one who attached it wants it run. `"inline"` leaves the choice to the task. */
  readonly policy: Place;
  /** Resumes somebody's code: of several such continuations only the first runs inline. */
  readonly isAwait: boolean;
}

/** Several errors of one task. */
export class Faults {
  readonly errors: readonly unknown[];
  #aggregate: AggregateError | undefined;

  constructor(errors: readonly unknown[]) {
    this.errors = errors;
  }

  /** Asked of whatever was thrown: of a Proxy that was revoked nothing else can be. */
  static isFaults(value: unknown): value is Faults {
    return typeof value === "object" && value !== null && #aggregate in value;
  }

  get aggregate(): AggregateError {
    this.#aggregate ??= new AggregateError(this.errors, `${this.errors.length} errors occurred`);
    return this.#aggregate;
  }
}

type BareCallback = (state: unknown) => void;

type Waiting = Continuation | Set<Continuation> | BareCallback | null;

/** False only while an error would mean that the one who waits was neither resumed nor queued. */
let isHandedOver = true;

const settled: Promise<void> = Promise.resolve();

let settle: (task: TaskState<unknown>, state: number, value: unknown) => boolean;

/** Attaches a continuation. On a completed task it is queued at once, never run on this stack (A4.1). */
export let addContinuation: (task: TaskState<unknown>, continuation: Continuation) => void;
/**
 * Attaches a function that is called with `state` where the task says: an await that wants neither place nor context. Counts as
 * observing.
 */
export let addCallback: <S>(task: TaskState<unknown>, callback: (state: S) => void, state: S) => void;
/** Takes a continuation off a pending task again; without effect once the task has completed. */
export let removeContinuation: (task: TaskState<unknown>, continuation: Continuation) => void;
/** Gives `target`, if pending, the outcome of `source`, which has completed. Counts as observing `source`. */
export let tryCopyOutcome: (target: TaskState<unknown>, source: TaskState<unknown>) => boolean;
/** Marks the outcome as somebody's concern. */
export let markObserved: (task: TaskState<unknown>) => void;
/** What a waiter is given: the result, or the first error. Does not observe. */
export let outcomeValue: (task: TaskState<unknown>) => unknown;
/** Every error of a faulted task. Does not observe. */
export let faultsOf: (task: TaskState<unknown>) => readonly unknown[];
export let policyOf: (task: TaskState<unknown>) => ContinuationPolicy;
/** Whether `value` is a task of this copy itself. Never throws: a Proxy may have been revoked, and one around a task is none. */
export let isOwnTask: (value: unknown) => value is TaskState<unknown>;
/** From now on continuations do not run on the completer's stack: for completion from inside `abort()`. */
export let demandQueue: (task: TaskState<unknown>) => void;

/** Whether `value` is a task, of this copy of the package or of another: of that only the public members are known. */
export function isTask(value: unknown): value is TaskState<unknown> {
  return isOfKind(value, "Task");
}

/** Base of Task: the readable part of its state. */
export abstract class TaskState<T> {
  #state: number = PENDING;
  #value: unknown = undefined;
  #waiting: Waiting = null;
  #policy: ContinuationPolicy;

  protected constructor(policy: ContinuationPolicy) {
    this.#policy = policy;
  }

  get status(): TaskStatus {
    return statusWords[this.#state & OUTCOME_MASK] ?? "pending";
  }

  /** Whether there is an outcome, of any kind. */
  get isCompleted(): boolean {
    return (this.#state & OUTCOME_MASK) !== PENDING;
  }

  /**
   * The result. Reading it never blocks, and counts as observing a fault.
   *
   * @throws InvalidOperationError while the task is pending.
   * @throws the original error (the first of several) when the task failed.
   */
  get result(): T {
    const outcome = this.#state & OUTCOME_MASK;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever holds a Task<T> cannot settle it otherwise.
    if (outcome === SUCCEEDED) return this.#value as T;
    if (outcome === PENDING)
      throw new InvalidOperationError("The task has not completed; await it before reading its result");
    this.#state |= OBSERVED;
    throw outcomeValue(this);
  }

  /**
   * The error of a faulted or cancelled task, otherwise undefined: the original, or an AggregateError when there are
   * several. Reading it counts as observing.
   */
  get error(): unknown {
    if ((this.#state & OUTCOME_MASK) <= SUCCEEDED) return undefined;
    this.#state |= OBSERVED;
    return Faults.isFaults(this.#value) ? this.#value.aggregate : this.#value;
  }

  /** All errors of a faulted or cancelled task, otherwise empty. Reading it counts as observing. */
  get errors(): readonly unknown[] {
    if ((this.#state & OUTCOME_MASK) <= SUCCEEDED) return [];
    this.#state |= OBSERVED;
    return faultsOf(this);
  }

  static {
    setKind(this, "Task");
    const watch = new FaultWatch<TaskState<unknown>>(
      (task) => (task.#state & OBSERVED) !== 0,
      (task) => task.error,
    );

    settle = (task, state, value) => {
      if ((task.#state & OUTCOME_MASK) !== PENDING) return false;
      const callbackState = task.#value;
      task.#state |= state;
      task.#value = value;
      const waiting = task.#waiting;
      if (waiting !== null) {
        task.#waiting = null;
        isHandedOver = false;
        // Costs nothing until it catches. Everything else that may throw here is caught where it is called.
        try {
          resume(waiting, callbackState, task.#policy);
        } catch (fullStack) {
          if (isHandedOver && !(waiting instanceof Set)) throw fullStack;
          const { length } = unqueued;
          unqueued[length] = waiting;
          unqueued[length + 1] = callbackState;
          unqueued[length + 2] = task.#policy;
          late[late.length] = queueLate;
          promiseThen(settled, drainLate);
        }
        isHandedOver = true;
      }
      if (state === FAULTED && (task.#state & OBSERVED) === 0) watch.add(task);
      return true;
    };

    addContinuation = (task, continuation) => {
      if ((task.#state & OUTCOME_MASK) !== PENDING) {
        enqueue(continuation, effectivePolicy(continuation, task.#policy), false);
        return;
      }
      const waiting = task.#waiting;
      if (waiting === null) task.#waiting = continuation;
      else if (waiting instanceof Set) waiting.add(continuation);
      else if (typeof waiting === "function") {
        task.#waiting = new Set([new PlainContinuation(waiting, task.#value), continuation]);
        task.#value = undefined;
      } else task.#waiting = new Set([waiting, continuation]);
    };

    addCallback = (task, callback, state) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- called with this very state.
      const bare = callback as BareCallback;
      if (task.#waiting === null && (task.#state & OUTCOME_MASK) === PENDING) {
        task.#state = OBSERVED;
        task.#waiting = bare;
        task.#value = state;
      } else {
        task.#state |= OBSERVED;
        addContinuation(task, new PlainContinuation(bare, state));
      }
    };

    removeContinuation = (task, continuation) => {
      const waiting = task.#waiting;
      if (waiting === continuation) task.#waiting = null;
      else if (waiting instanceof Set) waiting.delete(continuation);
    };

    tryCopyOutcome = (target, source) => {
      source.#state |= OBSERVED;
      return settle(target, source.#state & OUTCOME_MASK, source.#value);
    };

    markObserved = (task) => {
      task.#state |= OBSERVED;
    };

    outcomeValue = (task) =>
      (task.#state & OUTCOME_MASK) === FAULTED && Faults.isFaults(task.#value)
        ? task.#value.errors[0]
        : task.#value;

    faultsOf = (task) => (Faults.isFaults(task.#value) ? task.#value.errors : [task.#value]);

    isOwnTask = (value): value is TaskState<unknown> => {
      try {
        return value instanceof TaskState && #state in value;
      } catch {
        return false;
      }
    };

    policyOf = (task) => task.#policy;

    demandQueue = (task) => {
      if (task.#policy === "inline") task.#policy = "asynchronous";
    };
  }
}

export function trySucceed(task: TaskState<unknown>, result: unknown): boolean {
  return settle(task, SUCCEEDED, result);
}

export function tryFault(task: TaskState<unknown>, error: unknown): boolean {
  return settle(task, FAULTED, error);
}

/** Faults with several errors; one alone is the task's error itself. */
export function tryFaultAll(task: TaskState<unknown>, errors: readonly unknown[]): boolean {
  return settle(task, FAULTED, errors.length === 1 ? errors[0] : new Faults(errors));
}

export function tryCancel(task: TaskState<unknown>, error: unknown): boolean {
  return settle(task, CANCELED, error);
}

function effectivePolicy(continuation: Continuation, policy: ContinuationPolicy): Place {
  // Nobody can ask to run inside a completer that did not allow it (A4.2).
  return continuation.policy === "inline" ? policy : continuation.policy;
}

/** A4.4, A8.8: code that wants no place in particular is not resumed inline on a foreign context's or scheduler's stack. */
function mayRunInline(continuation: Continuation): boolean {
  return canNestInline() && (!continuation.isAwait || capturedPlace() === null);
}

/**
 * Who waited for tasks that were completed where the stack was full; for each task three entries: waiting, state, policy. Not one object:
 * V8 needs stack to make the first of its kind.
 */
const unqueued: unknown[] = [];

const queueLate: WorkItem = {
  invoke() {
    const list = unqueued.splice(0);
    for (let i = 0; i < list.length; i += 3)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `settle` has put them there.
      resume(list[i] as NonNullable<Waiting>, list[i + 1], list[i + 2] as ContinuationPolicy);
  },
  fail: reportUncaught,
};

function resume(waiting: NonNullable<Waiting>, callbackState: unknown, policy: ContinuationPolicy): void {
  if (typeof waiting === "function") runBare(waiting, callbackState, policy);
  else if (waiting instanceof Set) runSeveral(waiting, policy);
  else runOne(waiting, policy);
}

function runBare(callback: BareCallback, state: unknown, policy: ContinuationPolicy): void {
  if (policy !== "inline" || !canNestInline() || capturedPlace() !== null) {
    runOne(new PlainContinuation(callback, state), policy);
    return;
  }
  isHandedOver = true;
  try {
    callInline(callback, state);
  } catch (error) {
    reportUncaught(error);
  }
}

function runOne(continuation: Continuation, policy: ContinuationPolicy): void {
  const effective = effectivePolicy(continuation, policy);
  if (effective === "inline" && mayRunInline(continuation)) {
    isHandedOver = true;
    runInline(continuation);
  } else {
    const mayInline = policy === "inline" && canNestInline();
    if (typeof effective !== "string") isHandedOver = true;
    enqueue(continuation, effective, mayInline);
  }
}

/** A4.3. Whoever has been resumed is no longer among `continuations`. */
function runSeveral(continuations: Set<Continuation>, policy: ContinuationPolicy): void {
  const inline: Continuation[] = [];
  let hasAwait = false;
  for (const continuation of continuations) {
    const effective = effectivePolicy(continuation, policy);
    if (!(continuation.isAwait && hasAwait) && mayRunHere(continuation, effective, policy)) {
      hasAwait ||= continuation.isAwait;
      inline.push(continuation);
    } else {
      if (typeof effective !== "string") continuations.delete(continuation);
      enqueue(continuation, effective, false);
      continuations.delete(continuation);
    }
  }
  for (const continuation of inline) {
    const effective = effectivePolicy(continuation, policy);
    continuations.delete(continuation);
    if (effective === "inline") runInline(continuation);
    // Its own scheduler has the last word, and may queue it after all.
    else enqueue(continuation, effective, true);
  }
}

/** Of those with a place of their own only an await whose place this is (A4.5): a `continueWith` has asked for a queue. */
function mayRunHere(continuation: Continuation, effective: Place, policy: ContinuationPolicy): boolean {
  if (effective === "inline") return mayRunInline(continuation);
  return continuation.isAwait && policy === "inline" && canNestInline() && isCurrentPlace(effective);
}
