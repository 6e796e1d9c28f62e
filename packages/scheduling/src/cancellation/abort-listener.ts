import { abortOnce } from "./abort-signal.ts";
import type { CancellationCause } from "../errors.ts";

/** What waits with a token or a signal. */
export interface Abortable {
  onAbort(by: CancellationCause): void;
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
    signal.addEventListener("abort", this, abortOnce);
  }

  handleEvent(): void {
    this.#owner.onAbort(this.#signal);
  }

  remove(): void {
    this.#signal.removeEventListener("abort", this);
  }
}
