/** Colour and alignment for text that goes to a terminal. */
import { stripVTControlCharacters, styleText } from "node:util";

export type Style = (format: Parameters<typeof styleText>[0], text: string) => string;

/** Colours only for a terminal, and not against the user's wish (https://no-color.org). */
export function styleFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Style {
  const plain = stream.isTTY !== true || (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return plain
    ? (_format, text) => text
    : (format, text) => styleText(format, text, { validateStream: false });
}

export type Alignment = "left" | "right";

/** Rows as lines whose columns line up, two blanks apart. Colours do not count as width. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  alignments: readonly Alignment[],
): string[] {
  const widths = alignments.map((_, column) => Math.max(0, ...rows.map((row) => widthOf(row[column] ?? ""))));
  return rows.map((row) =>
    alignments
      .map((alignment, column) => {
        const cell = row[column] ?? "";
        const padding = " ".repeat(widths[column]! - widthOf(cell));
        return alignment === "left" ? cell + padding : padding + cell;
      })
      .join("  ")
      .trimEnd(),
  );
}

/** The end of a path says most, so the beginning is what gives way. */
export function shortenPath(path: string, width: number): string {
  return path.length <= width ? path : `…${path.slice(path.length - width + 1)}`;
}

export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
