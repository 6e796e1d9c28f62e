/** The canvas: draws what the viewport shows, once a frame and only if something has changed; knows what lies under a point. */
import type { Slice } from "../wire.ts";
import { ticksOf } from "./axis.ts";
import { element } from "./element.ts";
import type { Emphasis } from "./emphasis.ts";
import { LanePainter, boxOf } from "./lanes.ts";
import type { Lane } from "./lane.ts";
import type { Model } from "./model.ts";
import { FunctionColours, readPalette, type Palette } from "./palette.ts";
import { type Drawing, drawStrips, xOf } from "./strips.ts";
import { layoutOf, type TimelineLayout } from "./timeline-layout.ts";
import type { Viewport } from "./viewport.ts";

const FONT = "12px system-ui, -apple-system, 'Segoe UI', sans-serif";
/** A slice is found so far beside it. */
const REACH = 4;

export interface Hit {
  readonly lane: Lane;
  readonly slice: Slice;
}

export class Timeline {
  readonly canvas: HTMLCanvasElement;
  readonly colours: FunctionColours = new FunctionColours();
  readonly #model: Model;
  readonly #view: Viewport;
  readonly #painter: LanePainter;
  readonly #context: CanvasRenderingContext2D;
  #palette: Palette = readPalette();
  #layout: TimelineLayout;
  #drawn = "";
  #width = 0;

  constructor(model: Model, view: Viewport) {
    this.#model = model;
    this.#view = view;
    this.#painter = new LanePainter(model, this.colours);
    this.#layout = layoutOf([], 0);
    this.canvas = element("canvas", {
      class: "timeline",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "timeline",
      "aria-label": "What each thread does over time",
      "aria-describedby": "keys",
    });
    this.#context = this.canvas.getContext("2d")!;
    new ResizeObserver(() => this.#measure()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#palette = readPalette();
      this.#drawn = "";
    });
  }

  get left(): number {
    return this.#layout.left;
  }

  get width(): number {
    return this.#layout.width;
  }

  get lanes(): readonly Lane[] {
    return this.#layout.lanes.map(({ lane }) => lane);
  }

  draw(emphasis: Emphasis): void {
    const model = this.#model;
    const view = this.#view;
    const state = `${model.version} ${view.endUs} ${view.spanUs} ${emphasis.selected} ${emphasis.found?.size ?? -1} ${this.#width}`;
    if (state === this.#drawn || this.#width === 0) return;
    this.#drawn = state;
    this.#fit();
    const context = this.#context;
    const drawing: Drawing = { context, palette: this.#palette, layout: this.#layout, view };
    context.clearRect(0, 0, this.#layout.width, this.#layout.height);
    context.font = FONT;
    this.#axis(drawing);
    drawStrips(drawing, model);
    this.#painter.draw(drawing, emphasis);
  }

  /** The time under a point of the canvas. */
  timeAt(x: number): number {
    const { left, width } = this.#layout;
    return this.#view.startUs + ((x - left) / Math.max(1, width - left)) * this.#view.spanUs;
  }

  /** The innermost slice under a point, or close to it. */
  hit(x: number, y: number): Hit | null {
    const band = this.#layout.lanes.find(({ top, height }) => y >= top - 2 && y <= top + height + 2);
    if (band === undefined || x < this.#layout.left) return null;
    const { lane, top, height } = band;
    const reachUs = (REACH * this.#view.spanUs) / Math.max(1, this.#layout.width - this.#layout.left);
    const time = this.timeAt(x);
    let best: Slice | null = null;
    let bestScore = Infinity;
    const consider = (slice: Slice, depth: number): void => {
      const end = slice.end < 0 ? Infinity : slice.end;
      const away = Math.max(0, slice.start - time, time - end);
      if (away > reachUs) return;
      const box = boxOf(slice.kind, lane, top, height, depth);
      const beside = Math.max(0, box.y - y, y - box.y - box.height);
      const score = away / reachUs + beside - depth * 0.01;
      if (score >= bestScore) return;
      best = slice;
      bestScore = score;
    };
    const { slices } = lane;
    for (let number = slices.endingFrom(time - reachUs); number < slices.count; number++) {
      const i = slices.at(number);
      if (slices.start[i]! > time + reachUs) {
        if (slices.depth[i] === 0) break;
        continue;
      }
      consider(sliceOf(lane, i), slices.depth[i]!);
    }
    for (const [depth, slice] of lane.open.entries()) if (slice.kind !== "parked") consider(slice, depth);
    return best === null ? null : { lane, slice: best };
  }

  /** The next run on a lane, from a time on, or the one before it. */
  neighbour(lane: Lane, time: number, direction: 1 | -1): Slice | null {
    const { slices } = lane;
    if (direction > 0) {
      for (let number = slices.endingFrom(time); number < slices.count; number++) {
        const i = slices.at(number);
        if (slices.start[i]! > time && isJobs(lane, i)) return sliceOf(lane, i);
      }
      return lane.open.find(({ start, job }) => start > time && job !== 0) ?? null;
    }
    for (let number = slices.count - 1; number >= slices.first; number--) {
      const i = slices.at(number);
      if (slices.start[i]! < time && isJobs(lane, i)) return sliceOf(lane, i);
    }
    return null;
  }

  #measure(): void {
    const width = this.canvas.clientWidth;
    if (width === this.#width) return;
    this.#width = width;
    this.#drawn = "";
  }

  /** As many pixels as the screen has; as high as there are lanes. */
  #fit(): void {
    this.#layout = layoutOf(this.#model.lanes, this.#width);
    const { width, height } = this.#layout;
    const ratio = devicePixelRatio;
    const pixels = [Math.round(width * ratio), Math.round(height * ratio)] as const;
    if (this.canvas.width !== pixels[0] || this.canvas.height !== pixels[1]) {
      [this.canvas.width, this.canvas.height] = pixels;
      this.canvas.style.height = `${height}px`;
    }
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  #axis(drawing: Drawing): void {
    const { context, palette, layout, view } = drawing;
    context.textAlign = "center";
    for (const { timeUs, label } of ticksOf(view.startUs, view.endUs, layout.width - layout.left)) {
      const x = xOf(drawing, timeUs);
      context.fillStyle = palette.rule;
      context.fillRect(Math.round(x), 18, 1, layout.height - 18);
      context.fillStyle = palette.faint;
      if (x > layout.left + 24 && x < layout.width - 24) context.fillText(label, x, 12);
    }
  }
}

function isJobs({ slices }: Lane, i: number): boolean {
  const kind = slices.kindAt(i);
  return slices.job[i] !== 0 && (kind === "run" || kind === "submit");
}

function sliceOf({ slices }: Lane, i: number): Slice {
  return {
    kind: slices.kindAt(i),
    start: slices.start[i]!,
    end: slices.end[i]!,
    job: slices.job[i]!,
    fn: slices.fn[i]!,
    priority: "normal",
    policy: null,
    outcome: slices.outcomeAt(i),
    ref: 0,
  };
}
