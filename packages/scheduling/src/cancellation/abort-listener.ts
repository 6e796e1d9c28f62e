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
  /** Null once it was told. */
  #owner: Abortable | null;

  /** Begins to listen; tells `owner` at once where the signal has fired. */
  constructor(signal: AbortSignal, owner: Abortable) {
    this.#signal = signal;
    this.#owner = owner;
    signal.addEventListener("abort", this, abortOnce);
    if (signal.aborted) {
      this.remove();
      this.handleEvent();
    }
  }

  handleEvent(): void {
    const owner = this.#owner;
    this.#owner = null;
    owner?.onAbort(this.#signal);
  }

  remove(): void {
    this.#signal.removeEventListener("abort", this);
  }
}
