/** The strips above the lanes: what waits, what is done, how late the event loops are. */
import { count, duration, rate } from "./format.ts";
import type { Model } from "./model.ts";
import type { Palette } from "./palette.ts";
import type { Series } from "./series.ts";
import type { Band, TimelineLayout } from "./timeline-layout.ts";
import type { Viewport } from "./viewport.ts";

export interface Drawing {
  readonly context: CanvasRenderingContext2D;
  readonly palette: Palette;
  readonly layout: TimelineLayout;
  readonly view: Viewport;
}

/** Where a time lies. */
export function xOf({ layout, view }: Drawing, timeUs: number): number {
  return layout.left + ((timeUs - view.startUs) / view.spanUs) * (layout.width - layout.left);
}

export function drawStrips(drawing: Drawing, model: Model): void {
  const { layout, palette } = drawing;
  const { queueSeries, rateSeries, delaySeries, threadDelaySeries } = model;
  const waiting = model.queued.reduce((sum, each) => sum + each, 0);
  const queueTop = drawStacked(drawing, layout.queue, queueSeries, palette.queues);
  label(drawing, layout.queue, "queued", count(waiting), queueTop > 0 ? `max ${count(queueTop)}` : "");
  const rateTop = drawStacked(drawing, layout.rate, rateSeries, [palette.accent]);
  const lastRate = rateSeries.count === 0 ? 0 : rateSeries.value(rateSeries.count - 1);
  label(drawing, layout.rate, "jobs/s", rate(lastRate), rateTop > 0 ? `max ${rate(rateTop)}` : "");
  drawDelay(drawing, layout.delay, "main delay", delaySeries);
  drawDelay(drawing, layout.threadDelay, "pool delay", threadDelaySeries);
}

function drawDelay(drawing: Drawing, band: Band, name: string, series: Series): void {
  const top = drawStacked(drawing, band, series, [drawing.palette.settle]);
  const last = series.count === 0 ? 0 : series.value(series.count - 1);
  label(drawing, band, name, duration(last * 1000), top > 0 ? `max ${duration(top * 1000)}` : "");
}

/** Steps, one area upon the other. @returns the largest sum in the window. */
function drawStacked(drawing: Drawing, band: Band, series: Series, colours: readonly string[]): number {
  const { context, view, layout, palette } = drawing;
  const bottom = band.top + band.height;
  context.fillStyle = palette.rule;
  context.fillRect(layout.left, bottom, layout.width - layout.left, 1);
  if (series.count === 0) return 0;
  const largest = series.largest(view.startUs, view.endUs);
  if (largest === 0) return 0;
  const scale = (band.height - 2) / largest;
  const from = series.holdingAt(view.startUs);
  for (let column = colours.length - 1; column >= 0; column--) {
    context.fillStyle = colours[column]!;
    context.beginPath();
    let x = Math.max(layout.left, xOf(drawing, series.time(from)));
    context.moveTo(x, bottom);
    for (let number = from; number < series.count && series.time(number) <= view.endUs; number++) {
      let sum = 0;
      for (let below = 0; below <= column; below++) sum += series.value(number, below);
      x = Math.max(layout.left, xOf(drawing, series.time(number)));
      const next = number + 1 < series.count ? xOf(drawing, series.time(number + 1)) : layout.width;
      const y = bottom - sum * scale;
      context.lineTo(x, y);
      context.lineTo(Math.min(next, layout.width), y);
      x = Math.min(next, layout.width);
    }
    context.lineTo(x, bottom);
    context.fill();
  }
  return largest;
}

function label({ context, palette }: Drawing, band: Band, name: string, value: string, top: string): void {
  context.textAlign = "left";
  context.fillStyle = palette.faint;
  context.fillText(name, 0, band.top + 9);
  context.fillStyle = palette.ink;
  context.fillText(value, 0, band.top + 24);
  if (top === "" || band.height < 50) return;
  context.fillStyle = palette.faint;
  context.fillText(top, 0, band.top + 39);
}
