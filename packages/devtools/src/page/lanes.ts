/**
 * Draws the lanes: tens of thousands of slices in a frame. What is narrower than a pixel and lies where the lane is painted already is left
 * out, so that a frame costs as many rectangles as the canvas has pixels across, however many slices there are.
 */
import { KINDS, OUTCOMES, POLICIES, type Slice } from "../wire.ts";
import { drawAwaits } from "./draw-awaits.ts";
import { alphaOf, type Emphasis } from "./emphasis.ts";
import { duration } from "./format.ts";
import type { Lane } from "./lane.ts";
import type { Model } from "./model.ts";
import type { FunctionColours } from "./palette.ts";
import { POLICY_BANDS } from "./policies.ts";
import { type Drawing, xOf } from "./strips.ts";
import type { LaneBand } from "./timeline-layout.ts";

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const MAX_DEPTH = 4;
const DEPTH_STEP = 4;
const LABEL_FROM = 44;
const CHARACTER = 6.4;
const FAILED = OUTCOMES.indexOf("failed");
const CRASHED = OUTCOMES.indexOf("crashed");
const SETTLE = KINDS.indexOf("settle");
/** By kind: what a thread submits is above, what it runs between. Below what it is told: a row for each policy from FIRST_POLICY on. */
const ROWS: readonly number[] = KINDS.map((kind) => (kind === "submit" ? 0 : 1));
const FIRST_POLICY = 2;
const PAINTED = new Float64Array(FIRST_POLICY + POLICIES.length);

export class LanePainter {
  readonly #model: Model;
  readonly #colours: FunctionColours;
  /** Of the selected job, in this frame. */
  #selected: (Rectangle & { readonly kind: string })[] = [];

  constructor(model: Model, colours: FunctionColours) {
    this.#model = model;
    this.#colours = colours;
  }

  draw(drawing: Drawing, emphasis: Emphasis): void {
    this.#selected = [];
    for (const band of drawing.layout.lanes) this.#lane(drawing, band, emphasis);
    this.#outline(drawing);
  }

  #lane(drawing: Drawing, band: LaneBand, emphasis: Emphasis): void {
    const { context, palette, layout, view } = drawing;
    const { lane, top, height } = band;
    const from = Math.max(layout.left, xOf(drawing, lane.from));
    const until = lane.exit === null ? layout.width : xOf(drawing, lane.until);
    context.fillStyle = palette.idle;
    if (until > from) context.fillRect(from, top, Math.min(layout.width, until) - from, height);
    this.#name(drawing, band);
    context.save();
    context.beginPath();
    context.rect(layout.left, top, layout.width - layout.left, height);
    context.clip();
    const deepest = this.#slices(drawing, band, emphasis, 0);
    for (let depth = 1; depth <= Math.min(MAX_DEPTH, deepest); depth++)
      this.#slices(drawing, band, emphasis, depth);
    this.#open(drawing, band, emphasis);
    drawAwaits(drawing, band, this.#model, this.#colours, emphasis);
    if (lane.exit !== null && lane.until >= view.startUs) this.#exit(drawing, band);
    context.restore();
    context.globalAlpha = 1;
  }

