/** The tables of `--db`, and the rows of one file for each. Each row begins with the ids of the scan and of the file. */
import type { FileReport } from "./file-report.ts";

type Cell = string | number | null;
/** The cells of one row, without the two ids: those come with the context of the job that pushed it. */
export type Row = readonly Cell[];

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

/** By number of the slot. */
export const TABLES: readonly Table[] = [
  {
    name: "files",
    columns: ["path", "kind", "bytes", "lines", "functions", "complexity", "syntax_errors", "message"],
  },
  { name: "functions", columns: ["path", "name", "line", "lines", "complexity"] },
  { name: "syntax_errors", columns: ["path", "line", "column", "message"] },
];

/** The rows of one file, by table. Of its functions and errors those that the report names. */
export function rowsOf(path: string, report: FileReport): readonly (readonly Row[])[] {
  if (report.kind !== "parsed") {
    return [[[path, report.kind, report.bytes, 0, 0, 0, 0, report.message]], [], []];
  }
  const { kind, bytes, lines, functions, complexity, problemCount, notable, problems } = report;
  return [
    [[path, kind, bytes, lines, functions, complexity, problemCount, null]],
    notable.map((record) => [path, record.name, record.line, record.lines, record.complexity]),
    problems.map((problem) => [path, problem.line, problem.column, problem.message]),
  ];
}
