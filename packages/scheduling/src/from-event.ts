import type { EventEmitter } from "node:events";
import { argumentTypeError } from "@skein/context/errors";
import { hookCancellation, isCanceled } from "./cancellation/cancellation-hook.ts";
import type { CancellationHook, CancellationSignal } from "./cancellation/cancellation-hook.ts";
import { cancellationError } from "./errors.ts";
import type { CancellationCause } from "./errors.ts";
import { demandQueue, tryCancel, tryFault, trySucceed } from "./task-state.ts";
import type { TaskState } from "./task-state.ts";

/** What one can listen on: Node's emitters, or the web's targets. */
export type EventSource = EventEmitter | EventTarget;

type Listener = (value?: unknown) => void;

/** Completes `target` with the next event, faults it with the next error event; then every listener is gone. */
export function nextEvent(
  target: TaskState<unknown>,
  source: EventSource,
  name: string | symbol,
  errorEvent: string | symbol | undefined,
  signal: CancellationSignal | undefined,
): void {
  if (isCanceled(signal)) {
    tryCancel(target, cancellationError(signal));
    return;
  }
  // What comes first decides: listeners to `removeListener` may emit the next event, or throw.
  let isDecided = false;
  const end = (settle: () => void): void => {
    if (isDecided) return;
    isDecided = true;
    try {
      release();
    } finally {
      settle();
    }
  };
  const onEvent: Listener = (value) => end(() => trySucceed(target, value));
  const onError: Listener = (value) => end(() => tryFault(target, value));
  const onAbort = (aborted: CancellationCause): void => {
    demandQueue(target);
    end(() => tryCancel(target, cancellationError(aborted)));
  };
  let hook: CancellationHook | undefined;
  const release = (): void => {
    hook?.remove();
    try {
      unlisten(source, name, onEvent);
    } finally {
      if (errorEvent !== undefined) unlisten(source, errorEvent, onError);
    }
  };
  try {
    listen(source, name, onEvent);
    if (errorEvent !== undefined && !target.isCompleted) listen(source, errorEvent, onError);
    if (signal !== undefined && !target.isCompleted) hook = hookCancellation(signal, { onAbort });
  } catch (error) {
    // Some events cannot be listened to: nothing stays of those that could.
    release();
    throw error;
  }
  // Some call a listener back at once: before they keep it, or before the others are there.
  if (target.isCompleted) release();
}

/** @throws TypeError when `value` names no event: a symbol does for an EventEmitter alone. */
export function requireEventName(name: string, value: unknown, source: EventSource): string | symbol {
  if (typeof value === "string" || (typeof value === "symbol" && isEmitter(source))) return value;
  const wanted = isEmitter(source) ? "a string or a symbol" : "a string for an EventTarget";
  throw argumentTypeError(name, wanted, value);
}

/** @throws TypeError when `value` is neither an EventEmitter nor an EventTarget. */
export function requireEventSource(value: unknown): EventSource {
  if (isEmitter(value) || isTarget(value)) return value;
  throw argumentTypeError("target", "an EventEmitter or an EventTarget", value);
}

export function isEmitter(value: unknown): value is EventEmitter {
  if (typeof value !== "object" || value === null) return false;
  return "on" in value && typeof value.on === "function" && "off" in value && typeof value.off === "function";
}

function isTarget(value: unknown): value is EventTarget {
  if (typeof value !== "object" || value === null) return false;
  const { addEventListener, removeEventListener } = value as Partial<EventTarget>;
  return typeof addEventListener === "function" && typeof removeEventListener === "function";
}

function listen(source: EventSource, name: string | symbol, listener: Listener): void {
  if (isEmitter(source)) source.on(name, listener);
  else source.addEventListener(String(name), listener);
}

function unlisten(source: EventSource, name: string | symbol, listener: Listener): void {
  if (isEmitter(source)) source.off(name, listener);
  else source.removeEventListener(String(name), listener);
}
