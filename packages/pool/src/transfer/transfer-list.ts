/**
 * The check of a transfer list, before anything is detached: Node finds some mistakes only after it has detached the entries
 * before them.
 */
import { MessagePort, type Transferable } from "node:worker_threads";
import { argumentTypeError } from "@skein/context/errors";
import { isArrayBuffer, isSharedArrayBuffer } from "../codec/brand-checks.ts";
import { process } from "../shared/intrinsics.ts";

const getBuiltinModule = process.getBuiltinModule.bind(process);
/** Not an import: on an older Node.js, which has no such export, nothing could say that it is too old. */
const { isMarkedAsUntransferable } = getBuiltinModule("node:worker_threads");

/** Node's own mark of classes that can be moved; looked for at first use, because loading Node's streams takes a millisecond. */
let transferSymbol: symbol | null | undefined;

/**
 * A copy of the list; null when it is empty.
 * @throws TypeError that names the entry which cannot be moved, or is there twice.
 */
export function checkedTransferList(name: string, list: unknown): readonly Transferable[] | null {
  if (!Array.isArray(list)) throw argumentTypeError(name, "an array of transferable objects", list);
  if (list.length === 0) return null;
  const copy = [...(list as unknown[])];
  const seen = new Set<unknown>();
  for (const [index, entry] of copy.entries()) {
    const problem = seen.has(entry) ? "an object that is listed once" : problemOf(entry);
    if (problem !== null) throw argumentTypeError(`${name}[${index}]`, problem, entry);
    seen.add(entry);
  }
  return copy as Transferable[];
}

/** What the entry should have been; null: it can be moved. */
function problemOf(entry: unknown): string | null {
  if (typeof entry !== "object" || entry === null) return "a transferable object";
  if (isArrayBuffer(entry)) {
    if (entry.detached) return "an ArrayBuffer that was not transferred before";
    if (isMarkedAsUntransferable(entry)) return "an ArrayBuffer of your own, not one that Buffers share";
    return null;
  }
  if (isSharedArrayBuffer(entry)) return "a transferable object (shared memory need not be listed)";
  if (ArrayBuffer.isView(entry)) return "a transferable object (list the `buffer` of a view)";
  if (entry instanceof MessagePort) return null;
  transferSymbol ??= findTransferSymbol();
  // Without the mark, in a Node of the future, Node decides.
  if (transferSymbol !== null && !(transferSymbol in entry)) return "a transferable object";
  return isLocked(entry) ? "a stream that is not locked" : null;
}

function findTransferSymbol(): symbol | null {
  const symbols = Object.getOwnPropertySymbols(getBuiltinModule("node:stream/web").ReadableStream.prototype);
  return symbols.find(({ description }) => description === "messaging_transfer_symbol") ?? null;
}

function isLocked(entry: object): boolean {
  const { ReadableStream, TransformStream, WritableStream } = getBuiltinModule("node:stream/web");
  if (entry instanceof ReadableStream || entry instanceof WritableStream) return entry.locked;
  return entry instanceof TransformStream && (entry.readable.locked || entry.writable.locked);
}
