/** Options of `close`. */
import { type OptionNames, ownOptions } from "@skein/context/errors";
import { duration, flag } from "./option-values.ts";

export interface CloseOptions {
  /**
   * Whether queued jobs still run. false: they reject with PoolClosedError, and running ones are asked to stop; none runs again, whatever its
   * `retries`. @default true
   */
  readonly drain?: boolean | undefined;
  /**
   * After this many milliseconds, threads that still run jobs are ended, and the jobs reject with PoolClosedError. Positive, up to
   * 2^31 - 1, or Infinity. @default Infinity
   */
  readonly timeoutMs?: number | undefined;
}

const names: OptionNames<CloseOptions> = { drain: true, timeoutMs: true };

export interface ResolvedCloseOptions {
  readonly drain: boolean;
  /** Undefined: no limit. */
  readonly timeoutMs: number | undefined;
}

/** @throws TypeError or RangeError naming the option. */
export function resolveCloseOptions(options: CloseOptions | undefined): ResolvedCloseOptions {
  const own = ownOptions(options, names);
  return { drain: flag("drain", own.drain) ?? true, timeoutMs: duration("timeoutMs", own.timeoutMs) };
}
