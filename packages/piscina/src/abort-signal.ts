import type { EventEmitter } from "node:events";
import { abortOnce } from "@skein/scheduling/internal";

/** Whatever announces an abort: an AbortSignal, another EventTarget, or an EventEmitter. */
export interface AbortSignalEventTarget {
  addEventListener: (name: "abort", listener: () => void, options?: { once: boolean }) => void;
  removeEventListener: (name: "abort", listener: () => void) => void;
  readonly aborted?: boolean;
  readonly reason?: unknown;
}

export interface AbortSignalEventEmitter {
  off: (name: "abort", listener: () => void) => unknown;
  once: (name: "abort", listener: () => void) => unknown;
}

export type AbortSignalAny = AbortSignalEventTarget | AbortSignalEventEmitter;

/** What a task rejects with that was aborted; `cause` is the reason of its signal. */
export class AbortError extends Error {
  override readonly name = "AbortError";

  constructor(reason?: unknown) {
    super("The task has been aborted", { cause: reason });
  }
}

/** @returns takes the listener away. */
export function onAbort(signal: AbortSignalAny, listener: () => void): () => void {
  if ("addEventListener" in signal) {
    signal.addEventListener("abort", listener, abortOnce);
    return () => signal.removeEventListener("abort", listener);
  }
  signal.once("abort", listener);
  // Piscina's type has `off`, and Piscina calls this: older emitters have nothing else.
  const emitter = signal as AbortSignalEventEmitter & Partial<Pick<EventEmitter, "removeListener">>;
  return () => {
    if (emitter.removeListener === undefined) emitter.off("abort", listener);
    else emitter.removeListener("abort", listener);
  };
}

export function isAborted(signal: AbortSignalAny): boolean {
  return "aborted" in signal && (signal.aborted ?? false);
}

export function reasonOf(signal: AbortSignalAny): unknown {
  return "reason" in signal ? signal.reason : undefined;
}
