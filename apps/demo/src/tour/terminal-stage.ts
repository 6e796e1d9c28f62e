/** The stage in a terminal, or in whatever is in its place: the picture is drawn over and over at the same lines. */
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { shorten, widthOf } from "../terminal.ts";
import type { Style } from "../terminal.ts";
import type { Stage } from "./scene.ts";

export interface StageTarget {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const INDENTATION = "   ";
const REDRAW_MS = 40;

export class TerminalStage implements Stage {
  readonly fast: boolean;
  readonly style: Style;
  readonly width: number;
  readonly #target: StageTarget;
  readonly #claims: { readonly claim: string; readonly holds: boolean }[] = [];
  #picture: readonly string[] = [];
  #linesDrawn = 0;
  #drawnAt = 0;

  constructor(target: StageTarget, style: Style, width: number, fast: boolean) {
    this.#target = target;
    this.style = style;
    this.width = width - INDENTATION.length;
    this.fast = fast;
  }

  draw(lines: readonly string[]): void {
    this.#picture = lines;
    if (this.#target.isTTY !== true || performance.now() - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = performance.now();
    this.#redraw();
  }

  check(claim: string, holds: boolean): void {
    this.#claims.push({ claim, holds });
  }

  async pause(ms: number): Promise<void> {
    if (!this.fast) await sleep(ms);
  }

  /** Leaves the last picture where it is, and prints the claims. @returns whether all of them hold; a scene without any fails. */
  end(): boolean {
    this.#redraw();
    const verdicts = this.#claims.map(({ claim, holds }) =>
      holds ? `${this.style("green", "✓")} ${claim}` : this.style("red", `✗ ${claim}`),
    );
    this.#target.write(`\n${verdicts.map((line) => `${INDENTATION}${line}\n`).join("")}`);
    return this.#claims.length > 0 && this.#claims.every(({ holds }) => holds);
  }

  #redraw(): void {
    const up = this.#linesDrawn === 0 ? "" : `\u001B[${this.#linesDrawn}A`;
    const clear = this.#target.isTTY === true ? "\u001B[2K" : "";
    // A line that the terminal breaks in two would not be drawn over.
    const lines = this.#picture.map((line) =>
      widthOf(line) <= this.width ? line : shorten(stripVTControlCharacters(line), this.width),
    );
    this.#target.write(up + lines.map((line) => `${clear}${INDENTATION}${line}`.trimEnd() + "\n").join(""));
    this.#linesDrawn = lines.length;
  }
}
