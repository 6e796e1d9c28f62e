import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SharedProducer } from "@skein/batching";
import { describe, expect, it } from "vitest";
import { fileId, scanId } from "../src/correlation.ts";
import { RowStore } from "../src/row-store.ts";
import { TABLES } from "../src/row-tables.ts";
import type { Row } from "../src/row-tables.ts";
import { runCli } from "./run-cli.ts";
import { temporaryTree } from "./temporary-tree.ts";

const FILES: Record<string, string> = {
  "src/broken.js": "function (",
  "src/deep.js": `x = ${"[".repeat(3000)}${"]".repeat(3000)};\n`,
  "src/huge.js": `/* ${"x".repeat(7000)} */`,
};
for (let i = 0; i < 100; i++) {
  FILES[`src/f${i}.ts`] =
    `export const a${i} = (b: number) => (b > ${i} ? b : 0);\nexport function c${i}(): void {}\n`;
}

interface CensusJson {
  readonly run: { readonly digest: string };
  readonly totals: Record<string, number>;
  readonly files: { readonly path: string; readonly lines: number; readonly functions: number }[];
}

function readJson(path: string): CensusJson {
  return JSON.parse(readFileSync(path, "utf8")) as CensusJson;
}

function query(file: string, sql: string): Record<string, unknown>[] {
  using database = new DatabaseSync(file, { readOnly: true });
  // Rows have no prototype; what they are compared with has one.
  return database
    .prepare(sql)
    .all()
    .map((row) => Object.fromEntries(Object.entries(row)));
}

describe("census --db", () => {
  it.each(["0", "2"])(
    "stores the numbers of the census, with the ids of the jobs (--threads %s)",
    async (threads) => {
      const root = temporaryTree(FILES);
      const out = temporaryTree();
      const db = join(out, "census.db");
      const args = [root, "--threads", threads, "--max-file-bytes", "6500", "--correlation-id", "scan-7"];
      const plain = await runCli([...args, "--json", join(out, "plain.json")]);
      const stored = await runCli([...args, "--json", join(out, "stored.json"), "--db", db]);
      expect([plain, stored]).toMatchObject([
        { code: 0, stderr: "" },
        { code: 0, stderr: "" },
      ]);
      const { run, totals, files } = readJson(join(out, "stored.json"));
      expect(run.digest).toBe(readJson(join(out, "plain.json")).run.digest);

      const sums = query(
        db,
        "SELECT count(*) AS files, sum(kind = 'parsed') AS parsed, sum(lines) AS lines, sum(functions) AS functions, " +
          "sum(complexity) AS complexity, sum(syntax_errors) AS syntaxErrors FROM files",
      );
      const { parsed, lines, functions, complexity, syntaxErrors } = totals;
      expect(sums).toEqual([{ files: tree(totals), parsed, lines, functions, complexity, syntaxErrors }]);
      const perFile = query(
        db,
        "SELECT path, lines, functions FROM files WHERE kind = 'parsed' ORDER BY path",
      );
      expect(perFile).toEqual(
        files
          .map((file) => ({ path: join(root, file.path), lines: file.lines, functions: file.functions }))
          .toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      );
      expect(query(db, "SELECT count(*) AS n FROM functions")).toEqual([{ n: functions }]);
      expect(query(db, "SELECT count(*) AS n FROM syntax_errors")).toEqual([{ n: syntaxErrors }]);
      const ids = query(db, "SELECT scan, file FROM files ORDER BY file");
      expect(ids).toEqual(
        Array.from({ length: tree(totals) }, (_, i) => ({
          scan: "scan-7",
          file: `scan-7/${String(i + 1).padStart(6, "0")}`,
        })),
      );
      expect(
        query(
          db,
          "SELECT count(*) AS n FROM functions JOIN files USING (path) WHERE functions.file <> files.file",
        ),
      ).toEqual([{ n: 0 }]);
    },
  );

  it("replaces the rows of the same scan and keeps those of others", async () => {
    const root = temporaryTree({ "a.js": "f()" });
    const db = join(temporaryTree(), "census.db");
    for (const id of ["first", "second", "first"]) {
      expect(await runCli([root, "--threads", "1", "--db", db, "--correlation-id", id])).toMatchObject({
        code: 0,
      });
    }
    expect(query(db, "SELECT scan FROM files ORDER BY scan")).toEqual([
      { scan: "first" },
      { scan: "second" },
    ]);
  });

  it("wrong use of --db is one line", async () => {
    expect(await runCli([temporaryTree(), "--db", "/no/such/place.db"])).toMatchObject({ code: 2 });
    const compare = await runCli([temporaryTree(), "--db", "x.db", "--compare"]);
    expect(compare).toMatchObject({ code: 2, stderr: expect.stringContaining("without --db") });
    const notADatabase = join(temporaryTree({ "a.db": "hello ".repeat(1000) }), "a.db");
    const { code, stderr } = await runCli([temporaryTree({ "a.js": "" }), "--db", notADatabase]);
    expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toContain("not a database");
  });

  it("inserts the same rows in batches as one by one; prints both rates", async () => {
    const out = temporaryTree();
    const rows = Array.from({ length: 500 }, (_, i): Row => [`path ${i}`, `f${i}`, i, 1, i % 7]);
    const { columns } = TABLES[1]!;

    const single = new DatabaseSync(join(out, "single.db"));
    single.exec(`CREATE TABLE functions (scan, file, ${columns.join(", ")})`);
    const insert = single.prepare("INSERT INTO functions VALUES (?, ?, ?, ?, ?, ?, ?)");
    const singleStart = performance.now();
    for (const row of rows) insert.run("scan", "file", ...row);
    const singleMs = performance.now() - singleStart;
    single.close();

    const store = new RowStore(join(out, "batched.db"), "scan");
    const producer = SharedProducer.attach<Row>(store.producers[1]!);
    const batchedStart = performance.now();
    scanId.run("scan", () => fileId.run("file", () => rows.forEach((row) => producer.push(row))));
    await store.close();
    const batchedMs = performance.now() - batchedStart;

    const all = "SELECT * FROM functions ORDER BY line";
    expect(query(join(out, "batched.db"), all)).toEqual(query(join(out, "single.db"), all));
    const rate = (ms: number): string => ((rows.length / ms) * 1000).toFixed(0);
    console.log(
      `SQLite, ${rows.length} rows: one by one ${rate(singleMs)} rows/s, in batches ${rate(batchedMs)} rows/s`,
    );
  });
});

/** The files that the walk found. */
function tree({ parsed = 0, skipped = 0, unreadable = 0 }: Record<string, number>): number {
  return parsed + skipped + unreadable;
}
