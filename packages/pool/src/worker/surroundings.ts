/** What a job function is called in: its context, and nothing that is current on the thread. */
import { AsyncScope, type CarriedScope, joinCopies } from "@skein/context";
import { channels, publishJob } from "../jobs/channels.ts";
import type { JobFunction } from "../jobs/exported-function.ts";
import type { FunctionSource } from "../jobs/function-source.ts";

/** What is current on the thread, besides the context. A job begins without; what it makes current ends with it, or with its first part. */
interface Current {
  readonly context: object | null;
  readonly scheduler: object | null;
}

export const nothingCurrent: Current = { context: null, scheduler: null };

/** As `ambientContext` and `ambientScheduler` of `@skein/scheduling`, which most threads do not load: its copies find these here. */
const shared = joinCopies("@skein/scheduling", 1, import.meta.url);
const nowhere = (): { current: object | null } => ({ current: null });
const ambientContext = shared("synchronizationContext", nowhere);
const ambientScheduler = shared("taskScheduler", nowhere);

/** `restoreCurrent` has to follow, with what this gives. */
export function leaveCurrent(): Current {
  const context = ambientContext.current;
  const scheduler = ambientScheduler.current;
  if (context === null && scheduler === null) return nothingCurrent;
  restoreCurrent(nothingCurrent);
  return { context, scheduler };
}

export function restoreCurrent({ context, scheduler }: Current): void {
  ambientContext.current = context;
  ambientScheduler.current = scheduler;
}

/** @param carried Null: nothing of the context came along. @throws what entering a flow throws. */
export function scopeFrom(carried: CarriedScope | null): AsyncScope {
  return carried === null ? AsyncScope.root : carried.get();
}

/** Subscribers hear in the context of the call. */
export function publishStart(source: FunctionSource, scope: AsyncScope): void {
  if (channels.start.hasSubscribers) scope.run(publishJob, "start", source, null);
}

export function apply(fn: JobFunction, args: readonly unknown[]): unknown {
  switch (args.length) {
    case 0:
      return fn();
    case 1:
      return fn(args[0]);
    case 2:
      return fn(args[0], args[1]);
    default:
      return fn(...args);
  }
}
