/** The awaiter pattern: what an object needs so that a generator method can wait for it (A8.1). */

import { AsyncScope } from "@skein/context";
import { argumentTypeError, requireFunction } from "@skein/context/errors";

/**
 * The method by which an object says how it is awaited.
 *
 * @see https://learn.microsoft.com/dotnet/csharp/language-reference/language-specification/expressions#1299-await-expressions
 */
export const awaiter: unique symbol = Symbol.for("skein.awaiter");

/** What `yield` in a generator method takes, and `Task.from` adopts. */
export interface Awaitable<T> {
  [awaiter](): Awaiter<T>;
}

/**
 * One wait. Asked in this order: `isCompleted`; if false `unsafeOnCompleted`, or `onCompleted` where there is none, once;
 * then `getResult`, once.
 */
export interface Awaiter<T> {
  /** True skips the suspension. */
  readonly isCompleted: boolean;
  /** Calls back once, with `state`, in the ExecutionContext of this call. */
  onCompleted<S>(continuation: (state: S) => void, state: S): void;
  /** Calls back once, with `state`, in any context: the caller brings its own. */
  unsafeOnCompleted?<S>(continuation: (state: S) => void, state: S): void;
  /** The result. @throws the error of the operation. */
  getResult(): T;
}

/**
 * Never throws, and asks by `in` first: remote objects and test doubles are Proxies that give a function for any property, or refuse it.
 * They are values like others.
 */
export function isAwaitable(value: unknown): value is Awaitable<unknown> {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  try {
    return awaiter in value && typeof value[awaiter] === "function";
  } catch {
    return false;
  }
}

/** @throws TypeError when what `[awaiter]()` gave is not an Awaiter. */
export function requireAwaiter(value: unknown): Awaiter<unknown> {
  if (
    typeof value === "object" &&
    value !== null &&
    "isCompleted" in value &&
    hasMethod(value, "getResult") &&
    (hasMethod(value, "onCompleted") || hasMethod(value, "unsafeOnCompleted"))
  ) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just checked, as far as it can be.
    return value as unknown as Awaiter<unknown>;
  }
  throw argumentTypeError("awaiter", "an object with isCompleted, onCompleted and getResult", value);
}

/** Has `wait` call back in the ExecutionContext of this call, also where it leaves that to us. */
export function flowOnCompleted<S>(wait: Awaiter<unknown>, continuation: (state: S) => void, state: S): void {
  if (hasMethod(wait, "onCompleted")) {
    wait.onCompleted(continuation, state);
    return;
  }
  const scope = new AsyncScope();
  wait.unsafeOnCompleted?.((given: S) => scope.runOnce(continuation, given), state);
}

/** @throws TypeError when `value` is not a function: of `onCompleted`, at once. */
export function requireContinuation(value: unknown): void {
  requireFunction("continuation", value);
}

function hasMethod(value: object, name: string): boolean {
  return typeof (value as Record<string, unknown>)[name] === "function";
}
