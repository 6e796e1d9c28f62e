/** The event loop's delay, drawn as it comes, with marks where a setting was changed; below it, what each setting did, in words. */
import { DELAY_LEVELS, delayLevel } from "../../delay-level.ts";
import { formatEngine, formatPlural } from "../../wording.ts";
import { COLUMN_MS, type Effect, LoopHistory } from "./loop-history.ts";
import { make, setText } from "./make.ts";
import type { Settings, Threads } from "./wire.ts";

const COLUMN_PX = 3;
const GAP_PX = 1;
const AXIS_PX = 40;
const LABELS_PX = 30;
const LEVEL_PX = 11;
const HEIGHT_PX = LABELS_PX + DELAY_LEVELS * LEVEL_PX;
const FONT = "11px system-ui, sans-serif";
/** The level from which a delay is drawn as one that users notice. */
const LATE_LEVEL = delayLevel(32);
const EFFECTS_SHOWN = 4;

export class LoopStrip {
  readonly node: HTMLElement;
  readonly #canvas = make("canvas", { className: "strip", role: "img", ariaLabel: "Nothing is known yet" });
  readonly #effects = make("ul", { className: "effects", ariaLabel: "What each setting did" });
  readonly #threads = make("p", { className: "about" });
  readonly #history = new LoopHistory();

  constructor() {
    this.node = make(
      "section",
      { className: "card loop", ariaLabel: "Event loop" },
      make("h2", {}, "Event-loop delay of the server"),
      this.#canvas,
      this.#effects,
      this.#threads,
    );
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  add(columns: readonly number[]): void {
    this.#history.add(columns);
    this.#draw();
    this.#describe();
  }

  mark(settings: Settings): void {
    this.#history.mark(settings);
    this.#draw();
  }

  gap(): void {
    this.#history.gap();
  }

  showThreads({ total, running, queued }: Threads): void {
    setText(
      this.#threads,
      `${formatPlural(total, "thread")}, ${running} busy, ${formatPlural(queued, "job")} queued`,
    );
  }

  #describe(): void {
    const effects = this.#history.effects(EFFECTS_SHOWN);
    const now = this.#history.at(this.#history.count - 1);
    this.#canvas.ariaLabel = `The greatest delay of each ${COLUMN_MS} ms, now ${inMs(now)}; below, what each setting did`;
    while (this.#effects.children.length > effects.length) this.#effects.lastChild!.remove();
    while (this.#effects.children.length < effects.length) this.#effects.append(make("li"));
    for (const [i, effect] of effects.entries())
      setText(this.#effects.children[i]!, inWords(effect, i === 0));
  }

  #draw(): void {
    const width = this.#canvas.clientWidth;
    const context = this.#canvas.getContext("2d");
    if (width === 0 || context === null) return;
    const ratio = devicePixelRatio;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(HEIGHT_PX * ratio);
    context.scale(ratio, ratio);
    context.font = FONT;
    const style = getComputedStyle(this.#canvas);
    const colour = (name: string): string => style.getPropertyValue(`--${name}`);

    context.textAlign = "right";
    for (const ms of [1, 8, 64]) {
      const y = HEIGHT_PX - delayLevel(ms) * LEVEL_PX;
      context.fillStyle = colour("rule");
      context.fillRect(AXIS_PX, y, width - AXIS_PX, 1);
      context.fillStyle = colour("faint");
      context.fillText(`${ms} ms`, AXIS_PX - 6, y + 4);
    }
    const { count, marks } = this.#history;
    const step = COLUMN_PX + GAP_PX;
    const first = count - Math.floor((width - AXIS_PX) / step);
    const xOf = (column: number): number => AXIS_PX + (column - first) * step;
    for (let column = Math.max(0, first); column < count; column++) {
      const ms = this.#history.at(column);
      if (Number.isNaN(ms)) continue;
      const level = delayLevel(ms);
      const height = (level + 1) * LEVEL_PX - GAP_PX;
      context.fillStyle = colour(level >= LATE_LEVEL ? "bad" : "accent");
      context.fillRect(xOf(column), HEIGHT_PX - height, COLUMN_PX, height);
    }
    context.textAlign = "left";
    let end = -Infinity;
    let row = 0;
    for (const { column, label } of marks) {
      if (column < first) continue;
      const x = Math.min(xOf(column), width - GAP_PX);
      const { width: length } = context.measureText(label);
      const left = Math.min(x + 4, width - length);
      // Labels that would touch stand in two rows.
      row = left < end ? 1 - row : 0;
      end = left + length + 6;
      context.fillStyle = colour("ink");
      context.fillRect(x - GAP_PX, row * 13, 1, HEIGHT_PX - row * 13);
      context.fillText(label, left, 11 + row * 13);
    }
  }
}

function inWords({ settings, seconds, medianMs, greatestMs }: Effect, isNow: boolean): string {
  const held = `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const name = formatEngine(settings.threads, settings.policy);
  return `${name}${isNow ? ", now" : ""}: median ${inMs(medianMs)}, at most ${inMs(greatestMs)}, in ${held}`;
}

function inMs(ms: number): string {
  if (Number.isNaN(ms)) return "unknown";
  return ms < 1 ? "below 1 ms" : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}
