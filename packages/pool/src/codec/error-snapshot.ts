/**
 * Errors as records, and what hangs on them as copies that can be encoded for certain: every getter was read, once, and what cannot
 * cross is left out, leaf by leaf. Runs code of the program; never throws what it throws.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- any object may come; kinds are proven at run time
import { EventEmitter } from "node:events";

import { isError } from "@skein/context/errors";
import {
  define,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hasOwnProperty,
  isArray,
  keyOfSymbol,
  keysOf,
  Map,
  mapForEach,
  mapGet,
  mapSet,
  objectPrototype,
  ownKeys,
  Set,
  setAdd,
  setForEach,
  String,
} from "../shared/intrinsics.ts";
import { isMap, isSet } from "./brand-checks.ts";
import { cloneableKindOf, isOfThreads, memoryProblem } from "./cloneable-kind.ts";
import {
  droppedProperties,
  type ErrorLink,
  type ErrorRecord,
  INHERITED,
  type OwnProperty,
  PropertyFlag,
  VALUE,
} from "./error-record.ts";
import { knownClassesOf } from "./error-registry.ts";
import { memberPath } from "./not-cloneable.ts";
import { stackOf } from "./stack-text.ts";

/** A longer chain of errors is cut. */
const ERRORS_DEEP = 64;
/** Deeper values are cut: the encoder must not overflow the stack. */
const VALUES_DEEP = 200;
/** Some errors hold half of their program. */
const MAX_OBJECTS = 10_000;
const MAX_NOTES = 32;

const emitterPrototype: object = EventEmitter.prototype;

/** The key under which a Map or Set cannot hold a link: it is added as a member. */
export const MEMBER = null;

function inherits(value: object, from: object): boolean {
  for (let link = getPrototypeOf(value); link !== null; link = getPrototypeOf(link)) {
    if (link === from) return true;
  }
  return false;
}

/** For one thrown error. */
export class ErrorSnapshot {
  readonly links: ErrorLink[] = [];
  readonly #records = new Map<object, ErrorRecord>();
  readonly #copies = new Map<object, object>();
  readonly #bytesOnly: boolean;
  #objects = 0;

  /** @param bytesOnly As for `toWire`. */
  constructor(bytesOnly: boolean) {
    this.#bytesOnly = bytesOnly;
  }

  recordOf(error: Error, depth = 0): ErrorRecord {
    const name = textOf(() => error.name, "Error");
    const message = textOf(() => error.message, "");
    const own: OwnProperty[] = [];
    const record: ErrorRecord = {
      classes: classesOf(error, name),
      name,
      nameFlags: flagsOf(error, "name"),
      message,
      messageFlags: flagsOf(error, "message"),
      stack: stackOf(error, `${name}: ${message}`) ?? `${name}: ${message}`,
      own,
      dropped: [],
    };
    mapSet(this.#records, error, record);
    const keys = read(() => ownKeys(error), []);
    for (let i = 0; i < keys.length; i++) {
      const property = this.#property(error, keys[i]!, record, depth);
      if (property !== undefined) own[own.length] = property;
    }
    return record;
  }

  #property(
    error: object,
    key: string | symbol,
    record: ErrorRecord,
    depth: number,
  ): OwnProperty | undefined {
    if (key === "name" || key === "message" || key === "stack") return undefined;
    const text = typeof key === "symbol" ? keyOfSymbol(key) : key;
    if (text === undefined) return undefined;
    const flags = flagsOf(error, key);
    if (flags === INHERITED) return undefined;
    const property: OwnProperty = [
      text,
      flags | (typeof key === "symbol" ? PropertyFlag.symbol : 0),
      undefined,
    ];
    let value: unknown;
    try {
      value = (error as Record<string | symbol, unknown>)[key];
    } catch {
      note(record, text, "has a getter that throws");
      return undefined;
    }
    if (key === droppedProperties) return addNotes(record, value);
    if (typeof value === "function" && (flags & PropertyFlag.enumerable) === 0) return undefined;
    return this.#put(property, VALUE, value, text, record, depth, 0) ? property : undefined;
  }

