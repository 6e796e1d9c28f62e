import { argumentTypeError, requireFunction } from "@skein/context/errors";
import types from "node:util/types";
import { define, getPrototypeOf } from "../intrinsics.ts";
import { nameBody } from "./abandoned-methods.ts";
import { startMethod } from "./method-box.ts";
import type { AsyncMethodBuilder, MethodBody } from "./method-builder.ts";

type Method<This, A extends unknown[], R> = (this: This, ...args: A) => R;

const ofGenerators = getPrototypeOf(function* sample() {});
const ofFunctions = getPrototypeOf(function sample() {});
const ofAsyncFunctions = getPrototypeOf(async function sample() {});
const { isAsyncFunction, isGeneratorFunction: isAnyGeneratorFunction } = types;

/** Of any realm. An async generator function is none. */
export function isGeneratorFunction(value: unknown): value is MethodBody<unknown, [], unknown> {
  if (typeof value !== "function") return false;
  const prototype = getPrototypeOf(value);
  if (prototype === ofGenerators) return true;
  // Of nearly all others: asking Node takes longer.
  if (prototype === ofFunctions || prototype === ofAsyncFunctions) return false;
  return isAnyGeneratorFunction(value) && !isAsyncFunction(value);
}

/** @throws TypeError when `body` is not a generator function. */
export function defineMethod<This, A extends unknown[], R>(
  createBuilder: () => AsyncMethodBuilder<R>,
  body: MethodBody<This, A, unknown>,
): Method<This, A, R> {
  if (!isGeneratorFunction(body)) throw argumentTypeError("body", "a generator function", body);
  nameBody(body);
  function method(this: This, ...args: A): R {
    return startMethod(body, this, args, createBuilder());
  }
  define(method, "name", body.name);
  define(method, "length", body.length);
  return method;
}

/**
 * Generator methods that return something of your own: the one thing to write is the builder.
 *
 * @example
 * const asPromise = asyncMethod(() => {
 *   const { promise, resolve, reject } = Promise.withResolvers<unknown>();
 *   return { task: promise, setResult: resolve, setError: reject };
 * });
 * const load = asPromise(function* (id: string) { return yield* table.get(id); });
 * @throws TypeError when `createBuilder` is not a function.
 */
export function asyncMethod<R>(
  createBuilder: () => AsyncMethodBuilder<R>,
): <This, A extends unknown[]>(body: MethodBody<This, A, unknown>) => Method<This, A, R> {
  requireFunction("createBuilder", createBuilder);
  return (body) => defineMethod(createBuilder, body);
}
