/** The whole terminal, until it is given back: another screen, no cursor, keys one by one. */
import type { ReadStream, WriteStream } from "node:tty";

const ENTER = "\u001B[?1049h\u001B[?25l";
const LEAVE = "\u001B[?25h\u001B[?1049l";
const HOME = "\u001B[H";
const CLEAR_REST_OF_LINE = "\u001B[K";
const CLEAR_BELOW = "\u001B[J";
const CTRL_C = "\u0003";
/** Of terminals that do not say how large they are. */
const FALLBACK = { columns: 80, rows: 24 } as const;

export class TopScreen implements Disposable {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #lines: (columns: number, rows: number) => readonly string[];
  #onQuit: () => void = () => {};
  isOver = false;

  constructor(
    input: ReadStream,
    output: WriteStream,
    lines: (columns: number, rows: number) => readonly string[],
  ) {
    this.#input = input;
    this.#output = output;
    this.#lines = lines;
    output.write(ENTER);
    output.on("resize", this.draw);
    process.on("exit", this.#giveBack);
    this.draw();
    if (!input.isTTY) return;
    input.setRawMode(true);
    input.on("data", this.#key);
  }

  /** Calls `listener` when the user has had enough. */
  onQuit(listener: () => void): void {
    this.#onQuit = listener;
  }

  readonly draw = (): void => {
    const { columns, rows } = this.#output;
    const lines = this.#lines(columns || FALLBACK.columns, (rows || FALLBACK.rows) - 1);
    const text = lines.map((line) => `${line}${CLEAR_REST_OF_LINE}\n`).join("");
    this.#output.write(`${HOME}${text}${CLEAR_BELOW}`);
  };

  [Symbol.dispose](): void {
    this.#output.off("resize", this.draw);
    process.off("exit", this.#giveBack);
    this.#giveBack();
    if (!this.#input.isTTY) return;
    this.#input.off("data", this.#key);
    this.#input.setRawMode(false);
    this.#input.pause();
  }

  readonly #key = (data: Buffer): void => {
    const key = data.toString();
    if (key !== "q" && key !== CTRL_C) return;
    this.isOver = true;
    this.#onQuit();
  };

  readonly #giveBack = (): void => {
    this.#output.write(LEAVE);
  };
}