  /**
   * Puts a copy of `value` below `key` of `holder`, or remembers the error that belongs there.
   * @returns false when it was left out.
   */
  #put(
    holder: object,
    key: unknown,
    value: unknown,
    path: string,
    record: ErrorRecord,
    errorsDeep: number,
    deep: number,
  ): boolean {
    if (typeof value === "function" || typeof value === "symbol") {
      note(record, path, `is a ${typeof value}`);
      return false;
    }
    if (typeof value !== "object" || value === null) {
      hold(holder, key, value);
      return true;
    }
    const object: object = value;
    if (isError(object)) return this.#link(holder, key, object, path, record, errorsDeep);
    const known = mapGet(this.#copies, object);
    if (known !== undefined) {
      hold(holder, key, known);
      return true;
    }
    let problem: string | undefined;
    try {
      problem = this.#copy(holder, key, object, path, record, errorsDeep, deep);
    } catch {
      problem = "cannot be read";
    }
    if (problem === undefined) return true;
    note(record, path, problem);
    return false;
  }

  #link(
    holder: object,
    key: unknown,
    error: Error,
    path: string,
    record: ErrorRecord,
    errorsDeep: number,
  ): boolean {
    let linked = mapGet(this.#records, error);
    if (linked === undefined) {
      if (errorsDeep >= ERRORS_DEEP) {
        note(record, path, `is one of more than ${ERRORS_DEEP} nested errors`);
        return false;
      }
      linked = this.recordOf(error, errorsDeep + 1);
    }
    // Keeps its place among the others.
    if (key !== MEMBER) hold(holder, key, undefined);
    this.links[this.links.length] = [holder, key, linked];
    return true;
  }

  /** @returns why it is left out. */
  #copy(
    holder: object,
    key: unknown,
    value: object,
    path: string,
    record: ErrorRecord,
    errorsDeep: number,
    deep: number,
  ): string | undefined {
    if (deep >= VALUES_DEEP) return `is nested more than ${VALUES_DEEP} deep`;
    if (this.#objects++ >= MAX_OBJECTS) return `is one of more than ${MAX_OBJECTS} objects`;
    const isList = isArray(value);
    const kind = isList || getPrototypeOf(value) === objectPrototype ? "instance" : cloneableKindOf(value);
    if (typeof kind !== "string") return kind.problem;
    const lost = memoryProblem(value, kind);
    if (lost !== null) return lost;
    if (this.#bytesOnly && isOfThreads(value, kind))
      return "cannot leave its process: only threads of one process can be sent it";
    const put = (target: object, member: unknown, below: unknown, memberAt: string): boolean =>
      this.#put(target, member, below, memberAt, record, errorsDeep, deep + 1);
    if (isMap(value)) {
      const copy = this.#begin(holder, key, value, new Map<unknown, unknown>());
      let index = 0;
      mapForEach(value, (member, memberKey) => {
        const keyHolder: unknown[] = [];
        const at = `${path} → Map`;
        if (isError(memberKey)) note(record, `${at} key ${index}`, "is an error");
        else if (put(keyHolder, 0, memberKey, `${at} key ${index}`))
          put(copy, keyHolder[0], member, `${at} value ${index}`);
        index++;
      });
    } else if (isSet(value)) {
      const copy = this.#begin(holder, key, value, new Set<unknown>());
      let index = 0;
      setForEach(value, (member) => put(copy, MEMBER, member, `${path} → Set member ${index++}`));
    } else if (kind === "instance") {
      if (!isList && inherits(value, emitterPrototype))
        return "is an EventEmitter, which belongs to the thread that made it";
      const copy = this.#begin(holder, key, value, isList ? [] : {});
      if (isList) (copy as unknown[]).length = value.length;
      const keys = keysOf(value);
      for (let i = 0; i < keys.length; i++) {
        const name = keys[i]!;
        const at = memberPath(path, name, value);
        let member: unknown;
        try {
          member = (value as Record<string, unknown>)[name];
        } catch {
          note(record, at, "has a getter that throws");
          continue;
        }
        put(copy, name, member, at);
      }
    } else {
      // What holds nothing else crosses as it is.
      this.#begin(holder, key, value, value);
    }
    return undefined;
  }

  /** Known before its members are visited: they may lead back to it. */
  #begin<T extends object>(holder: object, key: unknown, value: object, copy: T): T {
    mapSet(this.#copies, value, copy);
    hold(holder, key, copy);
    return copy;
  }
}

/** Below `key` of a list, object or Map; among the members of a Set. */
export function hold(holder: object, key: unknown, value: unknown): void {
  if (isMap(holder)) mapSet(holder, key, value);
  else if (isSet(holder)) setAdd(holder, value);
  else define(holder, key as PropertyKey, value, true);
}

function classesOf(error: object, name: string): string[] {
  const known = read(() => knownClassesOf(error), []);
  // An error of another realm knows none of our classes, but its name may be that of a built-in one.
  return known.length > 0 ? known : [`js:${name}`];
}

/** @returns PropertyFlag of an own property, an accessor's as if it were a value; or INHERITED. */
function flagsOf(target: object, key: string | symbol): number {
  const descriptor = read(() => getOwnPropertyDescriptor(target, key), undefined);
  if (descriptor === undefined) return INHERITED;
  const isWritable = hasOwnProperty(descriptor, "value") ? descriptor.writable === true : true;
  return (
    (descriptor.enumerable === true ? PropertyFlag.enumerable : 0) |
    (isWritable ? PropertyFlag.writable : 0) |
    (descriptor.configurable === true ? PropertyFlag.configurable : 0)
  );
}

function textOf(reading: () => unknown, otherwise: string): string {
  return read(() => {
    const value = reading();
    // oxlint-disable-next-line typescript/no-base-to-string -- whatever a user put there, as `Error.prototype.toString` does
    return value === undefined ? otherwise : String(value);
  }, otherwise);
}

function read<T>(reading: () => T, otherwise: T): T {
  try {
    return reading();
  } catch {
    return otherwise;
  }
}

/** What an error lost on the way here stays noted when it goes on. */
function addNotes(record: ErrorRecord, notes: unknown): undefined {
  if (!isArray(notes)) return;
  for (let i = 0; i < notes.length && i < MAX_NOTES; i++) {
    const text: unknown = notes[i];
    if (typeof text === "string") record.dropped[record.dropped.length] = text;
  }
}

function note({ dropped }: ErrorRecord, path: string, problem: string): void {
  if (dropped.length < MAX_NOTES) dropped[dropped.length] = `${path} ${problem}`;
  else if (dropped.length === MAX_NOTES) dropped[dropped.length] = "… and more";
}