  /** Of one depth. @returns the largest depth that it has met. */
  #slices(drawing: Drawing, { lane, top, height }: LaneBand, emphasis: Emphasis, depth: number): number {
    const { context, view, layout } = drawing;
    const { slices } = lane;
    const { found, selected } = emphasis;
    const { startUs, endUs } = view;
    const scale = (layout.width - layout.left) / view.spanUs;
    const { start: starts, end: ends, job: jobs, depth: depths, kind: kinds, outcome: outcomes } = slices;
    let deepest = 0;
    // Up to where each row is painted.
    PAINTED.fill(-Infinity);
    for (let number = slices.endingFrom(startUs); number < slices.count; number++) {
      const i = slices.at(number);
      const start = starts[i]!;
      const itsDepth = depths[i]!;
      if (itsDepth > deepest) deepest = itsDepth;
      if (start > endUs || Math.min(itsDepth, MAX_DEPTH) !== depth) continue;
      const x = layout.left + (start - startUs) * scale;
      const width = Math.max(1, (ends[i]! - start) * scale);
      const policy = slices.policy[i]!;
      const row = kinds[i] === SETTLE ? FIRST_POLICY + policy : ROWS[kinds[i]!]!;
      const job = jobs[i]!;
      const isSelected = selected !== 0 && job === selected;
      const isPainted =
        width === 1 && x + 1 < PAINTED[row]! && outcomes[i]! !== FAILED && outcomes[i]! !== CRASHED;
      if (isPainted && !isSelected && (found === null || !found.has(job))) continue;
      const kind = slices.kindAt(i);
      const colour = this.#colourOf(drawing, kind, slices.fn[i]!, slices.outcomeAt(i), policy);
      if (context.fillStyle !== colour) context.fillStyle = colour;
      if (found !== null) context.globalAlpha = alphaOf(emphasis, job);
      const box = boxOf(kind, lane, top, height, depth);
      // The index of `default`, whose band is the whole box, is that of all other kinds.
      for (const [from, to] of POLICY_BANDS[policy]!)
        context.fillRect(
          x,
          box.y + from * box.height,
          width > 3 ? width - 0.5 : width,
          (to - from) * box.height,
        );
      if (width > LABEL_FROM && box.height > 12 && isRun(kind))
        this.#title(drawing, slices.fn[i]!, x, box, width, slices.outcomeAt(i));
      if (isSelected) this.#selected.push({ x, width, kind, ...box });
      PAINTED[row] = x + width + 0.4;
    }
    return deepest;
  }

  /** What goes on: up to the edge of the present. */
  #open(drawing: Drawing, { lane, top, height }: LaneBand, emphasis: Emphasis): void {
    const { context } = drawing;
    const now = Math.max(this.#model.nowUs, drawing.view.endUs);
    let depth = 0;
    for (const slice of lane.open) {
      if (slice.kind === "parked") continue;
      const x = xOf(drawing, slice.start);
      const width = Math.max(1, xOf(drawing, now) - x);
      const box = boxOf(slice.kind, lane, top, height, Math.min(depth++, MAX_DEPTH));
      context.globalAlpha = alphaOf(emphasis, slice.job);
      context.fillStyle = this.#colourOf(drawing, slice.kind, slice.fn, null, 0);
      context.fillRect(x, box.y, width, box.height);
      if (width > LABEL_FROM && box.height > 12 && isRun(slice.kind))
        this.#title(drawing, slice.fn, x, box, width, null);
      if (emphasis.selected !== 0 && slice.job === emphasis.selected)
        this.#selected.push({ x, width, kind: slice.kind, ...box });
    }
  }

  #exit(drawing: Drawing, { lane, top, height }: LaneBand): void {
    const { context, palette } = drawing;
    const { exit } = lane;
    const x = xOf(drawing, lane.until);
    context.fillStyle = exit!.crashed ? palette.bad : palette.faint;
    context.fillRect(x, top, 2, height);
    const text = exit!.crashed ? `crashed, exit code ${exit!.exitCode}` : "ended";
    context.textAlign = "left";
    context.fillText(text, x + 7, top + height / 2 + 4);
  }

  #name({ context, palette, layout }: Drawing, { lane, top, height }: LaneBand): void {
    context.textAlign = "left";
    context.fillStyle = lane.exit === null ? palette.ink : palette.faint;
    const { busy } = lane;
    const isNarrow = layout.left < 100;
    const name = isNarrow ? lane.name.replace("thread", "thr.") : lane.name;
    context.fillText(name, 0, top + height / 2 + (busy === null || lane.exit !== null ? 4 : -2));
    if (busy === null || lane.exit !== null) return;
    context.fillStyle = palette.rule;
    context.fillRect(0, top + height - 9, layout.left - 16, 4);
    context.fillStyle = palette.accent;
    context.fillRect(0, top + height - 9, (layout.left - 16) * busy, 4);
  }

  #title(
    { context, palette, layout }: Drawing,
    fn: number,
    x: number,
    { y, height }: { readonly y: number; readonly height: number },
    width: number,
    outcome: string | null,
  ): void {
    const from = Math.max(x, layout.left);
    const room = Math.floor((x + width - from - 10) / CHARACTER);
    if (room < 3) return;
    const name = this.#model.functionName(fn);
    const { fillStyle } = context;
    context.fillStyle = outcome === "failed" || outcome === "crashed" ? palette.onBad : palette.onFunction;
    context.textAlign = "left";
    context.fillText(name.length > room ? `${name.slice(0, room - 1)}…` : name, from + 5, y + height / 2 + 4);
    context.fillStyle = fillStyle;
  }

  #outline({ context, palette }: Drawing): void {
    if (this.#selected.length === 0) return;
    context.strokeStyle = palette.ink;
    context.lineWidth = 1.5;
    for (const { x, y, width, height } of this.#selected)
      context.strokeRect(x - 1, y - 1, width + 2, height + 2);
    const inOrder = this.#selected.toSorted((a, b) => a.x - b.x);
    context.globalAlpha = 0.6;
    context.lineWidth = 1;
    context.beginPath();
    for (const [i, { x, y, width, height }] of inOrder.entries()) {
      const next = inOrder[i + 1];
      if (next === undefined || next.y === y) continue;
      const fromX = x + Math.min(width, 2);
      context.moveTo(fromX, y + height / 2);
      const middle = (fromX + next.x) / 2;
      context.bezierCurveTo(
        middle,
        y + height / 2,
        middle,
        next.y + next.height / 2,
        next.x,
        next.y + next.height / 2,
      );
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  #colourOf({ palette }: Drawing, kind: string, fn: number, outcome: string | null, policy: number): string {
    switch (kind) {
      case "run":
      case "resume":
        if (outcome === "failed" || outcome === "crashed") return palette.bad;
        return palette.functions[this.#colours.numberOf(fn)]!;
      case "finish":
        return palette.functions[this.#colours.numberOf(fn)]!;
      case "submit":
        return palette.submit;
      case "settle":
        return outcome === "failed" || outcome === "crashed" ? palette.bad : palette.policies[policy]!;
      case "cancel":
        return palette.bad;
      case "start":
        return palette.start;
      default:
        return palette.faint;
    }
  }
}

function isRun(kind: string): boolean {
  return kind === "run" || kind === "resume";
}

/** Above and below: what a thread submits, and what it is told. Between: what it runs. */
export function boxOf(
  kind: string,
  lane: Lane,
  top: number,
  height: number,
  depth: number,
): { readonly y: number; readonly height: number } {
  const isMain = lane.index < 0;
  const inset = depth * DEPTH_STEP;
  switch (kind) {
    case "submit":
      return isMain ? { y: top + 2, height: height / 2 - 3 } : { y: top, height: 4 };
    case "settle":
      return isMain
        ? { y: top + height / 2 + 1, height: height / 2 - 3 }
        : { y: top + height - 6, height: 6 };
    case "finish":
      return { y: top + height - 6, height: 6 };
    case "joining":
      return { y: top + height / 2 - 1, height: 2 };
    case "steal":
    case "cancel":
      return { y: top, height: 6 };
    default:
      return { y: top + 3 + inset, height: Math.max(6, height - 6 - 2 * inset) };
  }
}

/** For the pointer: what it is at, and how long it has taken. */
export function describeSlice(model: Model, lane: Lane, slice: Slice): string[] {
  const took = duration((slice.end < 0 ? model.nowUs : slice.end) - slice.start);
  const name = model.functionName(slice.fn);
  const titles: Readonly<Record<string, string>> = {
    run: name,
    resume: `${name}, goes on`,
    finish: `${name}: its outcome is written`,
    submit: `submits ${name}`,
    settle: `${name} settles`,
    joining: "waits in join",
    start: "the thread starts",
    steal: `${name}: taken from another thread`,
    cancel: `${name}: asked to stop`,
  };
  const outcome = slice.outcome === null || slice.outcome === "completed" ? "" : `, ${slice.outcome}`;
  const policy = slice.kind === "settle" ? (model.jobs.get(slice.job)?.policy ?? "default") : "default";
  const continuation = policy === "default" ? "" : `, continuation ${policy}`;
  const facts = `${lane.name}, ${slice.end < 0 ? "for " : ""}${took}${outcome}${continuation}`;
  return [titles[slice.kind] ?? slice.kind, facts];
}
