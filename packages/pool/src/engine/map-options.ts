/** Options of `map`. */
import type { CancellationSignal } from "@skein/scheduling";
import type { CancelSignal } from "../submit/cancel-signal.ts";
import { type OptionNames, ownOptions } from "@skein/context/errors";
import { flag, integer } from "./option-values.ts";
import { signalOption } from "./token-signal.ts";

export interface MapOptions {
  /**
   * The most jobs under way at once. The source is read as far ahead of the consumer: as many items, or chunks, as there are jobs under
   * way and results that nobody has taken yet, never more than this in all. 1 to 65 536. @default 4 per thread
   */
  readonly concurrency?: number | undefined;
  /**
   * How many items one job takes, for items that need only microseconds: a job costs about two. Everything else holds for each item, as
   * without: order, isolation of values and context, the results before the first error, cancellation between two items. A chunk
   * is sent when it is full, and also when an async source has no next item within a turn of the event loop. Limits and statistics
   * count jobs. 1 to 65 536. @default 1
   */
  readonly chunkSize?: number | undefined;
  /** Whether results come in the order of the items; otherwise they come as they are ready. @default true */
  readonly ordered?: boolean | undefined;
  /**
   * Ends the iteration as it ends a job, and cancels what is under way: an AbortSignal or a CancellationToken. Replaces the signal that
   * the job's module was given. @default none
   */
  readonly signal?: CancellationSignal | undefined;
}

const names: OptionNames<MapOptions> = { concurrency: true, chunkSize: true, ordered: true, signal: true };

export interface ResolvedMapOptions {
  readonly concurrency: number;
  readonly chunkSize: number;
  readonly ordered: boolean;
  readonly signal: CancelSignal | undefined;
}

/**
 * @param defaultSignal That of the job's module.
 * @throws TypeError or RangeError naming the option.
 */
export function resolveMapOptions(
  options: MapOptions | undefined,
  defaultConcurrency: number,
  defaultSignal: CancelSignal | undefined,
): ResolvedMapOptions {
  const own = ownOptions(options, names);
  const signal = signalOption("signal", own.signal);
  return {
    concurrency: integer("concurrency", own.concurrency, 1, 65_536) ?? defaultConcurrency,
    chunkSize: integer("chunkSize", own.chunkSize, 1, 65_536) ?? 1,
    ordered: flag("ordered", own.ordered) ?? true,
    signal: signal === undefined ? defaultSignal : (signal ?? undefined),
  };
}
