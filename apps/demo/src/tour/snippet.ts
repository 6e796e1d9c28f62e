/** The lines of a scene that are shown, read from its own source: what is shown is what runs. */
import { readFileSync } from "node:fs";

const BEGIN = "// tour: begin";
const END = "// tour: end";

/**
 * What stands between the two marks, without its indentation.
 * @param file the URL of a module; of a compiled one its source is read.
 * @throws Error when there is nothing between marks.
 */
export function snippetOf(file: string): string[] {
  const source = new URL(file.replace("/dist/tour/", "/src/tour/").replace(/\.js$/, ".ts"));
  const lines = readFileSync(source, "utf8").split("\n");
  const shown: string[] = [];
  let begin = -1;
  for (const [index, line] of lines.entries()) {
    const mark = line.trim();
    if (mark === BEGIN) begin = index + 1;
    if (mark !== END) continue;
    shown.push(...withoutIndentation(lines.slice(begin, index)));
  }
  if (shown.length === 0) throw new Error(`${source.href}: nothing between "${BEGIN}" and "${END}"`);
  return shown;
}

function withoutIndentation(lines: readonly string[]): string[] {
  const indentation = Math.min(...lines.filter((line) => line !== "").map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indentation));
}
