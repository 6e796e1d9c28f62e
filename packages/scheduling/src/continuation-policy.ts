/** Where a continuation runs once its task has completed. */

import { argumentTypeError } from "@skein/context/errors";
import { enqueueAsynchronous } from "./asynchronous-queue.ts";
import { SynchronizationContext, ambientContext, swapContext } from "./contexts/synchronization-context.ts";
import {
  TaskScheduler,
  capturedPlace,
  ambientScheduler,
  mayAcceptInline,
  postTo,
  schedule,
  swapScheduler,
} from "./task-scheduler.ts";
import { reportUncaught } from "./uncaught.ts";
import type { WorkItem } from "./work-item.ts";
import { enqueueYield } from "./yield-queue.ts";

/**
 * - `"inline"`: on the stack of whoever completes the task, before its `set…` returns. Lowest latency.
 * - `"asynchronous"`: in a microtask; the completer runs no foreign code.
 * - `"yield"`: in a later turn of the event loop, in bounded slices; a burst of results does not stall it.
 * - a TaskScheduler: wherever that decides.
 *
 * A wait that begins when the task has completed already follows the same policy, with `"asynchronous"` for `"inline"`: nothing
 * runs on the stack of the one who waits. Native `await` resumes one microtask after its turn has come.
 */
export type ContinuationPolicy = "inline" | "asynchronous" | "yield" | TaskScheduler;

/** A policy, or the SynchronizationContext on which somebody's wait began. */
export type Place = ContinuationPolicy | SynchronizationContext;

/**
 * Nested inline continuations beyond this are queued. One level takes up to about 2 KiB of stack before the user's own
 * frames, of the 984 KiB that Node gives.
 */
const MAX_INLINE_DEPTH = 64;

let inlineDepth = 0;

/** Runs a function like an inline continuation; what it throws does reach the caller (A7.10). */
export function callInline<S>(callback: (state: S) => void, state: S): void {
  const context = ambientContext.current;
  const scheduler = ambientScheduler.current;
  if (scheduler !== null) swapScheduler(null);
  inlineDepth++;
  try {
    callback(state);
  } finally {
    inlineDepth--;
    if (ambientScheduler.current !== scheduler) swapScheduler(scheduler);
    if (ambientContext.current !== context) swapContext(context);
  }
}

export function canNestInline(): boolean {
  return inlineDepth < MAX_INLINE_DEPTH;
}

/** Runs a continuation on this stack; what it throws does not reach the caller (A4.7). */
export function runInline(work: WorkItem): void {
  try {
    callInline(invoke, work);
  } catch (error) {
    reportUncaught(error);
  }
}

function invoke(work: WorkItem): void {
  work.invoke();
}

/**
 * Resumes what began to wait at `place`, on the stack of an awaiter or a source that has just called back, wherever that was. What
 * it throws reaches the one who called back, unless it is queued.
 */
export function resumeAt(work: WorkItem, place: Place): void {
  if (!canNestInline()) enqueue(work, place, false);
  else if (place === "inline") callInline(invoke, work);
  else if (place === capturedPlace()) callHere(work);
  else enqueue(work, place, false);
}

/** The awaiter has brought it to its place already: nothing to hide there, nothing to post. */
function callHere(work: WorkItem): void {
  const context = ambientContext.current;
  inlineDepth++;
  try {
    work.invoke();
  } finally {
    inlineDepth--;
    if (ambientContext.current !== context) swapContext(context);
  }
}

/** Whether this stack is at `place` already, and that may take a continuation inline (A4.5). */
export function isCurrentPlace(place: Place): boolean {
  if (typeof place === "string") return false;
  if (TaskScheduler.isTaskScheduler(place))
    return place === ambientScheduler.current && mayAcceptInline(place);
  return place === ambientContext.current;
}

/** Queues a continuation: never runs it before returning, except where it may and is at its place already. */
export function enqueue(work: WorkItem, place: Place, mayInline: boolean): void {
  if (place === "asynchronous" || place === "inline") enqueueAsynchronous(work);
  else if (place === "yield") enqueueYield(work);
  else if (TaskScheduler.isTaskScheduler(place)) schedule(place, work, mayInline);
  // A4.5: already there, and nobody forbids it.
  else if (mayInline && place === SynchronizationContext.current) runInline(work);
  else postTo(place, work);
}

/** @throws TypeError when `value` is not a policy. */
export function requirePolicy(name: string, value: unknown): ContinuationPolicy {
  if (
    value === "inline" ||
    value === "asynchronous" ||
    value === "yield" ||
    TaskScheduler.isTaskScheduler(value)
  )
    return value;
  throw argumentTypeError(name, "'inline', 'asynchronous', 'yield' or a TaskScheduler", value);
}
