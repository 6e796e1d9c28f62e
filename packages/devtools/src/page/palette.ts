/** The colours of the canvas are those of the style sheet, so that light and dark are one place. */
import { POLICIES, QUEUES } from "../wire.ts";

export interface Palette {
  readonly page: string;
  readonly card: string;
  readonly ink: string;
  readonly faint: string;
  readonly rule: string;
  readonly accent: string;
  readonly bad: string;
  readonly onBad: string;
  readonly idle: string;
  readonly submit: string;
  readonly settle: string;
  readonly start: string;
  /** Of functions, and of text on them. */
  readonly functions: readonly string[];
  readonly onFunction: string;
  /** Of QUEUES. */
  readonly queues: readonly string[];
  /** Of POLICIES. */
  readonly policies: readonly string[];
}

const FUNCTION_COLOURS = 8;

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    page: value("page"),
    card: value("card"),
    ink: value("ink"),
    faint: value("faint"),
    rule: value("rule"),
    accent: value("accent"),
    bad: value("bad"),
    onBad: value("on-bad"),
    idle: value("idle"),
    submit: value("submit"),
    settle: value("settle"),
    start: value("start"),
    functions: Array.from({ length: FUNCTION_COLOURS }, (_, i) => value(`f${i}`)),
    onFunction: value("on-f"),
    queues: QUEUES.map((queue) => value(`q-${queue}`)),
    policies: POLICIES.map((policy) => value(`p-${policy}`)),
  };
}

/** Each function has its colour, in the order in which they are seen. */
export class FunctionColours {
  readonly #numbers = new Map<number, number>();

  numberOf(fn: number): number {
    let number = this.#numbers.get(fn);
    if (number === undefined) {
      number = this.#numbers.size % FUNCTION_COLOURS;
      this.#numbers.set(fn, number);
    }
    return number;
  }
}
