import { isDeepStrictEqual, types } from "node:util";
import { BufferStandIn } from "./arbitrary-value.ts";

/**
 * Says where two values differ, or undefined when they are the same graph: equal primitives, classes, keys in order,
 * holes, and the same objects met at the same places (aliases and cycles). A Buffer is the same as its stand-in.
 */
export function difference(actual: unknown, expected: unknown): string | undefined {
  return compare(actual, expected, "value", new Map(), new Map());
}

type Pairs = Map<object, object>;

function compare(a: unknown, b: unknown, path: string, forth: Pairs, back: Pairs): string | undefined {
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) {
    return Object.is(a, b) ? undefined : `${path}: ${String(a)} is not ${String(b)}`;
  }
  if (forth.has(a) || back.has(b)) {
    return forth.get(a) === b && back.get(b) === a ? undefined : `${path}: the aliases differ`;
  }
  forth.set(a, b);
  back.set(b, a);
  if (Buffer.isBuffer(a) && b instanceof BufferStandIn)
    return a.equals(Buffer.from(b)) ? undefined : `${path}: the bytes of the Buffer differ`;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: the prototypes differ`;
  const special = compareSpecial(a, b, path, forth, back);
  if (special !== undefined) return special;
  if (ArrayBuffer.isView(a) || types.isStringObject(a)) return undefined;
  const keys = Reflect.ownKeys(a);
  if (!isDeepStrictEqual(keys, Reflect.ownKeys(b))) {
    return `${path}: the keys ${keys.map(String).join()} are not ${Reflect.ownKeys(b).map(String).join()}`;
  }
  for (const key of keys) {
    const isHidden = (owner: object) => !Object.prototype.propertyIsEnumerable.call(owner, key);
    if (isHidden(a) !== isHidden(b)) return `${path}.${String(key)}: one is hidden`;
    const found = compare(Reflect.get(a, key), Reflect.get(b, key), `${path}.${String(key)}`, forth, back);
    if (found !== undefined) return found;
  }
  return undefined;
}

function compareSpecial(a: object, b: object, path: string, forth: Pairs, back: Pairs): string | undefined {
  if (a instanceof Date && b instanceof Date)
    return compare(a.getTime(), b.getTime(), `${path}(date)`, forth, back);
  if (a instanceof RegExp && b instanceof RegExp)
    return a.source === b.source && a.flags === b.flags ? undefined : path;
  if (types.isBoxedPrimitive(a)) return compare(a.valueOf(), b.valueOf(), `${path}(boxed)`, forth, back);
  if (a instanceof Map && b instanceof Map) {
    const entries = (map: Map<unknown, unknown>) => [...map].flat();
    return compareLists(entries(a), entries(b), `${path}(map)`, forth, back);
  }
  if (a instanceof Set && b instanceof Set) return compareLists([...a], [...b], `${path}(set)`, forth, back);
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    if (a.byteOffset !== b.byteOffset || a.byteLength !== b.byteLength) return `${path}: the views differ`;
    return compare(a.buffer, b.buffer, `${path}.buffer`, forth, back);
  }
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) {
    if (a.resizable !== b.resizable || a.maxByteLength !== b.maxByteLength)
      return `${path}: the sizes differ`;
    return Buffer.from(a).equals(Buffer.from(b)) ? undefined : `${path}: the bytes differ`;
  }
  return undefined;
}

function compareLists(
  a: unknown[],
  b: unknown[],
  path: string,
  forth: Pairs,
  back: Pairs,
): string | undefined {
  if (a.length !== b.length) return `${path}: ${a.length} members are not ${b.length}`;
  for (let i = 0; i < a.length; i++) {
    const found = compare(a[i], b[i], `${path}[${i}]`, forth, back);
    if (found !== undefined) return found;
  }
  return undefined;
}
