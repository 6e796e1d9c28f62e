/** Draws when jobs await something: a line below the lane, from where the function has returned a promise. */
import { alphaOf, type Emphasis } from "./emphasis.ts";
import type { Model } from "./model.ts";
import type { FunctionColours } from "./palette.ts";
import { type Drawing, xOf } from "./strips.ts";
import type { LaneBand } from "./timeline-layout.ts";

const HEIGHT = 3;

export function drawAwaits(
  drawing: Drawing,
  { lane, top, height }: LaneBand,
  model: Model,
  colours: FunctionColours,
  emphasis: Emphasis,
): void {
  const { context, palette, view } = drawing;
  const y = top + height - HEIGHT;
  const draw = (start: number, end: number, job: number, fn: number): void => {
    const x = xOf(drawing, start);
    context.globalAlpha = alphaOf(emphasis, job);
    context.fillStyle = palette.functions[colours.numberOf(fn)]!;
    context.fillRect(x, y, Math.max(1, xOf(drawing, end) - x), HEIGHT);
  };
  const { awaits } = lane;
  let paintedUs = -Infinity;
  const pixelUs = view.spanUs / Math.max(1, drawing.layout.width - drawing.layout.left);
  for (let number = awaits.first; number < awaits.count; number++) {
    const i = awaits.at(number);
    const [start, end, job] = [awaits.start[i]!, awaits.end[i]!, awaits.job[i]!];
    if (end < view.startUs || start > view.endUs) continue;
    // What lies within a pixel of what is painted already shows nothing more.
    if (emphasis.found === null && start >= paintedUs - pixelUs && end <= paintedUs + pixelUs) continue;
    draw(start, end, job, awaits.fn[i]!);
    paintedUs = end;
  }
  const now = Math.max(model.nowUs, view.endUs);
  for (const job of model.awaiting)
    if (job.lane === lane.threadId && job.awaitingSince >= 0) draw(job.awaitingSince, now, job.id, job.fn);
  context.globalAlpha = 1;
}
