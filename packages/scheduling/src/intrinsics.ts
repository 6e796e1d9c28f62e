/** Built-ins as they were when this package was loaded: a program may replace, freeze or hide them later. */
/* oxlint-disable typescript/unbound-method -- none of these looks at `this` */
export const create: typeof Object.create = Object.create;
export const getPrototypeOf: (value: object) => object | null = Object.getPrototypeOf;
export const hasOwn: typeof Object.hasOwn = Object.hasOwn;
/** That of async functions: some programs have put a library's in its place before. */
export const Promise: PromiseConstructor = (async () => {})().constructor as PromiseConstructor;
const defineProperty: typeof Object.defineProperty = Object.defineProperty;
const { bind, call } = Function.prototype;
/** For native promises. */
export const promiseThen = bind.call(call, Promise.prototype.then) as <T>(
  promise: Promise<T>,
  callback: (value: T) => void,
) => void;
/* oxlint-enable typescript/unbound-method */

/** An object of options for a built-in: without a prototype, from which it would read what we do not set. */
export function bare<T extends object>(members: T): Readonly<T> {
  const result = create(null) as T;
  return Object.assign(result, members);
}

/** Gives an object a hidden property of its own, whatever its prototypes hold. */
export function define(target: object, key: PropertyKey, value: unknown): void {
  defineProperty(target, key, bare({ value, configurable: true }));
}

/** Taken with the rest: the signals of these controllers are those that Node's own functions take. */
export const AbortController: typeof globalThis.AbortController = globalThis.AbortController;
