import { argumentTypeError } from "@skein/context/errors";

/** What waits with a `signal`. */
export interface Abortable {
  onAbort(signal: AbortSignal): void;
}

/**
 * One hook on an AbortSignal. The object is its own listener: no closure, and nothing to keep for removing it again.
 */
export class AbortListener {
  readonly #signal: AbortSignal;
  readonly #owner: Abortable;

  /** Begins to listen; the signal has not fired yet. */
  constructor(signal: AbortSignal, owner: Abortable) {
    this.#signal = signal;
    this.#owner = owner;
    signal.addEventListener("abort", this, { once: true });
  }

  handleEvent(): void {
    this.#owner.onAbort(this.#signal);
  }

  remove(): void {
    this.#signal.removeEventListener("abort", this);
  }
}

/** @throws TypeError when `value` is neither undefined nor an AbortSignal. */
export function requireSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw argumentTypeError("options.signal", "an AbortSignal", value);
}
