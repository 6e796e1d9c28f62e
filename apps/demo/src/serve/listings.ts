/** Pages of the rows of a scan: filtered, sorted, counted. What comes from a request is bound, or chosen from a list. */
import type { SQLInputValue } from "node:sqlite";
import { oneOf, readQuery, wholeNumberIn } from "./query-string.ts";
import type { ScanStore, StoredRow } from "./scan-store.ts";

export interface Listing {
  readonly table: string;
  /** By the name that a row has for it: its place in the table. All of them sort. */
  readonly columns: Readonly<Record<string, string>>;
  /** Where the text is searched for. */
  readonly searched: readonly string[];
  readonly sort: string;
}

export interface Page {
  readonly rows: StoredRow[];
  /** On all pages. */
  readonly total: number;
}

export interface PackageSums {
  readonly name: string;
  readonly lines: number;
  readonly files: number;
  readonly functions: number;
  readonly meanComplexity: number;
}

const PAGE_ROWS = 50;
const MAX_PAGE_ROWS = 200;
const MAX_OFFSET = 1e9;
const MEAN = "CASE functions WHEN 0 THEN 0 ELSE 1.0 * complexity / functions END";

/** By the last part of their path. */
export const LISTINGS: Readonly<Record<string, Listing>> = {
  files: {
    table: "files",
    columns: {
      path: "path",
      package: "package",
      lines: "lines",
      functions: "functions",
      bytes: "bytes",
      meanComplexity: MEAN,
      errors: "syntax_errors",
      kind: "kind",
      message: "message",
      fileId: "file",
    },
    searched: ["path"],
    sort: "lines",
  },
  functions: {
    table: "functions",
    columns: {
      name: "name",
      path: "path",
      package: "package",
      line: "line",
      lines: "lines",
      complexity: "complexity",
      fileId: "file",
    },
    searched: ["name", "path"],
    sort: "lines",
  },
  "syntax-errors": {
    table: "syntax_errors",
    columns: {
      path: "path",
      package: "package",
      line: "line",
      column: '"column"',
      message: "message",
      fileId: "file",
    },
    searched: ["message", "path"],
    sort: "path",
  },
};

/** @throws CensusError for a wrong parameter. */
export function pageOf(store: ScanStore, scan: string, listing: Listing, query: unknown): Page {
  const { table, columns, searched } = listing;
  const given = readQuery(query, ["offset", "limit", "text", "package", "sort", "order"]);
  const offset = wholeNumberIn("offset", given.offset, 0, MAX_OFFSET, 0);
  const limit = wholeNumberIn("limit", given.limit, 1, MAX_PAGE_ROWS, PAGE_ROWS);
  const sort = oneOf("sort", given.sort, Object.keys(columns), listing.sort);
  const order = oneOf("order", given.order, ["asc", "desc"], sort === "path" ? "asc" : "desc");

  const conditions = ["scan = ?"];
  const values: SQLInputValue[] = [scan];
  if (given.package !== undefined && given.package !== "") {
    conditions.push("package = ?");
    values.push(given.package);
  }
  if (given.text !== undefined && given.text !== "") {
    // Letters of either case, as far as ASCII goes.
    conditions.push(`(${searched.map((column) => `${column} LIKE ? ESCAPE '\\'`).join(" OR ")})`);
    values.push(...searched.map(() => `%${given.text!.replace(/[\\%_]/g, String.raw`\$&`)}%`));
  }
  const from = `FROM ${table} WHERE ${conditions.join(" AND ")}`;
  const selected = Object.entries(columns).map(([name, place]) => `${place} AS "${name}"`);
  const total = Number(store.rows(`SELECT count(*) AS total ${from}`, ...values)[0]?.["total"]);
  const rows = store.rows(
    `SELECT ${selected.join(", ")} ${from} ORDER BY ${columns[sort]!} ${order}, file, rowid LIMIT ? OFFSET ?`,
    ...values,
    limit,
    offset,
  );
  return { rows, total };
}

/** The packages, those with the most lines first. */
export function packagesOf(store: ScanStore, scan: string): PackageSums[] {
  const rows = store.rows(
    "SELECT package, sum(lines) AS lines, count(*) AS files, sum(functions) AS functions, sum(complexity) AS complexity " +
      "FROM files WHERE scan = ? GROUP BY package ORDER BY sum(lines) DESC, package",
    scan,
  );
  return rows.map(({ package: name, lines, files, functions, complexity }) => ({
    name: String(name),
    lines: Number(lines),
    files: Number(files),
    functions: Number(functions),
    meanComplexity: Number(functions) === 0 ? 0 : Number(complexity) / Number(functions),
  }));
}
