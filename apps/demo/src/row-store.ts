/** Writes what the workers found into SQLite: batches per table, each in one transaction. */
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { contextOf, MultiProducerConcurrentConsumer } from "@skein/batching";
import type { ProducerHandle } from "@skein/batching";
import { fileId, scanId } from "./correlation.ts";
import { TABLES } from "./row-tables.ts";
import type { Row } from "./row-tables.ts";

const BATCH_SIZE = 1000;
const INTERVAL_MS = 100;
/** Rows come in bursts, and this thread has other things to do. */
const SHARED_BYTES = 1 << 22;

export interface StoredRows {
  readonly rows: number;
  readonly batches: number;
}

export class RowStore {
  readonly #database: DatabaseSync;
  #batches = 0;
  readonly #rows: MultiProducerConcurrentConsumer<Row, readonly StatementSync[]>;
  /** For the workers, by table. */
  readonly producers: readonly ProducerHandle[];

  /**
   * Opens or creates the file. Rows of an earlier scan with this id are replaced, all others stay.
   * @param isTemporary nothing waits for the disk
   */
  constructor(file: string, scan: string, isTemporary: boolean = false) {
    this.#database = new DatabaseSync(file);
    if (isTemporary) this.#database.exec("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY");
    for (const { name, columns } of TABLES) {
      this.#database.exec(`CREATE TABLE IF NOT EXISTS ${name} (scan, file, ${columns.join(", ")})`);
      this.#database.prepare(`DELETE FROM ${name} WHERE scan = ?`).run(scan);
    }
    this.#rows = new MultiProducerConcurrentConsumer<Row, readonly StatementSync[]>({
      batchSize: BATCH_SIZE,
      pushIntervalMs: INTERVAL_MS,
      maxConcurrency: 1,
      slots: TABLES.length,
      flowContext: true,
      sharedBytes: SHARED_BYTES,
    });
    const statements = TABLES.map(({ name, columns }) =>
      this.#database.prepare(`INSERT INTO ${name} VALUES (?, ?${", ?".repeat(columns.length)})`),
    );
    this.#rows.start((rows, table, inserts) => this.#insert(rows, inserts[table]!), statements);
    this.producers = TABLES.map((_, table) => this.#rows.producer(table).handle);
  }

  /** Writes what is still on its way. @throws what SQLite had against a batch; the others are written. */
  async close(): Promise<StoredRows> {
    const { failed } = await this.#rows.complete();
    this.#database.close();
    if (failed.length > 0) throw failed[0]!.error;
    return { rows: this.#rows.stats().pumped, batches: this.#batches };
  }

  #insert(rows: readonly Row[], statement: StatementSync): void {
    this.#database.exec("BEGIN");
    try {
      for (const [index, row] of rows.entries()) {
        contextOf(rows, index).run(() => statement.run(scanId.value ?? null, fileId.value ?? null, ...row));
      }
      this.#database.exec("COMMIT");
      this.#batches++;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
