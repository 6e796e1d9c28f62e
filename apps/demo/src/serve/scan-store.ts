/**
 * The scans in SQLite, kept over restarts: what they are, the rows of their files, and, as long as they can be resumed, the reports
 * themselves. A file's rows and its report are written together, so a file is stored as a whole or not at all.
 */
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { childId } from "../correlation.ts";
import type { FileReport } from "../file-report.ts";
import { rowsOf, TABLES } from "../row-tables.ts";
import type { Tree } from "../walk.ts";
import type { ScanRecord } from "./scan-record.ts";

/** Of the tables: another one is not read. */
const VERSION = 1;
const SCHEMA = `
  CREATE TABLE scans (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL,
    root TEXT NOT NULL, correlation_id TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT, state TEXT NOT NULL,
    total INTEGER NOT NULL, done INTEGER NOT NULL, bytes INTEGER NOT NULL, functions INTEGER NOT NULL,
    errors INTEGER NOT NULL, message TEXT, digest TEXT, tree TEXT
  );
  CREATE TABLE reports (scan TEXT, position INTEGER, report TEXT, PRIMARY KEY (scan, position)) WITHOUT ROWID;
  ${TABLES.map(({ name, columns }) => `CREATE TABLE ${name} (scan, file, package, ${columns.join(", ")}); CREATE INDEX ${name}_of_scan ON ${name} (scan, package);`).join("\n")}
  PRAGMA user_version = ${VERSION};
`;
const INTERRUPTED = "The server ended while this scan was under way. It can be resumed.";

export interface StoredReport {
  /** Index of the file in the tree. */
  readonly position: number;
  readonly path: string;
  /** Name of the package. */
  readonly owner: string;
  readonly report: FileReport;
}

/** A row has no prototype. */
export type StoredRow = Record<string, SQLOutputValue>;

export class ScanStore {
  readonly #database: DatabaseSync;
  readonly #insertReport: StatementSync;
  readonly #insertRow: readonly StatementSync[];

