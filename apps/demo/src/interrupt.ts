import { setMaxListeners } from "node:events";

/**
 * Ctrl-C as an AbortSignal. The first one asks everything to stop, so that the partial result can be printed; the second one
 * ends the process at once, as the first would have done without this.
 */
export class Interrupt {
  readonly #controller = new AbortController();
  readonly #onSignal = (): void => {
    if (this.signal.aborted) process.exit(130);
    this.#controller.abort(new DOMException("cancelled with Ctrl-C", "AbortError"));
  };

  constructor() {
    // Every job under way listens.
    setMaxListeners(0, this.#controller.signal);
    process.on("SIGINT", this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stopListening(): void {
    process.off("SIGINT", this.#onSignal);
  }
}
