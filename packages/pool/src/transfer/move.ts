/**
 * Values that are to be moved instead of copied, marked by `move()` until they are sent. Under a registered symbol on `globalThis`, as
 * in worker/current-job.ts: a job module may resolve another copy of this package.
 */
import type { Transferable } from "node:worker_threads";
import { argumentTypeError } from "@skein/context/errors";
import { isProxy } from "../codec/brand-checks.ts";
import { ownData } from "../shared/intrinsics.ts";
import { OnGlobal } from "../shared/on-global.ts";
import { checkedTransferList } from "./transfer-list.ts";

interface Moves {
  readonly lists: WeakMap<object, readonly Transferable[]>;
  /** Whether `move` was ever called on this thread: otherwise nobody has to look. */
  used: boolean;
}

const moves: Moves = new OnGlobal<Moves>("skein.pool.moves").put({ lists: new WeakMap(), used: false });

/**
 * Marks a value to be moved to the other thread instead of copied, and gives the same value back: for what a job returns, and for an
 * argument of a job (the argument itself, not a part of it). The value may hold the objects of `transferList` anywhere. They are
 * detached from this thread when the value is sent. Costs a message, whatever their size,
 * or a copy up to 16 KB. Nothing happens to a value that is not sent.
 *
 * @param transferList ArrayBuffers, MessagePorts, streams, FileHandles: what `postMessage` takes.
 * @throws TypeError for a value that is no object, and for an entry that cannot be moved or is there twice.
 * @example
 * export function decode(file: string): ImageData {
 *   const pixels = decodePixels(file);
 *   return move({ width, height, pixels }, [pixels.buffer]);
 * }
 * @see https://nodejs.org/api/worker_threads.html#portpostmessagevalue-transferlist
 */
export function move<T extends object>(value: T, transferList: readonly Transferable[]): T {
  if (typeof value !== "object" || value === null) throw argumentTypeError("value", "an object", value);
  const list = checkedTransferList("transferList", transferList);
  if (list === null) {
    moves.lists.delete(value);
  } else {
    moves.lists.set(value, list);
    moves.used = true;
  }
  return value;
}

/** What moves along with a result, or null. */
export function moveListOf(value: unknown): readonly Transferable[] | null {
  if (!moves.used || typeof value !== "object" || value === null) return null;
  return moves.lists.get(value) ?? null;
}

/** What moves along with these arguments: `transfer`, and what their own marks say; or null. */
export function moveListOfArguments(
  args: readonly unknown[],
  transfer: readonly Transferable[] | null,
): readonly Transferable[] | null {
  if (!moves.used) return transfer;
  let list = transfer;
  for (const arg of args) {
    const own = moveListOf(arg);
    if (own !== null) list = list === null ? own : [...new Set([...list, ...own])];
  }
  return list;
}

/**
 * The values were sent: what they hold next is copied, unless they are marked again. Calls no code of the user's: those that an accessor or a Proxy
 * gives stay marked.
 */
export function forgetMoves(values: readonly unknown[]): void {
  if (!moves.used || isProxy(values)) return;
  for (let i = 0; i < values.length; i++) {
    const value = ownData(values, i);
    if (typeof value === "object" && value !== null) moves.lists.delete(value);
  }
}