  /**
   * Opens or creates the file. Scans that were under way when another server ended are `interrupted` from now on.
   * @throws when it is no database, or that of another version.
   */
  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    const version = this.rows("PRAGMA user_version")[0]?.["user_version"];
    if (version === 0) this.#transaction(() => this.#database.exec(SCHEMA));
    else if (version !== VERSION) throw new Error(`${file} was written by another version of census`);
    this.#insertReport = this.#database.prepare("INSERT INTO reports VALUES (?, ?, ?)");
    this.#insertRow = TABLES.map(({ name, columns }) =>
      this.#database.prepare(`INSERT INTO ${name} VALUES (?, ?, ?${", ?".repeat(columns.length)})`),
    );
    this.#database
      .prepare(
        "UPDATE scans SET state = 'interrupted', ended_at = ?, message = ? WHERE state IN ('queued', 'scanning')",
      )
      .run(new Date().toISOString(), INTERRUPTED);
  }

  /** @param root absolute: where its files are. */
  add(record: ScanRecord, root: string): void {
    const { id, source, correlationId, startedAt, state } = record;
    this.#database
      .prepare(
        "INSERT INTO scans (id, kind, name, root, correlation_id, started_at, state, total, done, bytes, functions, errors) " +
          "VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0)",
      )
      .run(id, source.kind, source.name, root, correlationId, startedAt, state);
  }

  update({ id, state, endedAt, files, bytes, functions, errors, message, digest }: ScanRecord): void {
    this.#database
      .prepare(
        "UPDATE scans SET state = ?, ended_at = ?, total = ?, done = ?, bytes = ?, functions = ?, errors = ?, message = ?, digest = ? " +
          "WHERE id = ?",
      )
      .run(
        state,
        endedAt ?? null,
        files.total,
        files.done,
        bytes,
        functions,
        errors,
        message ?? null,
        digest ?? null,
        id,
      );
  }

  find(id: string): ScanRecord | undefined {
    return this.rows("SELECT * FROM scans WHERE id = ?", id).map(recordOf)[0];
  }

  /** Newest first. @param correlationId only those of it */
  list(limit: number, correlationId?: string): ScanRecord[] {
    return correlationId === undefined
      ? this.rows("SELECT * FROM scans ORDER BY number DESC LIMIT ?", limit).map(recordOf)
      : this.rows(
          "SELECT * FROM scans WHERE correlation_id = ? ORDER BY number DESC LIMIT ?",
          correlationId,
          limit,
        ).map(recordOf);
  }

  /** Of those that can be resumed. */
  resumableIds(): Set<string> {
    const rows = this.rows("SELECT id FROM scans WHERE state IN ('cancelled', 'interrupted')");
    return new Set(rows.map(({ id }) => String(id)));
  }

  rootOf(id: string): string {
    return String(this.rows("SELECT root FROM scans WHERE id = ?", id)[0]?.["root"]);
  }

  /** The files as they were found. Those that were added since are none of a scan that is resumed. */
  setTree(id: string, tree: Tree): void {
    this.#database.prepare("UPDATE scans SET tree = ? WHERE id = ?").run(JSON.stringify(tree), id);
  }

  treeOf(id: string): Tree | null {
    const text = this.rows("SELECT tree FROM scans WHERE id = ?", id)[0]?.["tree"];
    return typeof text === "string" ? (JSON.parse(text) as Tree) : null;
  }

  /** Stores files, and what the scan has come to with them. */
  addReports(record: ScanRecord, reports: readonly StoredReport[]): void {
    this.#transaction(() => {
      for (const { position, path, owner, report } of reports) {
        const file = childId(record.id, position);
        this.#insertReport.run(record.id, position, JSON.stringify(report));
        for (const [table, rows] of rowsOf(path, report).entries())
          for (const row of rows) this.#insertRow[table]!.run(record.id, file, owner, ...row);
      }
      this.update(record);
    });
  }

  /** The files that are stored, by index in the tree. */
  storedPositions(id: string): Set<number> {
    const rows = this.rows("SELECT position FROM reports WHERE scan = ?", id);
    return new Set(rows.map(({ position }) => Number(position)));
  }

  /** It is done, or has failed: what resuming would need is deleted. */
  finish(record: ScanRecord): void {
    this.#transaction(() => {
      this.update(record);
      this.#database.prepare("UPDATE scans SET tree = NULL WHERE id = ?").run(record.id);
      this.#database.prepare("DELETE FROM reports WHERE scan = ?").run(record.id);
    });
  }

  remove(id: string): void {
    this.#transaction(() => {
      for (const { name } of [{ name: "reports" }, ...TABLES])
        this.#database.prepare(`DELETE FROM ${name} WHERE scan = ?`).run(id);
      this.#database.prepare("DELETE FROM scans WHERE id = ?").run(id);
    });
  }

  /** The rows of a query. @param values are bound, never part of its text */
  rows(sql: string, ...values: SQLInputValue[]): StoredRow[] {
    return this.#database.prepare(sql).all(...values);
  }

  close(): void {
    this.#database.close();
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

function recordOf(row: StoredRow): ScanRecord {
  const text = (name: string): string | undefined => (row[name] === null ? undefined : String(row[name]));
  return {
    id: String(row["id"]),
    source: { kind: row["kind"] === "upload" ? "upload" : "path", name: String(row["name"]) },
    state: row["state"] as ScanRecord["state"],
    correlationId: String(row["correlation_id"]),
    startedAt: String(row["started_at"]),
    endedAt: text("ended_at"),
    files: { total: Number(row["total"]), done: Number(row["done"]) },
    bytes: Number(row["bytes"]),
    functions: Number(row["functions"]),
    errors: Number(row["errors"]),
    message: text("message"),
    digest: text("digest"),
  };
}
