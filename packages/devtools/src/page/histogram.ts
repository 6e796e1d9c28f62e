/** How long jobs waited or ran, lately: bars on a logarithmic scale, the same for both, and the values for who cannot see them. */
import type { Times } from "../wire.ts";
import { element, setText } from "./element.ts";
import { count, duration } from "./format.ts";
import type { Palette } from "./palette.ts";
import { readPalette } from "./palette.ts";

/** From a microsecond to 100 seconds. */
const FROM_LOG = -3;
const TO_LOG = 5;
const BARS = 48;
const HEIGHT = 74;
/** Samples that are compared: ten seconds. */
const KEPT = 20;

export class Histogram {
  readonly node: HTMLElement;
  readonly #title: string;
  readonly #canvas = element("canvas", { class: "histogram", role: "img" });
  readonly #summary = element("p", { class: "figures" });
  readonly #history: (readonly (readonly [ms: number, count: number])[])[] = [];

  constructor(title: string) {
    this.#title = title;
    this.node = element("figure", {}, element("figcaption", {}, title), this.#canvas, this.#summary);
  }

  forget(): void {
    this.#history.length = 0;
  }

  show({ histogram }: Times): void {
    this.#history.push(histogram);
    if (this.#history.length > KEPT) this.#history.shift();
    const before = new Map(this.#history[0]);
    const lately = (
      this.#history.length === 1
        ? histogram
        : histogram.map(([ms, n]) => [ms, n - (before.get(ms) ?? 0)] as const)
    ).filter(([, n]) => n > 0);
    const total = lately.reduce((sum, [, n]) => sum + n, 0);
    const at = (part: number): string => duration(quantile(lately, total, part) * 1000);
    const text =
      total === 0
        ? "none lately"
        : `median ${at(0.5)} · 99% under ${at(0.99)} · longest ${duration((lately.at(-1)?.[0] ?? 0) * 1000)}`;
    setText(this.#summary, text);
    this.#canvas.setAttribute(
      "aria-label",
      `${this.#title}, of ${count(total)} jobs in the last seconds: ${text}`,
    );
    this.#draw(lately, readPalette());
  }

  #draw(values: readonly (readonly [ms: number, count: number])[], palette: Palette): void {
    const width = this.#canvas.clientWidth;
    const ratio = devicePixelRatio;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(HEIGHT * ratio);
    const context = this.#canvas.getContext("2d")!;
    context.scale(ratio, ratio);
    const bars = new Float64Array(BARS);
    for (const [ms, n] of values) {
      const at = ((Math.log10(Math.max(ms, 1e-4)) - FROM_LOG) / (TO_LOG - FROM_LOG)) * BARS;
      bars[Math.min(BARS - 1, Math.max(0, Math.floor(at)))]! += n;
    }
    const largest = Math.max(1, ...bars);
    const bottom = HEIGHT - 16;
    const step = width / BARS;
    context.fillStyle = palette.accent;
    for (const [i, n] of bars.entries()) {
      if (n === 0) continue;
      const height = Math.max(2, (n / largest) * (bottom - 4));
      context.fillRect(i * step + 0.5, bottom - height, step - 1, height);
    }
    context.fillStyle = palette.rule;
    context.fillRect(0, bottom, width, 1);
    context.fillStyle = palette.faint;
    context.font = "11px system-ui, sans-serif";
    for (let log = FROM_LOG; log < TO_LOG; log += 2) {
      const x = ((log - FROM_LOG) / (TO_LOG - FROM_LOG)) * width;
      context.fillText(duration(10 ** log * 1000), x + 2, HEIGHT - 3);
      context.fillRect(x, bottom, 1, 4);
    }
  }
}

function quantile(
  values: readonly (readonly [ms: number, count: number])[],
  total: number,
  part: number,
): number {
  let left = total * part;
  for (const [ms, n] of values) {
    left -= n;
    if (left <= 0) return ms;
  }
  return values.at(-1)?.[0] ?? 0;
}
