/** Why an item cannot be copied to another thread, and where in it the reason is. Only looked for when copying has failed. */
import { serialize } from "node:v8";
import { NotCloneableError } from "./errors.ts";

const ITEM = "item";
/** Beyond this the item as a whole is named. */
const MAX_OBJECTS = 10_000;
const MAX_DEPTH = 200;

export function promiseInPlaceOfItem(): NotCloneableError {
  return new NotCloneableError(ITEM, "is a promise or another thenable. Await it, and push what it gives");
}

/** @param reason What `v8.serialize`, a getter or a proxy has thrown. */
export function notCloneable(item: unknown, reason: unknown): NotCloneableError {
  if (reason instanceof NotCloneableError) return reason;
  const search = new Search();
  const path = search.leaf(item, ITEM, 0) ?? search.object(item) ?? ITEM;
  const advice = "cannot be copied to the consumer's thread. Push plain data; `cause` has the reason";
  return new NotCloneableError(path, advice, { cause: reason });
}

class Search {
  readonly #objects = new Map<object, string>();

  /** The path of the first function or symbol, or of a getter that throws. */
  leaf(value: unknown, path: string, depth: number): string | undefined {
    if (typeof value === "function" || typeof value === "symbol") return path;
    if (typeof value !== "object" || value === null || this.#objects.has(value)) return undefined;
    if (this.#objects.size === MAX_OBJECTS || depth === MAX_DEPTH) return undefined;
    this.#objects.set(value, path);
    let at = path;
    try {
      for (const [step, child] of childrenOf(value)) {
        at = path + step;
        const found = this.leaf(child(), at, depth + 1);
        if (found !== undefined) return found;
      }
    } catch {
      return at;
    }
    return undefined;
  }

  /** The path of the innermost object that cannot be copied, of those that `leaf` has come by; itself when it is the item. */
  object(item: unknown): string | undefined {
    if (this.#objects.size === MAX_OBJECTS) return undefined;
    for (const [object, path] of [...this.#objects].toReversed()) {
      if (object === item || Object.keys(object).length > 0) continue;
      try {
        serialize(object);
      } catch {
        return path;
      }
    }
    return undefined;
  }
}

/** What structured clone would copy as well, with how to get there. */
function* childrenOf(value: object): Generator<[step: string, child: () => unknown]> {
  if (value instanceof Map) {
    for (const [key, child] of value as Map<unknown, unknown>) {
      yield [".keys()", () => key];
      yield [typeof key === "string" ? `.get(${JSON.stringify(key)})` : ".values()", () => child];
    }
  } else if (value instanceof Set) {
    for (const child of value as Set<unknown>) yield [".values()", () => child];
  }
  if (ArrayBuffer.isView(value)) return;
  for (const key of Object.keys(value)) {
    yield [stepTo(value, key), () => (value as Record<string, unknown>)[key]];
  }
}

function stepTo(value: object, key: string): string {
  if (Array.isArray(value)) return `[${key}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
