/**
 * Error classes by name, so that an error arrives as an instance of the same class. A name on the wire says whose it is:
 * `js:` built in, `skein:` ours, also of packages that this one does not know, `user:` registered; a user's TimeoutError and ours do
 * not get in each other's way. Names are literals, or what `registerError` was told: minifiers change the names of classes.
 *
 * A thread may hold several copies of this package, one of them bundled with a job module. They share what they know under a
 * registered symbol; where two copies know different classes by one name, each prefers its own.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- any object may come; kinds are proven at run time
import {
  ContextEncodeError,
  ContextTooLargeError,
  DuplicateNameError,
  InvalidCarrierError,
} from "@skein/context";
import {
  argumentTypeError,
  errorClassName,
  errorPrototype as skeinPrototype,
  InvalidOperationError,
  nameOfErrorPrototype,
  ownOptions,
  SkeinError,
} from "@skein/context/errors";
import { OperationCanceledError, TaskSchedulerError, TimeoutError } from "@skein/context/internal";

import {
  JobCanceledError,
  JobModuleError,
  JobNotFoundError,
  JobTimeoutError,
  NotCloneableError,
  NotSupportedError,
  PoolClosedError,
  QueueFullError,
  ThreadCrashedError,
} from "../errors.ts";
import {
  define,
  DOMException,
  errorPrototype,
  getPrototypeOf,
  Map,
  mapGet,
  mapSet,
  sliceText,
  WeakMap,
  weakMapGet,
  weakMapSet,
} from "../shared/intrinsics.ts";

export type ErrorClass = abstract new (...args: never[]) => Error;

/** What all copies of this package on one thread share. A change of its shape takes another symbol. */
interface Registry {
  /** Prototypes to names: what an error that leaves this thread is called. */
  readonly names: WeakMap<object, string>;
  /** The prototypes of the classes that were named first. */
  readonly prototypes: Map<string, object>;
}

/** What the names of our own classes begin with. */
const SKEIN = "skein:";
const key: unique symbol = Symbol.for("skein.pool.errors.v1");
const { names, prototypes } = sharedRegistry();
/** Named through this copy. */
const own = new Map<string, object>();

function sharedRegistry(): Registry {
  const known = (globalThis as { [key]?: Registry })[key];
  if (known !== undefined) return known;
  const made: Registry = { names: new WeakMap(), prototypes: new Map() };
  define(globalThis, key, made, false);
  return made;
}

function add(name: string, type: ErrorClass): void {
  const prototype = type.prototype as object;
  mapSet(own, name, prototype);
  if (mapGet(prototypes, name) === undefined) mapSet(prototypes, name, prototype);
  weakMapSet(names, prototype, name);
}

add("js:Error", Error);
add("js:EvalError", EvalError);
add("js:RangeError", RangeError);
add("js:ReferenceError", ReferenceError);
add("js:SyntaxError", SyntaxError);
add("js:TypeError", TypeError);
add("js:URIError", URIError);
add("js:AggregateError", AggregateError);
add("js:DOMException", DOMException);
const suppressedError = (globalThis as { SuppressedError?: ErrorClass }).SuppressedError;
if (suppressedError !== undefined) add("js:SuppressedError", suppressedError);
const skeinErrors: ErrorClass[] = [SkeinError, InvalidOperationError, OperationCanceledError, TimeoutError];
skeinErrors.push(TaskSchedulerError, JobCanceledError, JobTimeoutError, ThreadCrashedError, QueueFullError);
skeinErrors.push(ContextEncodeError, ContextTooLargeError, DuplicateNameError, InvalidCarrierError);
skeinErrors.push(PoolClosedError, JobNotFoundError, JobModuleError, NotCloneableError, NotSupportedError);
for (const type of skeinErrors) add(`${SKEIN}${errorClassName(type)}`, type);

/** What `registerError` takes. */
export interface RegisterErrorOptions {
  /**
   * The name of the class between threads, the same on both sides. Needed where a minifier changes the names of classes, and where
   * two classes have the same name.
   * @default the name of the class
   */
  readonly name?: string | undefined;
}

/**
 * Lets errors of `Class` keep their class when they cross threads, in either direction.
 *
 * Call it on both sides: in the module that submits jobs and in the job module; a module that both import and that
 * registers its own classes is the simplest place. An arriving error gets its properties without a call of the
 * constructor, so private fields (`#x`) are not there. Without registration an error arrives as the nearest class that
 * the receiver knows, with its `name` kept.
 *
 * Several copies of this package on one thread, such as one bundled with a job module, know each other's classes. If two copies
 * register different classes under one name, an error arrives as the class that was registered through the copy which made the
 * pool, and otherwise as the first one.
 *
 * @throws TypeError when `Class` is not a class of errors, or has no name and none is given.
 * @throws InvalidOperationError when another class was registered under that name on this thread through the same copy of this package.
 * @example
 * export class HttpError extends Error { override name = "HttpError"; status = 500; }
 * registerError(HttpError);
 * registerError(HttpError, { name: "HttpError" }); // survives minification
 */
export function registerError(Class: ErrorClass, options?: RegisterErrorOptions): void {
  if (typeof Class !== "function" || !isErrorPrototype(Class.prototype)) {
    throw argumentTypeError("Class", "a class that extends Error", Class);
  }
  const { name = Class.name } = ownOptions(options, { name: true });
  if (typeof name !== "string") throw argumentTypeError("name", "a string", name);
  if (name === "") throw argumentTypeError("Class", "a class with a name, or `name` to be given", Class);
  const taken = mapGet(own, `user:${name}`);
  if (taken !== undefined && taken !== Class.prototype) {
    throw new InvalidOperationError(
      `Another class named ${name} is registered on this thread. Give one of them another \`name\`, ` +
        "or register the class in one module that is loaded once",
    );
  }
  add(`user:${name}`, Class);
}

function isErrorPrototype(prototype: unknown): boolean {
  let link = prototype as object | null | undefined;
  while (link !== null && link !== undefined) {
    if (link === errorPrototype) return true;
    link = getPrototypeOf(link);
  }
  return false;
}

/** The known classes of `error`, nearest first; the receiver takes the first that it knows as well. */
export function knownClassesOf(error: object): string[] {
  const known: string[] = [];
  for (let link = getPrototypeOf(error); link !== null; link = getPrototypeOf(link)) {
    const name = weakMapGet(names, link) ?? skeinName(link);
    if (name !== undefined) known[known.length] = name;
  }
  return known;
}

/** Of a class of Skein that this package does not know. */
function skeinName(prototype: object): string | undefined {
  const name = nameOfErrorPrototype(prototype);
  return name === undefined ? undefined : `${SKEIN}${name}`;
}

/** The prototype of the class of that name on the wire, when this thread knows it. */
export function knownPrototype(name: string): object | undefined {
  const known = mapGet(own, name) ?? mapGet(prototypes, name);
  if (known !== undefined || sliceText(name, 0, SKEIN.length) !== SKEIN) return known;
  return skeinPrototype(sliceText(name, SKEIN.length));
}
