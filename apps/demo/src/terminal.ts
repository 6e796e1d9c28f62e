/** What a terminal, or whatever is in its place, can show: colour, and how wide a line may be. */
import { stripVTControlCharacters, styleText } from "node:util";

export type Style = (format: Parameters<typeof styleText>[0], text: string) => string;

export interface TextTarget {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Lines longer than this are hard to read; a pipe gets as much. */
const MAX_WIDTH = 100;
const MIN_WIDTH = 40;

/**
 * Colours for a terminal, unless NO_COLOR is set (https://no-color.org); elsewhere when FORCE_COLOR asks for them, which goes before
 * everything else and has the values that Node.js knows.
 * @see https://nodejs.org/api/cli.html#force_color1-2-3
 */
export function styleFor(stream: TextTarget, env: NodeJS.ProcessEnv): Style {
  return hasColor(stream, env)
    ? (format, text) => styleText(format, text, { validateStream: false })
    : (_format, text) => text;
}

function hasColor(stream: TextTarget, env: NodeJS.ProcessEnv): boolean {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return ["", "1", "true", "2", "3"].includes(forced);
  return stream.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

/** How long a line may be. */
export function widthFor({ columns = MAX_WIDTH }: TextTarget): number {
  return Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, columns));
}

/** The end of a path says most, so the beginning is what gives way. */
export function shortenPath(path: string, width: number): string {
  return path.length <= width ? path : `…${path.slice(path.length - width + 1)}`;
}

export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Colours do not count. */
export function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** Lines that end between words; a word that is too long for a line is cut. For text without colours. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (let word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    for (; word.length > width; word = word.slice(width)) lines.push(word.slice(0, width));
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Parts one after the other, two blanks apart, on as many lines as it takes. */
export function flowParts(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 2 + widthOf(part) <= width)
      lines[lines.length - 1] = `${last}  ${part}`;
    else lines.push(part);
  }
  return lines;
}
