/** One row per contender, the best on top. Bars from 0 on a linear axis; dots on a logarithmic one, where a bar's length means nothing. */
import type { Unit } from "../method/scenario.ts";
import { quantity, tick as tickText } from "./quantities.ts";
import { linearScale, logScale } from "./svg-scale.ts";
import { colourClass, dot, FONT, line, picture, round, text, WIDTH } from "./svg-theme.ts";

export interface Bar {
  readonly name: string;
  readonly product: string;
  readonly kind: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface BarChart {
  readonly title: string;
  /** Of the axis. */
  readonly xTitle: string;
  readonly unit: Unit;
  readonly log: boolean;
  readonly bars: readonly Bar[];
}

const LEFT = 270;
const RIGHT = 90;
const TOP = 62;
const ROW = 24;
const BAR = 14;

export function drawBars({ title, xTitle, unit, log, bars }: BarChart): string {
  const height = TOP + bars.length * ROW + 48;
  const bottom = TOP + bars.length * ROW;
  const values = bars.flatMap(({ low, high }) => [low, high]);
  const scale = log && values.some((value) => value > 0) ? logScale(values) : linearScale(values);
  const width = WIDTH - LEFT - RIGHT;
  const x = (value: number): number => LEFT + scale.at(value) * width;
  return picture(height, title, [
    text(16, 46, "median, least and most of the rounds", "dim"),
    ...scale.ticks.map((tick) => line(x(tick), TOP - 4, x(tick), bottom, "grid")),
    ...spaced(scale.ticks, x).map((tick) =>
      text(x(tick), bottom + 16, tickText(tick, unit), "dim", "middle"),
    ),
    text(LEFT + width / 2, bottom + 36, `${xTitle}${log ? ", logarithmic" : ""}`, "dim", "middle"),
    line(LEFT, TOP - 4, LEFT, bottom, "axis"),
    ...bars.flatMap((bar, i) => {
      const middle = TOP + i * ROW + ROW / 2 - 2;
      const colour = colourClass(bar.product, bar.kind);
      const right = Math.max(x(bar.value), x(bar.high));
      return [
        text(LEFT - 10, middle + FONT / 3, bar.name, bar.kind === "skein" ? "ours" : "", "end"),
        log
          ? dot(x(bar.value), middle, 5, colour)
          : `<rect x="${LEFT}" y="${round(middle - BAR / 2)}" width="${round(x(bar.value) - LEFT)}" height="${BAR}" class="${colour} bar" opacity="0.85"/>`,
        line(x(bar.low), middle, x(bar.high), middle, log ? `${colour} whisker` : "axis"),
        text(right + 8, middle + FONT / 3, quantity(bar.value, unit), bar.kind === "skein" ? "ours" : "dim"),
      ];
    }),
  ]);
}

/** Ticks whose labels do not run into each other. */
function spaced(ticks: readonly number[], x: (value: number) => number): number[] {
  let last = -Infinity;
  return ticks.filter((tick) => {
    if (x(tick) - last < 64) return false;
    last = x(tick);
    return true;
  });
}
