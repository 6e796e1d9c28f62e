/** Options of calls: see `withOptions`. */
import {
  argumentRangeError,
  argumentTypeError,
  isError,
  type OptionNames,
  ownOptions,
} from "@skein/context/errors";
import { type CancellationSignal, OperationCanceledError } from "@skein/scheduling";
import { abortOnce } from "@skein/scheduling/internal";

export interface CallOptions {
  /**
   * Rejects the call at once when it fires. A call that the other thread has not begun never runs there; one that runs is not stopped: a method
   * that can stop takes a signal as an argument. @default none
   */
  readonly signal?: CancellationSignal | undefined;
  /**
   * Rejects with TimeoutError when the call has not settled this many milliseconds after it was made; otherwise as `signal`. Positive, up
   * to 2^31 - 1, or Infinity. @default Infinity
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Of an object with replicas: calls with equal keys go to the same replica, as long as it lives. Elsewhere it has no effect.
   * @default the replica with the fewest calls under way
   */
  readonly affinity?: string | number | undefined;
}

const names: OptionNames<CallOptions> = { signal: true, timeoutMs: true, affinity: true };
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** What is undefined is as in `defaults`. @throws TypeError or RangeError naming the option. */
export function resolveCallOptions(options: CallOptions, defaults: CallOptions): CallOptions {
  const { signal, timeoutMs, affinity } = ownOptions(options, names);
  if (signal !== undefined && !isAbortSignal(signal) && !isToken(signal))
    throw argumentTypeError("signal", "an AbortSignal or a CancellationToken", signal);
  if (timeoutMs !== undefined) checkTimeout(timeoutMs);
  if (affinity !== undefined && typeof affinity !== "string" && typeof affinity !== "number")
    throw argumentTypeError("affinity", "a string or a number", affinity);
  return {
    signal: signal ?? defaults.signal,
    timeoutMs: timeoutMs ?? defaults.timeoutMs,
    affinity: affinity ?? defaults.affinity,
  };
}

function checkTimeout(value: number): void {
  const expected = `a positive number of milliseconds up to ${MAX_TIMEOUT_MS}, or Infinity`;
  if (typeof value !== "number") throw argumentTypeError("timeoutMs", expected, value);
  if (value !== Infinity && !(value > 0 && value <= MAX_TIMEOUT_MS))
    throw argumentRangeError("timeoutMs", expected, value);
}

/** By its members: a simulated browser has a class of its own, and both kinds reach us. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, addEventListener } = value as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function";
}

function isToken(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { canBeCanceled, unsafeRegister } = value as { canBeCanceled?: unknown; unsafeRegister?: unknown };
  return typeof canBeCanceled === "boolean" && typeof unsafeRegister === "function";
}

/** The error of a call whose signal has fired: its reason when that is an Error. Null: it has not. */
export function cancellationOf(signal: CancellationSignal): Error | null {
  const isOver = isAbortSignal(signal) ? signal.aborted : signal.isCancellationRequested;
  if (!isOver) return null;
  const reason: unknown = signal.reason;
  return isError(reason)
    ? reason
    : new OperationCanceledError("The call was canceled; its `reason` says why", { token: signal, reason });
}

/** Calls `fn` when the signal fires, at once if it has. @returns what ends it. */
export function onCancel(signal: CancellationSignal, fn: () => void): () => void {
  if (!isAbortSignal(signal)) {
    const registration = signal.unsafeRegister(fn);
    return () => void registration.unregister();
  }
  if (signal.aborted) fn();
  signal.addEventListener("abort", fn, abortOnce);
  return () => signal.removeEventListener("abort", fn);
}
