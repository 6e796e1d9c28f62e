/** Options of `ready`. */
import { type OptionNames, ownOptions } from "@skein/context/errors";
import { integer } from "./option-values.ts";

export interface ReadyOptions {
  /**
   * Waits for the queue instead of the threads: until fewer than so many jobs wait for a thread. Jobs that jobs submit are not counted.
   * 1: until none waits. 1 to 2^31 - 1. @default none
   */
  readonly below?: number | undefined;
}

const names: OptionNames<ReadyOptions> = { below: true };

/** @throws TypeError or RangeError naming the option. */
export function resolveReadyOptions(options: ReadyOptions | undefined): {
  readonly below: number | undefined;
} {
  const own = ownOptions(options, names);
  return { below: integer("below", own.below, 1, 2 ** 31 - 1) };
}
