/** Takes the uncaught errors of this process until it is disposed of: the test runner's listener is put back then. */
export class UncaughtErrors implements Disposable {
  readonly seen: unknown[] = [];
  readonly #others = process.listeners("uncaughtException");

  constructor() {
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", this.#take);
  }

  readonly #take = (error: unknown): void => void this.seen.push(error);

  [Symbol.dispose](): void {
    process.off("uncaughtException", this.#take);
    for (const other of this.#others) process.on("uncaughtException", other);
  }
}
