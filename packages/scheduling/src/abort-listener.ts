import { argumentTypeError } from "@skein/context/errors";

/**
 * One hook on an AbortSignal: the base of what waits with a `signal`.
 *
 * The object is its own listener: no closure, and nothing to keep for removing it again.
 */
export abstract class AbortListener {
  #signal: AbortSignal | undefined;

  /** Begins to listen; the signal has not fired yet. */
  protected listen(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    this.#signal = signal;
    signal.addEventListener("abort", this, { once: true });
  }

  /** Ends listening; harmless when it never began. */
  protected unlisten(): void {
    this.#signal?.removeEventListener("abort", this);
    this.#signal = undefined;
  }

  handleEvent(): void {
    const signal = this.#signal;
    this.#signal = undefined;
    if (signal !== undefined) this.onAbort(signal);
  }

  protected abstract onAbort(signal: AbortSignal): void;
}

/** @throws TypeError when `value` is neither undefined nor an AbortSignal. */
export function requireSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw argumentTypeError("signal", "an AbortSignal", value);
}
