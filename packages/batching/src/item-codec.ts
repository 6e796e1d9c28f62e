/**
 * Items as bytes. What JSON gives back unchanged goes as JSON text, which for a small item takes a third of the time that
 * `v8.serialize` takes; everything else goes by `v8.serialize`. Either way the other side gets what structured clone would give,
 * but that typed arrays which shared memory have a copy each.
 *
 * No mark tells them apart but the first byte: `v8.serialize` begins with 0xFF, which is in no UTF-8 text.
 */
import { Buffer } from "node:buffer";
import { serialize } from "node:v8";
import { deserialize } from "@skein/context/internal";
import { notCloneable, promiseInPlaceOfItem } from "./not-cloneable.ts";

const { parse, stringify } = JSON;
const { getOwnPropertyDescriptor } = Object;

const CLONE_MARK = 0xff;
/** Larger ones cost more to look at than they save. */
const MAX_OBJECTS = 8;
const MAX_LIST_LENGTH = 64;

/**
 * @param carrier The context of the push; undefined when contexts do not flow.
 * @throws NotCloneableError for an item that holds what cannot be copied, or a getter that throws.
 */
export function encodeItem(item: unknown, carrier: string | null | undefined): Uint8Array {
  const content = carrier === undefined ? item : [item, carrier];
  try {
    if (isSimple(item, []) && !hasToJson(content)) return Buffer.from(stringify(content), "utf8");
    if (isThenableItem(item)) throw promiseInPlaceOfItem();
    return serialize(content);
  } catch (error) {
    throw notCloneable(item, error);
  }
}

/** The item, or `[item, carrier]` when contexts flow. It keeps nothing of `bytes`. */
export function decodeItem(bytes: Buffer): unknown {
  return bytes[0] === CLONE_MARK ? deserialize(bytes) : parse(bytes.toString("utf8"));
}

/**
 * Whether JSON gives the value back as structured clone does: text, finite numbers, booleans, null, and a few plain lists and
 * records of these. None of those twice, because a clone keeps that they are the same.
 */
function isSimple(value: unknown, seen: object[]): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      if (value === null) return true;
      if (seen.length === MAX_OBJECTS || seen.includes(value)) return false;
      seen.push(value);
      return isSimpleObject(value, seen);
    case "bigint":
    case "function":
    case "symbol":
    case "undefined":
    default:
      return false;
  }
}

function isSimpleObject(value: object, seen: object[]): boolean {
  if (hasToJson(value)) return false;
  if (Array.isArray(value)) {
    // Neither holes nor names beside the elements, as the result of a RegExp has.
    if (value.length > MAX_LIST_LENGTH || Object.keys(value).length !== value.length) return false;
    // By index: `every` leaves out holes, and as many names would make up for them.
    for (let i = 0; i < value.length; i++) if (!isSimple(value[i], seen)) return false;
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) {
    // Not read: a getter is called once, as structured clone does, by `v8.serialize`.
    const property = getOwnPropertyDescriptor(value, key);
    // Inherited: neither takes it along.
    if (property === undefined) continue;
    if (property.get !== undefined || !isSimple(property.value, seen)) return false;
  }
  return true;
}

/** Its own, or one that somebody has put on a prototype. */
function hasToJson(value: unknown): boolean {
  return typeof value === "object" && value !== null && "toJSON" in value;
}

/** A Task would be copied without what it is made of, and a promise says less about itself than we do. */
function isThenableItem(item: unknown): boolean {
  return typeof item === "object" && item !== null && "then" in item && typeof item.then === "function";
}
