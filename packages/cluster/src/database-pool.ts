/** What BullMQ takes for a `pg.Pool`, as far as it does not matter how the database is reached. */
import { AsyncScope } from "@skein/context";
import { clearTimeout, setTimeout } from "./timers.ts";
import { Promise } from "./native-promise.ts";

export abstract class DatabasePool {
  readonly options = { keepAlive: true };
  #isEnded = false;
  readonly #sleepers = new Set<() => void>();

  /** Whether the database has answered, and was not lost since. */
  abstract readonly isReady: boolean;

  /** As that of a `pg.Pool`. */
  abstract query(text: string, params?: readonly unknown[]): Promise<{ readonly rows: readonly unknown[] }>;

  protected get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Of `pg.Pool`: errors go to `onError`. */
  on(): this {
    return this;
  }

  removeAllListeners(): this {
    return this;
  }

  async end(): Promise<void> {
    this.disconnect();
  }

  disconnect(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const wake of this.#sleepers) wake();
    this.disconnected();
  }

  /** For good: whoever waits for an answer gets none. */
  protected abstract disconnected(): void;

  /** Or until `disconnect`; not at all after it. */
  protected async sleep(ms: number): Promise<void> {
    if (this.#isEnded) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = AsyncScope.root.run(() => setTimeout(resolve, ms));
    this.#sleepers.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#sleepers.delete(resolve);
  }
}

/** By its code BullMQ knows that it may try again. @param what As "The Postgres server". */
export function connectionError(what: string, reason: string, options?: ErrorOptions): Error {
  return Object.assign(new Error(`${what} cannot be reached: ${reason}`, options), { code: "ECONNREFUSED" });
}
