/**
 * Error classes by name, so that an error arrives as an instance of the same class. A name on the wire says whose it is:
 * `js:` built in, `skein:` ours, `user:` registered; a user's TimeoutError and ours do not get in each other's way.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- any object may come; kinds are proven at run time
import {
  ContextEncodeError,
  ContextTooLargeError,
  DuplicateNameError,
  InvalidCarrierError,
} from "@skein/context";
import { argumentTypeError, InvalidOperationError, SkeinError } from "@skein/context/errors";
import { OperationCanceledError, TaskSchedulerError, TimeoutError } from "@skein/scheduling";

import {
  JobCanceledError,
  JobModuleError,
  JobNotFoundError,
  JobTimeoutError,
  NotCloneableError,
  PoolClosedError,
  QueueFullError,
  ThreadCrashedError,
} from "../errors.ts";

export type ErrorClass = abstract new (...args: never[]) => Error;

const classes = new Map<string, ErrorClass>();
const names = new Map<object, string>();

function add(key: string, type: ErrorClass): void {
  classes.set(key, type);
  names.set(type.prototype as object, key);
}

for (const type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
  add(`js:${type.name}`, type);
}
add("js:AggregateError", AggregateError);
add("js:DOMException", DOMException);
const suppressedError = (globalThis as { SuppressedError?: ErrorClass }).SuppressedError;
if (suppressedError !== undefined) add("js:SuppressedError", suppressedError);
const skeinErrors: ErrorClass[] = [SkeinError, InvalidOperationError, OperationCanceledError, TimeoutError];
skeinErrors.push(TaskSchedulerError, JobCanceledError, JobTimeoutError, ThreadCrashedError, QueueFullError);
skeinErrors.push(ContextEncodeError, ContextTooLargeError, DuplicateNameError, InvalidCarrierError);
skeinErrors.push(PoolClosedError, JobNotFoundError, JobModuleError, NotCloneableError);
for (const type of skeinErrors) add(`skein:${type.name}`, type);

/**
 * Lets errors of `Class` keep their class when they cross threads, in either direction.
 *
 * Call it on both sides: in the module that submits jobs and in the job module; a module that both import and that
 * registers its own classes is the simplest place. An arriving error gets its properties without a call of the
 * constructor, so private fields (`#x`) are not there. Without registration an error arrives as the nearest class that
 * the receiver knows, with its `name` kept.
 *
 * @throws TypeError when `Class` is not a class of errors, or has no name.
 * @throws InvalidOperationError when another class was registered under that name on this thread.
 * @example
 * export class HttpError extends Error { override name = "HttpError"; constructor(readonly status: number) { super(`HTTP ${status}`); } }
 * registerError(HttpError);
 */
export function registerError(Class: ErrorClass): void {
  if (typeof Class !== "function" || !(Class.prototype instanceof Error)) {
    throw argumentTypeError("Class", "a class that extends Error", Class);
  }
  if (Class.name === "") throw argumentTypeError("Class", "a class with a name", Class);
  const taken = classes.get(`user:${Class.name}`);
  if (taken !== undefined && taken !== Class) {
    throw new InvalidOperationError(
      `Another class named ${Class.name} is registered on this thread. Give one of them another name, ` +
        "or register the class in one module that is loaded once",
    );
  }
  add(`user:${Class.name}`, Class);
}

/** The known classes of `error`, nearest first; the receiver takes the first that it knows as well. */
export function knownClassesOf(error: object): string[] {
  const known: string[] = [];
  let link = Object.getPrototypeOf(error) as object | null;
  for (; link !== null; link = Object.getPrototypeOf(link) as object | null) {
    const name = names.get(link);
    if (name !== undefined) known.push(name);
  }
  return known;
}

/** The class of that name on the wire, when this thread knows it. */
export function knownClass(name: string): ErrorClass | undefined {
  return classes.get(name);
}
