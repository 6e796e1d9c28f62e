/** Where what lies on the canvas, from top to bottom, in CSS pixels. */
import type { Lane } from "./lane.ts";

const AXIS = 24;
const QUEUE = 54;
const STRIP = 34;
const GAP = 8;
const LANE = 30;
const LANE_GAP = 4;
const PHONE = 620;

export interface Band {
  readonly top: number;
  readonly height: number;
}

export interface LaneBand extends Band {
  readonly lane: Lane;
}

export interface TimelineLayout {
  readonly width: number;
  readonly height: number;
  /** Where time begins. */
  readonly left: number;
  readonly axis: Band;
  readonly queue: Band;
  readonly rate: Band;
  readonly delay: Band;
  readonly threadDelay: Band;
  readonly lanes: readonly LaneBand[];
}

export function layoutOf(lanes: readonly Lane[], width: number): TimelineLayout {
  let top = 0;
  const band = (height: number, gap = GAP): Band => {
    const made = { top, height };
    top += height + gap;
    return made;
  };
  const axis = band(AXIS, 2);
  const queue = band(QUEUE);
  const rate = band(STRIP);
  const delay = band(STRIP);
  const threadDelay = band(STRIP);
  const bands = lanes.map((lane) => ({ lane, ...band(LANE, LANE_GAP) }));
  return {
    width,
    height: top + GAP,
    left: width < PHONE ? 74 : 104,
    axis,
    queue,
    rate,
    delay,
    threadDelay,
    lanes: bands,
  };
}
