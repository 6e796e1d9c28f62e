/** The end of the log that the threads write, see worker-log.ts. */
import { open } from "node:fs/promises";
import { errorCode } from "../wording.ts";

/** Only so much of it is looked at. */
const TAIL_BYTES = 1 << 20;

export type LogLine = Readonly<Record<string, unknown>>;

/** The newest lines, oldest of them first. @param correlationId only those of it; undefined: all */
export async function lastLogLines(
  file: string,
  limit: number,
  correlationId: string | undefined,
): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for (const text of (await tailOf(file)).split("\n").toReversed()) {
    if (lines.length === limit) break;
    const line = parse(text);
    if (line !== null && (correlationId === undefined || line["correlationId"] === correlationId))
      lines.push(line);
  }
  return lines.toReversed();
}

async function tailOf(file: string): Promise<string> {
  let log;
  try {
    log = await open(file);
  } catch (error) {
    // Nobody had anything to say.
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
  try {
    const { size } = await log.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await log.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await log.close();
  }
}

/** Null for the line where the tail begins, and the one that is just written. */
function parse(text: string): LogLine | null {
  try {
    return text === "" ? null : (JSON.parse(text) as LogLine);
  } catch {
    return null;
  }
}
