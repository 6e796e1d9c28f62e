/** What a job function is called in: its context, and nothing that is current on the thread. */
import { swapContext, swapScheduler } from "@skein/scheduling/internal";
import { AsyncScope, type CarriedScope } from "@skein/context";
import { channels, publishJob } from "../jobs/channels.ts";
import type { JobFunction } from "../jobs/exported-function.ts";
import type { FunctionSource } from "../jobs/function-source.ts";

/** What is current on the thread, besides the context. A job begins without; what it makes current ends with it, or with its first part. */
interface Current {
  readonly context: ReturnType<typeof swapContext>;
  readonly scheduler: ReturnType<typeof swapScheduler>;
}

export const nothingCurrent: Current = { context: null, scheduler: null };

/** `restoreCurrent` has to follow, with what this gives. */
export function leaveCurrent(): Current {
  const context = swapContext(null);
  const scheduler = swapScheduler(null);
  return context === null && scheduler === null ? nothingCurrent : { context, scheduler };
}

export function restoreCurrent({ context, scheduler }: Current): void {
  swapContext(context);
  swapScheduler(scheduler);
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
