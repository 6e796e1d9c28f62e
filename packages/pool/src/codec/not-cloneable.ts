/**
 * Finds the value that cannot be cloned and says where it is. Runs only after an encoding failed, so it may be slow;
 * it throws nothing of its own.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- any object may come; kinds are proven at run time
import { NotCloneableError } from "../errors.ts";
import { cloneableKindOf, Refusal } from "./cloneable-kind.ts";

/** What is being sent; the first word of every path. */
export type CloneRoot = "args" | "result" | "error" | "progress";

const pathWords = 2_000;
/** A search that has looked at so many values gives up and names the root. */
const searchLimit = 1_000_000;

/** The error to throw instead of `error`, which stopped the encoding of `value`. */
export function explainNotCloneable(
  error: unknown,
  value: unknown,
  root: CloneRoot,
  transfer: ReadonlySet<object> | null,
): unknown {
  if (error instanceof Refusal) {
    // What was thrown travels inside an envelope, of which a path says nothing.
    const isEnvelope = root === "error" && typeof value === "object" && value !== null && "thrown" in value;
    const found = findNotCloneable(isEnvelope ? value.thrown : value, root, transfer);
    return found === undefined
      ? new NotCloneableError(root, `holds a value that ${error.problem}`)
      : new NotCloneableError(found.path, found.problem);
  }
  if (error instanceof RangeError && error.message === "Maximum call stack size exceeded") {
    const problem =
      "is nested too deeply to be copied; flatten it, for example into an array with indices for links";
    return new NotCloneableError(root, problem, { cause: error });
  }
  return error;
}

export interface NotCloneable {
  readonly path: string;
  readonly problem: string;
}

interface Visit {
  readonly value: unknown;
  readonly path: string;
}

/**
 * The first value below `root` that cannot be cloned, or undefined. Depth first in the order of encoding, with a stack
 * of its own: the value may be nested deeply.
 *
 * @param transfer What is moved, and need not be cloneable.
 */
export function findNotCloneable(
  root: unknown,
  name: string,
  transfer: ReadonlySet<object> | null = null,
): NotCloneable | undefined {
  const stack: Visit[] = [{ value: root, path: name }];
  const seen = new Set<object>();
  for (let steps = 0; stack.length > 0 && steps < searchLimit; steps++) {
    const { value, path } = stack.pop()!;
    if (typeof value === "function" || typeof value === "symbol")
      return { path, problem: `is a ${typeof value}` };
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (transfer?.has(value) === true) continue;
    const members: Visit[] = [];
    let problem: string | undefined;
    try {
      problem = collectMembers(value, path, members);
    } catch {
      problem = "has a getter that throws";
    }
    if (problem !== undefined) return { path, problem };
    for (let i = members.length - 1; i >= 0; i--) stack.push(members[i]!);
  }
  return undefined;
}

function collectMembers(value: object, path: string, members: Visit[]): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype) {
    const kind = cloneableKindOf(value);
    if (kind instanceof Refusal) return kind.problem;
    if (kind === "map") {
      let index = 0;
      for (const [key, member] of Map.prototype.entries.call(value)) {
        members.push({ value: key, path: `${path} → Map key ${index}` });
        members.push({ value: member, path: `${path} → Map value ${mapKeyText(key, index)}` });
        index++;
      }
      return undefined;
    }
    if (kind === "set") {
      let index = 0;
      for (const member of Set.prototype.values.call(value)) {
        members.push({ value: member, path: `${path} → Set member ${index++}` });
      }
      return undefined;
    }
    if (kind === "error") {
      if (Object.hasOwn(value, "cause"))
        members.push({ value: (value as Error).cause, path: `${path}.cause` });
      return undefined;
    }
    if (kind === "buffer" && (value as ArrayBuffer).detached) return detached;
    if (kind === "view" && (value as ArrayBufferView<ArrayBuffer>).buffer.detached) return detached;
    if (kind !== "instance") return undefined;
  }
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record))
    members.push({ value: record[key], path: memberPath(path, key, value) });
  return undefined;
}

const detached = "is a detached ArrayBuffer: it was transferred before";

function memberPath(path: string, key: string, owner: object): string {
  if (path.length > pathWords) return path.endsWith("…") ? path : `${path}…`;
  if (Array.isArray(owner) && /^\d+$/.test(key)) return `${path}[${key}]`;
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function mapKeyText(key: unknown, index: number): string {
  return typeof key === "string"
    ? JSON.stringify(key.slice(0, 80))
    : typeof key === "number"
      ? `${key}`
      : `${index}`;
}
