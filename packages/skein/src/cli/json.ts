/** Values on the command line and in pipes are JSON. */
import { UsageError } from "./command-line.ts";

/** @throws UsageError naming `what`, as in "argument 2". */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
    const hint = /^\s*[\p{L}_]/u.test(text)
      ? `write a text in double quotes, as in '${JSON.stringify(shown)}'`
      : `correct this: ${(error as Error).message.split("\n", 1)[0]!}`;
    throw new UsageError(`${what}, ${shown.trim()}, is not JSON; ${hint}`);
  }
}

/** The value as JSON on one line; null when JSON would lose something of it, other than an `undefined` property. */
export function toJson(value: unknown): string | null {
  try {
    return isJson(value) ? JSON.stringify(value) : null;
  } catch {
    return null; // A cycle.
  }
}

/** Values come from structured clone: there are no functions, and no classes but those of the language. */
function isJson(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object") return false;
  if (value instanceof Date) return !Number.isNaN(value.getTime());
  // Its holes, too.
  if (Array.isArray(value)) return [...value].every(isJson);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((entry) => entry === undefined || isJson(entry));
}
