/** Tables as lines that fit a width: long texts give way first, then the columns that are missed least. */
import { shorten, shortenPath, widthOf, wrap } from "./terminal.ts";

export interface Column {
  readonly title?: string;
  /** @default "left" */
  readonly align?: "left" | "right";
  /** What happens to a text that is too long: its start or its end goes, or it is wrapped. Without it the column keeps its width. */
  readonly fit?: "start" | "end" | "wrap";
  /** In columns of the terminal, where there is room for it. */
  readonly max?: number;
  /** How far `fit` may go. @default 8 */
  readonly min?: number;
  /** The column may be left out; the one with the largest number goes first. */
  readonly expendable?: number;
  readonly paint?: (text: string) => string;
}

const GAP = "  ";
const DEFAULT_MIN = 8;

/** @param paintTitle for the titles, if the columns have any; gets the title and the number of its column. */
export function layOut(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  paintTitle?: (title: string, column: number) => string,
): string[] {
  const natural = columns.map(({ title = "", max = Infinity }, index) =>
    Math.min(max, Math.max(title.length, ...rows.map((row) => widthOf(row[index] ?? "")))),
  );
  const shown = columnsThatFit(columns, natural, width);
  const widths = shrink(columns, natural, shown, width);
  const body = rows.flatMap((row) => drawRow(columns, row, shown, widths));
  if (paintTitle === undefined) return body;
  const titles = shown.map((index) => {
    const { title = "", align } = columns[index]!;
    const text = title.slice(0, widths[index]);
    return align === "right"
      ? padding(text, widths[index]!) + paintTitle(text, index)
      : paintTitle(text, index) + padding(text, widths[index]!);
  });
  return [titles.join(GAP).trimEnd(), ...body];
}

function columnsThatFit(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const shown = [...columns.keys()];
  const least = (index: number): number => {
    const { fit, min = DEFAULT_MIN } = columns[index]!;
    return fit === undefined ? natural[index]! : Math.min(natural[index]!, min);
  };
  while (total(shown.map(least)) > width) {
    const [first] = shown
      .filter((index) => columns[index]!.expendable !== undefined)
      .toSorted((a, b) => columns[b]!.expendable! - columns[a]!.expendable!);
    if (first === undefined) break;
    shown.splice(shown.indexOf(first), 1);
  }
  return shown;
}

/** Takes from the widest of those that may shrink, until the row fits. */
function shrink(
  columns: readonly Column[],
  natural: readonly number[],
  shown: readonly number[],
  width: number,
): number[] {
  const widths = [...natural];
  for (let excess = total(shown.map((index) => widths[index]!)) - width; excess > 0; excess--) {
    const [widest] = shown
      .filter((index) => {
        const { fit, min = DEFAULT_MIN } = columns[index]!;
        return fit !== undefined && widths[index]! > min;
      })
      .toSorted((a, b) => widths[b]! - widths[a]!);
    if (widest === undefined) break;
    widths[widest]!--;
  }
  return widths;
}

/** More than one line if a cell is wrapped. */
function drawRow(
  columns: readonly Column[],
  row: readonly string[],
  shown: readonly number[],
  widths: readonly number[],
): string[] {
  const cells = shown.map((index) => {
    const text = row[index] ?? "";
    const { fit } = columns[index]!;
    if (fit === "wrap") return wrap(text, widths[index]!);
    return [(fit === "start" ? shortenPath : shorten)(text, widths[index]!)];
  });
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    shown
      .map((index, position) => {
        const { align, paint = (text) => text } = columns[index]!;
        const text = cells[position]![line] ?? "";
        const blanks = padding(text, widths[index]!);
        const painted = text === "" ? "" : paint(text);
        return align === "right" ? blanks + painted : painted + blanks;
      })
      .join(GAP)
      .trimEnd(),
  );
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, widths.length - 1);
}

function padding(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - widthOf(text)));
}
