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
  const prototype = getPrototypeOf(value);
  // Of nearly all results.
  if (prototype === objectPrototype || prototype === null) return false;
  return rootOf(prototype) !== null;
}

/** Whether its steps give promises. */
export function isAsyncGenerator(generator: AnyGenerator): boolean {
  return rootOf(getPrototypeOf(generator)!) === asyncGeneratorPrototype;
}

/**
 * What `rootOf` has found last: the generators of one function share a prototype, and a short stream is looked at several times. It names
 * nothing: the prototype of a generator function has no `constructor`.
 */
let lastPrototype: object = generatorPrototype;
let lastRoot: object = generatorPrototype;

/** @returns from which of the two a prototype of a generator derives; null: from neither. */
function rootOf(prototype: object): object | null {
  if (prototype === lastPrototype) return lastRoot;
  let root: object | null = prototype;
  while (root !== null && root !== generatorPrototype && root !== asyncGeneratorPrototype)
    root = getPrototypeOf(root);
  if (root !== null) {
    lastPrototype = prototype;
    lastRoot = root;
  }
  return root;
}

export function isGeneratorFunction(fn: unknown): boolean {
  return isSyncGeneratorFunction(fn) || fn instanceof AsyncGeneratorFunction;
}

export function isSyncGeneratorFunction(fn: unknown): boolean {
  return fn instanceof GeneratorFunction;
}
