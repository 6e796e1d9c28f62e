/** Taking carried values away from their owner, at once, before a port is at hand; and giving up those that nobody will receive. */
import type { FileHandle } from "node:fs/promises";
import types from "node:util/types";
import { MessagePort, type Transferable } from "node:worker_threads";
import type { Carried } from "../codec/carried.ts";
import type { CloneRoot } from "../codec/not-cloneable.ts";
import { NotCloneableError } from "../errors.ts";
import { clone } from "./clone.ts";
import { process } from "../shared/intrinsics.ts";

const getBuiltinModule = process.getBuiltinModule.bind(process);

/**
 * The same values, moved and copied as postMessage would, now. A single ArrayBuffer costs a fraction of a microsecond, anything else
 * some microseconds.
 * @throws NotCloneableError when Node refuses one of them.
 */
export function detach(carried: Carried, root: CloneRoot): Carried {
  const { id, values, transfer } = carried;
  try {
    const [only] = transfer;
    if (transfer.length === 1 && types.isArrayBuffer(only) && values.every((value) => value === only)) {
      const buffer = only.transfer();
      return { id, values: values.length === 0 ? values : [buffer], transfer: [buffer] };
    }
    const copy = clone({ values, transfer }, transfer);
    return { id, values: copy.values, transfer: copy.transfer };
  } catch (cause) {
    throw refusal(cause, root);
  }
}

/**
 * Takes memory away whose bytes were copied already: all of it, or none.
 * @throws NotCloneableError when Node refuses one of them.
 */
export function detachCopied(buffers: readonly ArrayBuffer[], root: CloneRoot): void {
  try {
    if (buffers.length === 1) buffers[0]!.transfer(0);
    else clone(null, buffers);
  } catch (cause) {
    throw refusal(cause, root);
  }
}

/** What Node says to values that passed all our checks, as an error of ours. */
export function refusal(cause: unknown, root: CloneRoot | "message" | "reason"): NotCloneableError {
  const problem = `holds, or is to move, what Node refuses to send: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new NotCloneableError(root, problem, { cause });
}

/** Nobody will receive them: their other ends must not wait, and nothing must keep a process alive. */
export function giveUp({ transfer }: Carried): void {
  for (const object of transfer) giveUpOne(object);
}

function giveUpOne(object: Transferable): void {
  if (object instanceof MessagePort) return object.close();
  if (isFileHandle(object)) return void object.close().catch(ignore);
  // Not the globals, which a polyfill may have replaced.
  const { ReadableStream, TransformStream, WritableStream } = getBuiltinModule("node:stream/web");
  if (object instanceof ReadableStream) object.cancel().catch(ignore);
  else if (object instanceof WritableStream) object.abort().catch(ignore);
  else if (object instanceof TransformStream) {
    object.readable.cancel().catch(ignore);
    object.writable.abort().catch(ignore);
  }
}

function isFileHandle(object: object): object is FileHandle {
  return "fd" in object && "close" in object;
}

function ignore(): void {}
