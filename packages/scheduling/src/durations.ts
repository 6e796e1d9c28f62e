/** Options that are times. */

import { argumentRangeError, argumentTypeError } from "@skein/context/errors";

/** The longest time that Node's timers take; beyond it they would fire at once. */
const MAX_MS = 2_147_483_647;

/**
 * Milliseconds that are waited for. Infinity stands for no end; so does -1, as in .NET.
 *
 * @throws TypeError for what is not a number, RangeError for one that is not a time.
 */
export function requireDuration(name: string, value: unknown): number {
  if (typeof value !== "number") throw argumentTypeError(name, "a number of milliseconds", value);
  if (value === -1 || value === Infinity) return Infinity;
  if (value >= 0 && value <= MAX_MS) return value;
  throw argumentRangeError(name, `between 0 and ${MAX_MS} milliseconds, or -1 or Infinity for no end`, value);
}

/** How long one turn of a queue may take when nobody says so. */
const DEFAULT_BUDGET_MS = 4;

/** @throws TypeError, RangeError when `value` is not a time above 0. */
export function requireBudget(value: unknown): number {
  if (value === undefined) return DEFAULT_BUDGET_MS;
  if (typeof value !== "number")
    throw argumentTypeError("options.budgetMs", "a number of milliseconds", value);
  if (value > 0 && value <= MAX_MS) return value;
  throw argumentRangeError("options.budgetMs", `above 0 and up to ${MAX_MS} milliseconds`, value);
}
