/**
 * Errors as plain values that the encoder takes: structured clone would drop the class, a custom name, `code` and every
 * property. Causes and the members of an AggregateError are errors again; cycles among them survive.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- any object may come; kinds are proven at run time
import types from "node:util/types";

import { knownClass, knownClassesOf } from "./error-registry.ts";
import { findNotCloneable } from "./not-cloneable.ts";

/** What was thrown: an error, or any other value as it is. */
export type ErrorWire = WireValue;

export type WireValue =
  | { readonly error: ErrorRecord }
  | { readonly list: readonly WireValue[] }
  | { readonly thrown: unknown };

export interface ErrorRecord {
  /** Known classes, nearest first. */
  readonly classes: readonly string[];
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly isSkein: boolean;
  readonly isNameEnumerable: boolean;
  /** Own properties: name, whether it is enumerable, value. */
  readonly own: [name: string, isEnumerable: boolean, value: WireValue][];
  /** What could not come along, one sentence each. */
  readonly dropped: string[];
}

/** On an error that lost properties on its way: why, one sentence each. */
export const droppedProperties: unique symbol = Symbol.for("skein.error.dropped");

const brand = Symbol.for("skein.error");
/** A longer chain of causes is cut. */
const depthLimit = 64;
/** Written by name, not with the other properties. */
const namedParts: ReadonlySet<string> = new Set(["name", "message", "stack"]);
/** Not enumerable on built-in errors, and wanted all the same. */
const hiddenParts = ["cause", "errors", "error", "suppressed", "code"] as const;

/** The wire form of what a job threw. Never throws: what cannot be read or copied is left out and listed. */
export function toWire(error: unknown): ErrorWire {
  if (!isError(error)) return { thrown: error };
  return { error: recordOf(error, new Map(), 0) };
}

/**
 * What was thrown on the other side. `callerFrames` are the stack lines of the call that submitted the job; they are
 * put below the error's own, so that the stack says both where it failed and who asked.
 */
export function fromWire(wire: ErrorWire, callerFrames?: string): unknown {
  const value = valueFrom(wire, new Map());
  if ("error" in wire && callerFrames !== undefined) appendFrames(value as Error, callerFrames);
  return value;
}

function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}

function recordOf(error: Error, records: Map<Error, ErrorRecord>, depth: number): ErrorRecord {
  const name = textOf(() => error.name, "Error");
  const message = textOf(() => error.message, "");
  const known = knownClassesOf(error);
  const record: ErrorRecord = {
    // An error of another realm knows none of our classes, but its name may be that of a built-in one.
    classes: known.length > 0 ? known : [`js:${name}`],
    name,
    message,
    stack: textOf(() => error.stack, `${name}: ${message}`),
    isSkein: Object.hasOwn(error, brand),
    isNameEnumerable: isEnumerable(error, "name"),
    own: [],
    dropped: [],
  };
  records.set(error, record);
  for (const key of Object.keys(error)) if (!namedParts.has(key)) addOwn(record, error, key, records, depth);
  for (const key of hiddenParts) {
    if (Object.hasOwn(error, key) && !isEnumerable(error, key)) addOwn(record, error, key, records, depth);
  }
  return record;
}

function isEnumerable(target: object, key: string): boolean {
  return Object.prototype.propertyIsEnumerable.call(target, key);
}

function textOf(read: () => unknown, otherwise: string): string {
  try {
    const value = read();
    if (value === undefined) return otherwise;
    // oxlint-disable-next-line typescript/no-base-to-string -- whatever a user put there, as `Error.prototype.toString` does
    return String(value);
  } catch {
    return otherwise;
  }
}

function addOwn(
  record: ErrorRecord,
  error: Error,
  key: string,
  records: Map<Error, ErrorRecord>,
  depth: number,
): void {
  let value: unknown;
  try {
    value = (error as unknown as Record<string, unknown>)[key];
  } catch {
    record.dropped.push(`${key} has a getter that throws`);
    return;
  }
  const wire = wireOf(value, key, record, records, depth);
  if (wire !== undefined) record.own.push([key, isEnumerable(error, key), wire]);
}

function wireOf(
  value: unknown,
  path: string,
  record: ErrorRecord,
  records: Map<Error, ErrorRecord>,
  depth: number,
): WireValue | undefined {
  if (isError(value)) {
    const known = records.get(value);
    if (known !== undefined) return { error: known };
    if (depth < depthLimit) return { error: recordOf(value, records, depth + 1) };
    record.dropped.push(`${path} is one of more than ${depthLimit} nested errors`);
    return undefined;
  }
  if (Array.isArray(value) && value.some(isError)) {
    const list: WireValue[] = [];
    value.forEach((member: unknown, index) => {
      const wire = wireOf(member, `${path}[${index}]`, record, records, depth);
      if (wire !== undefined) list.push(wire);
    });
    return { list };
  }
  const found = findNotCloneable(value, path);
  if (found === undefined) return { thrown: value };
  record.dropped.push(`${found.path} ${found.problem}`);
  return undefined;
}

function valueFrom(wire: WireValue, errors: Map<ErrorRecord, Error>): unknown {
  if ("thrown" in wire) return wire.thrown;
  if ("list" in wire) return wire.list.map((member) => valueFrom(member, errors));
  return errors.get(wire.error) ?? errorFrom(wire.error, errors);
}

function errorFrom(record: ErrorRecord, errors: Map<ErrorRecord, Error>): Error {
  const error = blankError(record);
  errors.set(record, error);
  if (error.message !== record.message) define(error, "message", record.message, false);
  if (error.name !== record.name || record.isNameEnumerable) {
    define(error, "name", record.name, record.isNameEnumerable);
  }
  define(error, "stack", record.stack, false);
  if (record.isSkein) define(error, brand, true, false);
  for (const [key, isOwnEnumerable, value] of record.own) {
    define(error, key, valueFrom(value, errors), isOwnEnumerable);
  }
  if (record.dropped.length > 0) define(error, droppedProperties, record.dropped, true);
  return error;
}

/**
 * A genuine error with the prototype of its class, whose constructor did not run: it may want other arguments, or do
 * things that belong to the thread that threw.
 */
function blankError(record: ErrorRecord): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    if (record.classes.includes("js:DOMException")) return new DOMException(record.message, record.name);
    const error = new Error();
    const name = record.classes.find((candidate) => knownClass(candidate) !== undefined) ?? "js:Error";
    if (name !== "js:Error") Object.setPrototypeOf(error, knownClass(name)!.prototype as object);
    return error;
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function define(target: object, key: PropertyKey, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, configurable: true, writable: true });
}

function appendFrames(error: Error, callerFrames: string): void {
  const frames = callerFrames.split("\n").filter((line) => /^\s+at /.test(line));
  if (frames.length === 0) return;
  define(error, "stack", `${error.stack}\n    at [job submitted from]\n${frames.join("\n")}`, false);
}
