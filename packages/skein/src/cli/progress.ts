/** One line on a terminal that says how far the work is. Nothing is written where nobody watches. */
import type { WriteStream } from "node:tty";

/** What it needs of `process.stderr`. */
export type ProgressTerminal = Pick<WriteStream, "write" | "isTTY" | "columns">;

const EVERY_MS = 100;
const BAR_CELLS = 30;
/** Some terminals do not say how wide they are. */
const FALLBACK_COLUMNS = 80;
const CLEAR_LINE = "\r\u001B[K";

export class Progress {
  readonly #terminal: ProgressTerminal;
  readonly #line: () => string;
  readonly #timer: NodeJS.Timeout | null = null;

  /** @param line Asked for ten times a second. */
  constructor(terminal: ProgressTerminal, line: () => string) {
    this.#terminal = terminal;
    this.#line = line;
    if (terminal.isTTY) this.#timer = setInterval(() => this.#draw(), EVERY_MS).unref();
  }

  /** Draws it for the last time and leaves the line. */
  end(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#draw();
    this.#terminal.write("\n");
  }

  #draw(): void {
    this.#terminal.write(
      CLEAR_LINE + this.#line().slice(0, (this.#terminal.columns || FALLBACK_COLUMNS) - 1),
    );
  }
}

/**
 * How far it is, as a bar when the end is known.
 * @param share From 0 to 1; null when nobody knows how much there is.
 */
export function progressLine(done: number, share: number | null): string {
  const count = `${done.toLocaleString("en")} done`;
  if (share === null) return count;
  const filled = Math.round(Math.min(1, share) * BAR_CELLS);
  const percent = `${Math.floor(Math.min(1, share) * 100)} %`.padStart(5);
  return `${"█".repeat(filled)}${"░".repeat(BAR_CELLS - filled)} ${percent}  ${count}`;
}
