/** Which values JSON carries exactly, as structured clone would. */

/** Deeper values take the other form, which needs no stack. */
const DEPTH = 100;

/** Whether `JSON.parse(JSON.stringify(value))` is what structured clone gives: no aliases, no holes, no -0, only plain objects. */
export function isExactJson(value: unknown): boolean {
  return isExact(value, new Set(), 0);
}

function isExact(value: unknown, seen: Set<object>, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      break;
    case "undefined":
    case "bigint":
    case "symbol":
    case "function":
      return false;
  }
  if (value === null) return true;
  if (depth > DEPTH || seen.has(value)) return false;
  seen.add(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isArray = Array.isArray(value);
  if (prototype !== (isArray ? Array.prototype : Object.prototype) || "toJSON" in value) return false;
  const keys = Object.keys(value);
  if (isArray && keys.length !== value.length) return false;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (isArray ? key !== String(i) : key === "__proto__") return false;
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    // A getter could give another value to each reader.
    if (descriptor === undefined || !("value" in descriptor)) return false;
    if (!isExact(descriptor.value, seen, depth + 1)) return false;
  }
  return true;
}
