/**
 * By what jobs of this thread submit jobs: made when the first of them asks for it (current-pool.ts). Closed for good, made or not, when the pool
 * drops its jobs or this thread is about to end.
 */
import type { Ledger } from "../submit/ledger.ts";
import type { ModuleTable } from "./module-table.ts";
import type { CurrentPool, CurrentPoolParts, ThreadOfPool } from "./thread-of-pool.ts";

export class OwnPool implements ThreadOfPool {
  readonly #parts: CurrentPoolParts;
  readonly #modules: ModuleTable;
  readonly #made: (ledger: Ledger) => void;
  #pool: CurrentPool | null = null;
  #isClosed = false;

  /** @param made Jobs of this thread may submit from here on. */
  constructor(parts: CurrentPoolParts, modules: ModuleTable, made: (ledger: Ledger) => void) {
    this.#parts = parts;
    this.#modules = modules;
    this.#made = made;
  }

  /** Null: no job has asked for it. */
  get pool(): CurrentPool | null {
    return this.#pool;
  }

  get ledger(): Ledger | undefined {
    return this.#pool?.submitter.ledger;
  }

  submitBy(create: (parts: CurrentPoolParts) => CurrentPool): CurrentPool {
    if (this.#pool !== null) return this.#pool;
    this.#pool = create(this.#parts);
    const { ledger } = this.#pool.submitter;
    if (this.#isClosed) ledger.close();
    this.#made(ledger);
    return this.#pool;
  }

  async loadModule(url: string): Promise<object> {
    return await this.#modules.load(url);
  }

  /** Jobs that jobs submit are refused from here on. */
  close(): void {
    this.#isClosed = true;
    this.ledger?.close();
  }
}
