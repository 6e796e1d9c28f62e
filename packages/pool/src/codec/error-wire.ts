/**
 * Errors as plain values that the encoder takes: structured clone would drop the class, a custom name, `code` and every
 * property. An error is written as a record, wherever in the properties of another it lies; cycles survive.
 *
 *   own properties   as they are: hidden ones stay hidden, read-only ones read-only; an accessor becomes its value
 *   symbol keys      those of `Symbol.for`, which are the same on every thread; others belong to one thread and stay behind
 *   uncloneable      left out one by one, with a note under `droppedProperties`; a hidden function passes for a method: no note
 *   class            see error-registry.ts; the constructor does not run
 *
 * Code of the program (getters, formatters of stacks) runs when an error leaves, never when it arrives.
 */
import { isError } from "@skein/context/errors";
import {
  define,
  DOMException,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hasOwnProperty,
  Map,
  mapForEach,
  mapGet,
  mapSet,
  setPrototypeOf,
  Symbol,
} from "../shared/intrinsics.ts";
import { blankErrorOf } from "./blank-error.ts";
import { isProxy } from "./brand-checks.ts";
import {
  droppedProperties,
  type ErrorLink,
  type ErrorRecord,
  INHERITED,
  PropertyFlag,
  VALUE,
} from "./error-record.ts";
import { knownPrototype } from "./error-registry.ts";
import { ErrorSnapshot, hold } from "./error-snapshot.ts";
import { appendFrames } from "./stack-text.ts";

/** What was thrown: an error, or any other value as it is. */
export type ErrorWire =
  | { readonly error: ErrorRecord; readonly links: readonly ErrorLink[] }
  | { readonly thrown: unknown };

/** Whether it is no error. What somebody has put on prototypes has no part in it. */
export function isThrownValue(wire: ErrorWire): wire is Extract<ErrorWire, { readonly thrown: unknown }> {
  return hasOwnProperty(wire, "thrown");
}

/**
 * The wire form of what a job threw. Never throws: what cannot be read or copied is left out and listed.
 *
 * @param bytesOnly Whether it leaves the process: what only a message between threads can carry, and shared memory, is left out, too.
 */
export function toWire(error: unknown, bytesOnly = false): ErrorWire {
  if (!isError(error)) return { thrown: error };
  const snapshot = new ErrorSnapshot(bytesOnly);
  return { error: snapshot.recordOf(error), links: snapshot.links };
}

/**
 * What was thrown on the other side. Never throws, and runs no code of the program.
 *
 * @param callerFrames The stack lines of the call that submitted the job: they go below the error's own.
 */
export function fromWire(wire: ErrorWire, callerFrames?: string): unknown {
  if (isThrownValue(wire)) return wire.thrown;
  const errors = new Map<ErrorRecord, object>();
  const root = errorOf(wire.error, errors);
  const { links } = wire;
  for (let i = 0; i < links.length; i++) {
    const link = links[i]!;
    hold(link[0], link[1], errorOf(link[2], errors));
  }
  mapForEach(errors, (error, record) => addOwn(error, record));
  if (callerFrames !== undefined) appendFrames(root, callerFrames);
  return root;
}

function errorOf(record: ErrorRecord, errors: Map<ErrorRecord, object>): object {
  let error = mapGet(errors, record);
  if (error === undefined) mapSet(errors, record, (error = blankError(record)));
  return error;
}

function addOwn(error: object, record: ErrorRecord): void {
  const { own, dropped } = record;
  for (let i = 0; i < own.length; i++) {
    const property = own[i]!;
    const flags = property[1];
    const key = (flags & PropertyFlag.symbol) === 0 ? property[0] : symbolFor(property[0]);
    defineWith(flags, error, key, property[VALUE]);
  }
  if (dropped.length > 0) define(error, droppedProperties, dropped, true);
}

const symbolFor = Symbol.for;

/**
 * A genuine error with the prototype of its class, whose constructor did not run: it may want other arguments, or do
 * things that belong to the thread that threw.
 */
function blankError({ classes, name, nameFlags, message, messageFlags, stack }: ErrorRecord): object {
  let prototype: object | undefined;
  let isDOMException = false;
  for (let i = 0; i < classes.length; i++) {
    prototype ??= knownPrototype(classes[i]!);
    if (classes[i] === "js:DOMException") isDOMException = true;
  }
  const error: object = isDOMException ? new DOMException(message, name) : blankErrorOf(0)!;
  if (prototype !== undefined && prototype !== getPrototypeOf(error)) setPrototypeOf(error, prototype);
  if (!isDOMException || messageFlags !== INHERITED)
    defineInheritable(error, "message", message, messageFlags);
  if (!isDOMException || nameFlags !== INHERITED) defineInheritable(error, "name", name, nameFlags);
  define(error, "stack", stack, false);
  return error;
}

function defineInheritable(error: object, key: "name" | "message", text: string, flags: number): void {
  if (flags !== INHERITED) defineWith(flags, error, key, text);
  else if (inheritedValue(error, key) !== text) define(error, key, text, false);
}

/** Undefined also where an accessor stands: it would run code of the program, on an error that has nothing yet. */
function inheritedValue(error: object, key: string): unknown {
  for (let link = getPrototypeOf(error); link !== null && !isProxy(link); link = getPrototypeOf(link)) {
    const descriptor = getOwnPropertyDescriptor(link, key);
    if (descriptor !== undefined) return hasOwnProperty(descriptor, "value") ? descriptor.value : undefined;
  }
  return undefined;
}

function defineWith(flags: number, target: object, key: PropertyKey, value: unknown): void {
  const isEnumerable = (flags & PropertyFlag.enumerable) !== 0;
  const isWritable = (flags & PropertyFlag.writable) !== 0;
  define(target, key, value, isEnumerable, isWritable, (flags & PropertyFlag.configurable) !== 0);
}
