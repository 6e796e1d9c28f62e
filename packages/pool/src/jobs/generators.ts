/** What a job returns when it gives its results piece by piece. */
import { getPrototypeOf, objectPrototype } from "../shared/intrinsics.ts";

/** Of either kind. */
export interface AnyGenerator {
  next(): unknown;
  return(value: unknown): unknown;
}

/**
 * How often a generator that was ended may go on yielding, so that its `finally` comes to its end. Then it is left at its `yield`, as
 * `for await` leaves it at the first: one that never ends must not keep its thread.
 */
export const MAX_UNREAD = 1000;

// oxlint-disable-next-line unicorn/consistent-function-scoping -- only their prototypes are wanted
const generatorPrototype = getPrototypeOf(getPrototypeOf((function* () {})())!)!;
const asyncGeneratorPrototype = getPrototypeOf(getPrototypeOf((async function* () {})())!)!;
const GeneratorFunction = getPrototypeOf(function* () {})!.constructor as new () => unknown;
const AsyncGeneratorFunction = getPrototypeOf(async function* () {})!.constructor as new () => unknown;

/** Whether `value` was made by a generator function, of either kind; by its prototypes, since nothing else tells. */
export function isGenerator(value: object): value is AnyGenerator {
  let prototype = getPrototypeOf(value);
  // Of nearly all results.
  if (prototype === objectPrototype || prototype === null) return false;
  for (; prototype !== null; prototype = getPrototypeOf(prototype))
    if (prototype === generatorPrototype || prototype === asyncGeneratorPrototype) return true;
  return false;
}

/** Whether its steps give promises. */
export function isAsyncGenerator(generator: AnyGenerator): boolean {
  for (let prototype = getPrototypeOf(generator); prototype !== null; prototype = getPrototypeOf(prototype))
    if (prototype === asyncGeneratorPrototype) return true;
  return false;
}

export function isGeneratorFunction(fn: unknown): boolean {
  return fn instanceof GeneratorFunction || fn instanceof AsyncGeneratorFunction;
}
