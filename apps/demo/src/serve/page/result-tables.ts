/** The tables of a scan, and their columns. */
import { formatBytes, printable } from "../../wording.ts";
import type { Place, TabName } from "./address.ts";
import { type ResultColumn, ResultTable } from "./result-table.ts";
import type { Row } from "./wire.ts";

const packageColumn: ResultColumn = {
  name: "package",
  title: "package",
  style: "name",
  open: (row) => ({ package: String(row["package"]), page: 1 }),
};
const place = (row: Row): string => `${printable(String(row["path"]))}:${row["line"]}`;

export function makeTables(
  go: (part: Partial<Place>, isTyping?: boolean) => void,
): Readonly<Record<Exclude<TabName, "tree">, ResultTable>> {
  return {
    files: new ResultTable({
      name: "files",
      caption: "Files",
      sort: "lines",
      order: "desc",
      go,
      columns: [
        { name: "path", title: "file", style: "path" },
        packageColumn,
        { name: "lines", title: "lines", style: "number" },
        { name: "functions", title: "functions", style: "number" },
        { name: "meanComplexity", title: "mean complexity", style: "number" },
        { name: "errors", title: "errors", style: "number" },
        { name: "bytes", title: "size", style: "number", text: ({ bytes }) => formatBytes(Number(bytes)) },
      ],
    }),
    functions: new ResultTable({
      name: "functions",
      caption: "Functions",
      sort: "complexity",
      order: "desc",
      go,
      columns: [
        { name: "name", title: "function", style: "name" },
        { name: "complexity", title: "complexity", style: "number" },
        { name: "lines", title: "lines", style: "number" },
        { name: "path", title: "where", style: "path", text: place },
        packageColumn,
      ],
    }),
    "syntax-errors": new ResultTable({
      name: "syntax-errors",
      caption: "Syntax errors",
      sort: "path",
      order: "asc",
      go,
      columns: [
        { name: "path", title: "where", style: "path", text: place },
        { name: "message", title: "error", style: "text" },
        packageColumn,
      ],
    }),
  };
}
