/**
 * What travels: the messages of Comlink 4, and what this package adds to them. Plain Comlink on the other side ignores the additions.
 */
import type { EncodedValue } from "@skein/pool/engine";
import type { MessagePort, Transferable } from "node:worker_threads";

/** A value in a message of Comlink. `name` is that of a transfer handler: Comlink's own, the user's, or one of ours. */
export type WireValue =
  | { readonly type: "RAW"; readonly value: unknown }
  | { readonly type: "HANDLER"; readonly name: string; readonly value: unknown };

export interface CallMessage {
  readonly id: string;
  readonly type: "GET" | "SET" | "APPLY" | "CONSTRUCT" | "ENDPOINT" | "RELEASE";
  readonly path?: readonly string[];
  readonly argumentList?: readonly WireValue[];
  /** Of SET. */
  readonly value?: WireValue;
  /** Undefined: plain Comlink has made the call. */
  readonly skein?: CallExtras;
}

export interface CallExtras {
  /** The text form of the caller's context; null: nothing of it flows. */
  readonly context: string | null;
  /** Of a CallState; null: nobody can give the call up before it begins. */
  readonly state: Int32Array | null;
}

export type ReplyMessage = WireValue & {
  readonly id: string;
  /** What was thrown, in our form; Comlink's is empty then. */
  readonly skein?: EncodedValue;
};

/** Of an AbortSignal that an earlier call has brought: it has fired, or was collected and never will. */
export interface SignalMessage {
  readonly skein: "abort" | "forget";
  readonly signal: string;
  /** Of "abort". */
  readonly reason?: EncodedValue;
}

/**
 * What is said when a message could not be read where it arrived: it may be nested too deeply for the stack there. Node does not say which it was.
 *
 *   unread   from where calls arrive: the message may have been one
 *   missing  from the caller, then, or when it was one that the caller could not read: which calls it has no reply of
 *   lost     the answer: which of these have none under way. It comes behind all replies that were posted before
 */
export type UnreadMessage =
  | { readonly skein: "unread" }
  | { readonly skein: "missing" | "lost"; readonly calls: readonly string[] };

/** Comlink's handler for what is not copied: its value is a MessagePort at whose other end the object is exposed. */
export const PROXY = "proxy";
/** Comlink's handler for what was thrown. */
export const THROW = "throw";
/** The value is a SentSignal. */
export const SIGNAL = "skein:signal";
/** The value is a SentTree. */
export const TREE = "skein:tree";

export interface SentSignal {
  /** The same for a signal that the same proxy sends again. */
  readonly id: string;
  /** Undefined: it has not fired yet. */
  readonly reason?: EncodedValue;
}

/** Plain objects and arrays that hold, somewhere, what is not copied. */
export interface SentTree {
  /** With undefined in the places. */
  readonly value: unknown;
  readonly places: readonly (readonly [path: readonly string[], value: WireValue])[];
}

/** A value and what has to be listed when it is posted. */
export interface Sent<T> {
  readonly value: T;
  readonly transfer: readonly Transferable[];
}

/** How values that are not copied come to their other end. */
export interface Doors {
  /** Exposes an object on a port of ours. @param isCallback calls of it belong to whoever sends it now */
  expose(object: object, port: MessagePort, isCallback: boolean): void;
  /** The proxy for what is exposed at the other end. */
  wrap(port: MessagePort): unknown;
}

export function isCall(data: unknown): data is CallMessage {
  if (!isRecord(data)) return false;
  const { id, type } = data;
  return typeof id === "string" && typeof type === "string" && calls.has(type);
}

const calls: ReadonlySet<string> = new Set(["GET", "SET", "APPLY", "CONSTRUCT", "ENDPOINT", "RELEASE"]);

export function isReply(data: unknown): data is ReplyMessage {
  return (
    isRecord(data) && typeof data["id"] === "string" && (data["type"] === "RAW" || data["type"] === "HANDLER")
  );
}

export function isSignalMessage(data: unknown): data is SignalMessage {
  return isRecord(data) && (data["skein"] === "abort" || data["skein"] === "forget");
}

export function isUnreadMessage(data: unknown): data is UnreadMessage {
  return isRecord(data) && typeof data["skein"] === "string" && unreadMessages.has(data["skein"]);
}

const unreadMessages: ReadonlySet<string> = new Set<UnreadMessage["skein"]>(["unread", "missing", "lost"]);

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
