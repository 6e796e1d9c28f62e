/**
 * Iterables that `stream()` has marked, until a job has them; and, so that nobody sends them on, what such an argument is inside a job. Under a
 * registered symbol on `globalThis`, as in transfer/move.ts: a job module may resolve another copy of this package.
 */
import type { Transferable } from "node:worker_threads";
import {
  isView,
  keysOf,
  mapForEach,
  ownData,
  Set,
  setAdd,
  setForEach,
  setHas,
  WeakMap,
  weakMapGet,
  weakMapSet,
} from "../shared/intrinsics.ts";
import { OnGlobal } from "../shared/on-global.ts";
import { isMap, isProxy, isSet } from "./brand-checks.ts";
import { Chunk } from "./chunk.ts";
import { memberPath } from "./not-cloneable.ts";

export interface MarkedStream {
  /** No other of this thread has it. */
  readonly number: number;
  /** What was marked. */
  readonly source: object;
  readonly highWaterMark: number;
  /** What of an item is moved; null: nothing. */
  readonly move: ((item: unknown) => readonly Transferable[]) | null;
  /** A job has it, or somebody iterates it here, or it was let go: nobody else gets it. */
  isTaken: boolean;
}

/** One of the streams among the arguments of a call. */
export interface FoundStream {
  readonly marked: MarkedStream;
  /** As in errors: `args[0].rows`. */
  readonly path: string;
}

interface Marks {
  /** By what `stream` has returned; null: a stream that a job reads. */
  readonly streams: WeakMap<object, MarkedStream | null>;
  /** How many were marked on this thread. */
  count: number;
  /** Whether any is there: otherwise nobody has to look. */
  used: boolean;
}

const marks: Marks = new OnGlobal<Marks>("skein.pool.streams").put({
  streams: new WeakMap(),
  count: 0,
  used: false,
});
const searchLimit = 100_000;

/** From now on `argument` stands for what the mark says. @returns the mark. */
export function markStream(
  argument: object,
  parts: Pick<MarkedStream, "source" | "highWaterMark" | "move">,
): MarkedStream {
  const marked: MarkedStream = { ...parts, number: ++marks.count, isTaken: false };
  weakMapSet(marks.streams, argument, marked);
  marks.used = true;
  return marked;
}

/** `stream` is what a job reads. */
export function markReceived(stream: object): void {
  weakMapSet(marks.streams, stream, null);
  marks.used = true;
}

/** The mark of `value`; null: a job reads it; undefined: it is no stream of ours. */
export function markOf(value: object): MarkedStream | null | undefined {
  return marks.used ? weakMapGet(marks.streams, value) : undefined;
}

/**
 * The streams among these arguments, at any depth, in the order of encoding. Calls no code of the user's: what a getter or a Proxy would give is
 * not found.
 */
export function streamsIn(args: readonly unknown[]): FoundStream[] {
  const found: FoundStream[] = [];
  if (!marks.used || isProxy(args)) return found;
  const seen = new Set<object>();
  const stack: Visit[] = [];
  for (let i = args.length - 1; i >= 0; i--)
    stack[stack.length] = { value: ownData(args, i), path: `args[${i}]` };
  for (let steps = 0; stack.length > 0 && steps < searchLimit; steps++) {
    const { value, path } = stack[stack.length - 1]!;
    stack.length--;
    if (typeof value !== "object" || value === null || setHas(seen, value) || isProxy(value)) continue;
    setAdd(seen, value);
    const marked = markOf(value);
    if (marked === undefined) {
      const members = membersOf(value, path);
      for (let i = members.length - 1; i >= 0; i--) stack[stack.length] = members[i]!;
    } else if (marked !== null) {
      found[found.length] = { marked, path };
    }
  }
  return found;
}

interface Visit {
  readonly value: unknown;
  readonly path: string;
}

function membersOf(value: object, path: string): Visit[] {
  const members: Visit[] = [];
  const add = (member: unknown, at: string): void => {
    members[members.length] = { value: member, path: at };
  };
  if (value instanceof Chunk) {
    // Each is the only argument of a call.
    for (let i = 0; i < value.items.length; i++) add(value.items[i], path);
  } else if (isMap(value)) {
    mapForEach(value, (member, at) => {
      add(at, `${path} → Map key`);
      add(member, `${path} → Map value`);
    });
  } else if (isSet(value)) {
    setForEach(value, (member) => add(member, `${path} → Set member`));
  } else if (!isView(value)) {
    const names = keysOf(value);
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      add(ownData(value, name), memberPath(path, name, value));
    }
  }
  return members;
}
