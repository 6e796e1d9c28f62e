/**
 * Finds the value that cannot be cloned and says where it is. Runs only after an encoding failed, so it may be slow;
 * it throws nothing of its own.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- any object may come; kinds are proven at run time
import { NotCloneableError } from "../errors.ts";
import {
  bufferOf,
  execRegExp,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hasOwnProperty,
  indexOfText,
  isArray,
  keysOf,
  mapForEach,
  objectPrototype,
  RangeError,
  Set,
  setAdd,
  setForEach,
  setHas,
  sliceText,
  stringify,
} from "../shared/intrinsics.ts";
import { isMap, isNativeError, isProxy, isSet } from "./brand-checks.ts";
import { cloneableKindOf, memoryProblem } from "./cloneable-kind.ts";
import { aRevokedProxy, aThenable, Refusal } from "./refusal.ts";

/** What is being sent; the first word of every path. */
export type CloneRoot =
  | "args"
  | "result"
  | "item"
  | "error"
  | "progress"
  | "workerData"
  | ChildRoot
  | ItemRoot;
/** Those of a job that is sent along with another one. */
type ChildRoot = `${string}.args`;
/** One item of an argument that comes piece by piece, from 0. */
type ItemRoot = `${string} → item ${number}`;

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
    const found = findNotCloneable(root === "error" ? thrownIn(value) : value, root, transfer, error);
    return found === undefined
      ? new NotCloneableError(root, `holds a value that ${error.problem}`)
      : new NotCloneableError(found.path, found.problem);
  }
  if (error instanceof RangeError && error.message === "Maximum call stack size exceeded") {
    const problem =
      "is nested too deeply to be copied; flatten it, for example into an array with indices for links";
    return new NotCloneableError(root, problem, { cause: error });
  }
  return isNativeError(error) && hasWords(error, "a proxy that has been revoked")
    ? explainRevoked(error, value, root, transfer)
    : error;
}

/** What was thrown travels inside an envelope (error-wire.ts), of which a path says nothing. */
function thrownIn(wire: unknown): unknown {
  const isEnvelope = typeof wire === "object" && wire !== null && hasOwnProperty(wire, "thrown");
  return isEnvelope ? (wire as { readonly thrown: unknown }).thrown : wire;
}

/** A getter may have met it elsewhere: then it is the program's error. */
function explainRevoked(
  error: Error,
  value: unknown,
  root: CloneRoot,
  transfer: ReadonlySet<object> | null,
): unknown {
  const found = findNotCloneable(value, root, transfer, new Refusal(aRevokedProxy));
  return found?.problem === aRevokedProxy
    ? new NotCloneableError(found.path, aRevokedProxy, { cause: error })
    : error;
}

/** Whether its message, which is no accessor, has them. */
function hasWords(error: object, words: string): boolean {
  const descriptor = getOwnPropertyDescriptor(error, "message");
  const message: unknown = descriptor?.value;
  return typeof message === "string" && indexOfText(message, words) >= 0;
}

interface NotCloneable {
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
 * @param refusal What the encoder threw.
 */
function findNotCloneable(
  root: unknown,
  name: string,
  transfer: ReadonlySet<object> | null,
  refusal: Refusal,
): NotCloneable | undefined {
  const stack: Visit[] = [{ value: root, path: name }];
  const seen = new Set<object>();
  for (let steps = 0; stack.length > 0 && steps < searchLimit; steps++) {
    const { value, path } = stack[stack.length - 1]!;
    stack.length--;
    if (typeof value === "function" || typeof value === "symbol")
      return { path, problem: `is a ${typeof value}` };
    if (typeof value !== "object" || value === null || setHas(seen, value)) continue;
    setAdd(seen, value);
    if (transfer !== null && setHas(transfer, value)) continue;
    if (value === refusal.object) return { path, problem: refusal.problem };
    const members: Visit[] = [];
    let problem: string | undefined;
    try {
      problem = collectMembers(value, path, members);
    } catch {
      problem = isRevoked(value) ? aRevokedProxy : "has a getter that throws";
    }
    if (problem !== undefined) return { path, problem };
    for (let i = members.length - 1; i >= 0; i--) stack[stack.length] = members[i]!;
  }
  return undefined;
}

function collectMembers(value: object, path: string, members: Visit[]): string | undefined {
  const add = (member: unknown, at: string): void => {
    members[members.length] = { value: member, path: at };
  };
  if (!isArray(value) && getPrototypeOf(value) !== objectPrototype) {
    const kind = cloneableKindOf(value);
    if (kind instanceof Refusal) return kind.problem;
    if (isMap(value)) {
      let index = 0;
      mapForEach(value, (member, key) => {
        add(key, `${path} → Map key ${index}`);
        add(member, `${path} → Map value ${mapKeyText(key, index)}`);
        index++;
      });
      return undefined;
    }
    if (isSet(value)) {
      let index = 0;
      setForEach(value, (member) => add(member, `${path} → Set member ${index++}`));
      return undefined;
    }
    if (kind === "error") {
      if (hasOwnProperty(value, "cause")) add((value as Error).cause, `${path}.cause`);
      return undefined;
    }
    const lost = memoryProblem(value, kind);
    if (lost !== null) return lost;
    if (kind === "view") add(bufferOf(value as ArrayBufferView), `${path}.buffer`);
    if (kind !== "instance") return undefined;
  }
  const record = value as Record<string, unknown>;
  const keys = keysOf(record);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key === "then" && isCallableThen(value)) return aThenable;
    add(record[key], memberPath(path, key, value));
  }
  return undefined;
}

/** A getter was read when the value was encoded, and is not asked again: hardly any gives anything else. */
function isCallableThen(value: object): boolean {
  const descriptor = getOwnPropertyDescriptor(value, "then");
  return (
    descriptor === undefined || !hasOwnProperty(descriptor, "value") || typeof descriptor.value === "function"
  );
}

function isRevoked(value: object): boolean {
  if (!isProxy(value)) return false;
  try {
    isArray(value);
    return false;
  } catch {
    return true;
  }
}

const index = /^\d+$/;
const identifier = /^[\p{L}_$][\p{L}\p{N}_$]*$/u;

/** The path of a property of `owner`, which is at `path`. */
export function memberPath(path: string, key: string, owner: object): string {
  if (path.length > pathWords) return path[path.length - 1] === "…" ? path : `${path}…`;
  if (isArray(owner) && execRegExp(index, key) !== null) return `${path}[${key}]`;
  return execRegExp(identifier, key) !== null ? `${path}.${key}` : `${path}[${stringify(key)}]`;
}

function mapKeyText(key: unknown, index: number): string {
  return typeof key === "string"
    ? `${stringify(sliceText(key, 0, 80))}`
    : typeof key === "number"
      ? `${key}`
      : `${index}`;
}
