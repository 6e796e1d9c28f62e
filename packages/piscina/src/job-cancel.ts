/** Cancels one job: as much of an AbortSignal as the pool looks at, and far cheaper to make. */
export class JobCancel {
  aborted = false;
  readonly reason: undefined;
  #listener: (() => void) | null = null;

  addEventListener(_type: "abort", listener: () => void): void {
    this.#listener = listener;
  }

  removeEventListener(): void {
    this.#listener = null;
  }

  cancel(): void {
    this.aborted = true;
    this.#listener?.();
  }
}
