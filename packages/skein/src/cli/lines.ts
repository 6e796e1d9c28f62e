/** Lines of a stream, in and out. */
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

/**
 * The lines of a text in UTF-8, without their ends. Reads on only when the last line has been taken. Not `node:readline`: for that U+2028
 * ends a line too, and JSON may hold it. The mark that some programs of Windows put first is no part of the text.
 */
export async function* linesOf(input: Readable): AsyncGenerator<string, void> {
  let rest = "";
  let isFirst = true;
  for await (const chunk of input.setEncoding("utf8") as AsyncIterable<string>) {
    const lines = (isFirst ? chunk.replace(/^\uFEFF/, "") : chunk).split("\n");
    isFirst = false;
    lines[0] = rest + lines[0]!;
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** Writes a line, and waits while the reader is behind. */
export async function writeLine(output: Writable, line: string): Promise<void> {
  if (!output.write(`${line}\n`)) await once(output, "drain");
}
