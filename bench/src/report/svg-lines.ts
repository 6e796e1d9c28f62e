/** Lines over the points of a group, each with its name at its end, and a whisker from the least to the most of its rounds. */
import { position, tick as tickText } from "./quantities.ts";
import type { Unit } from "../method/scenario.ts";
import { linearScale, logScale, pointScale } from "./svg-scale.ts";
import { colourClass, dot, FONT, line, picture, round, text, WIDTH } from "./svg-theme.ts";

export interface LineMark {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

export interface Line {
  readonly name: string;
  readonly product: string;
  readonly kind: string;
  readonly marks: readonly LineMark[];
}

export interface LineChart {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly unit: Unit;
  readonly xLog: boolean;
  readonly yLog: boolean;
  readonly lines: readonly Line[];
}

const LEFT = 82;
const RIGHT = 250;
const TOP = 62;
const BOTTOM = 56;
const LEAST_HEIGHT = 440;
const LABEL_HEIGHT = FONT + 4;

export function drawLines(chart: LineChart): string {
  const { title, xTitle, yTitle, unit, xLog, yLog, lines } = chart;
  const height = Math.max(LEAST_HEIGHT, TOP + BOTTOM + lines.length * LABEL_HEIGHT);
  const marks = lines.flatMap((own) => own.marks);
  const xs = [...new Set(marks.map(({ x }) => x))].toSorted((a, b) => a - b);
  const xScale = pointScale(xs, xLog);
  const ys = marks.flatMap(({ low, high }) => [low, high]);
  const yScale = yLog ? logScale(ys) : linearScale(ys);
  const width = WIDTH - LEFT - RIGHT;
  const bottom = height - BOTTOM;
  const x = (value: number): number => LEFT + xScale.at(value) * width;
  const y = (value: number): number => bottom - yScale.at(value) * (bottom - TOP);
  const visible = lines.map(({ name, product, kind, marks: all }): Line => ({
    name,
    product,
    kind,
    marks: all.filter((mark) => !xLog || mark.x > 0),
  }));
  return picture(height, title, [
    text(16, 46, `${yTitle}${yLog ? ", logarithmic" : ""}; median, least and most of the rounds`, "dim"),
    ...yScale.ticks.flatMap((tick) => [
      line(LEFT, y(tick), LEFT + width, y(tick), "grid"),
      text(LEFT - 8, y(tick) + 4, tickText(tick, unit), "dim", "end"),
    ]),
    line(LEFT, bottom, LEFT + width, bottom, "axis"),
    ...xScale.ticks.map((tick) => text(x(tick), bottom + 18, position(tick, xTitle), "dim", "middle")),
    text(LEFT + width / 2, bottom + 40, `${xTitle}${xLog ? ", logarithmic" : ""}`, "dim", "middle"),
    // Ours last: on top.
    ...visible.toReversed().flatMap((own) => drawLine(own, x, y)),
    ...labels(visible, x, y, LEFT + width + 14, bottom),
  ]);
}

function drawLine(own: Line, x: (value: number) => number, y: (value: number) => number): string[] {
  const colour = colourClass(own.product, own.kind);
  const ours = own.kind === "skein" ? " ours" : "";
  const points = own.marks.map((mark) => `${round(x(mark.x))},${round(y(mark.y))}`).join(" ");
  return [
    ...own.marks.map((mark) => line(x(mark.x), y(mark.low), x(mark.x), y(mark.high), `${colour} whisker`)),
    `<polyline points="${points}" class="${colour} line${ours}" style="fill:none"/>`,
    ...own.marks.map((mark) => dot(x(mark.x), y(mark.y), ours === "" ? 2.6 : 3.8, colour)),
  ];
}

/** Beside the last mark of each line, moved apart where they would overlap, in the order of the lines' ends. */
function labels(
  lines: readonly Line[],
  x: (value: number) => number,
  y: (value: number) => number,
  left: number,
  bottom: number,
): string[] {
  const right = Math.max(...lines.flatMap(({ marks }) => marks.map((mark) => x(mark.x))));
  const [short, whole] = partition(lines, ({ marks }) => x(marks.at(-1)?.x ?? 0) < right);
  const ends = whole
    .filter(({ marks }) => marks.length > 0)
    .map((own) => ({ own, last: own.marks.at(-1)! }))
    .map(({ own, last }) => ({ own, fromX: x(last.x), fromY: y(last.y), y: y(last.y) }))
    .toSorted((a, b) => a.y - b.y);
  let least = TOP - 8;
  for (const end of ends) {
    end.y = Math.max(end.y, least);
    least = end.y + LABEL_HEIGHT;
  }
  let most = bottom;
  for (const end of ends.toReversed()) {
    end.y = Math.min(end.y, most);
    most = end.y - LABEL_HEIGHT;
  }
  const inside = [...Map.groupBy(short, ({ marks }) => marks.at(-1)?.x)].flatMap(([at, group]) =>
    at === undefined ? [] : stack(group, x(at), y),
  );
  return inside.concat(
    ends.flatMap(({ own, fromX, fromY, y: at }) => {
      const colour = colourClass(own.product, own.kind);
      return [
        line(fromX + 4, fromY, left - 2, at, `${colour} whisker`),
        text(left + 2, at + 4, own.name, own.kind === "skein" ? "ours" : ""),
      ];
    }),
  );
}

/** The names of lines that end within the picture, at one place: one above the other, in the order of their ends. */
function stack(lines: readonly Line[], fromX: number, y: (value: number) => number): string[] {
  const sorted = lines.toSorted((a, b) => b.marks.at(-1)!.y - a.marks.at(-1)!.y);
  const bottom = y(sorted[0]!.marks.at(-1)!.y) - LABEL_HEIGHT / 2;
  return sorted.flatMap(({ name, product, kind }, i) => {
    const at = bottom - (sorted.length - 1 - i) * LABEL_HEIGHT;
    return [dot(fromX + 12, at - 4, 2.6, colourClass(product, kind)), text(fromX + 19, at, name)];
  });
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
