/** Pointer, wheel and keys of the timeline. */
import { element } from "./element.ts";
import type { Lane } from "./lane.ts";
import { describeSlice } from "./lanes.ts";
import type { Model } from "./model.ts";
import type { Timeline } from "./timeline.ts";
import type { Viewport } from "./viewport.ts";

export interface TimelineEvents {
  /** 0: none. */
  selected(job: number): void;
  /** The user has paused, panned or zoomed. */
  moved(): void;
  said(sentence: string): void;
}

const ZOOM = 1.35;
const DRAG_FROM = 4;

export class TimelineInput {
  readonly tip: HTMLElement = element("div", { class: "tip", hidden: true });
  readonly #timeline: Timeline;
  readonly #model: Model;
  readonly #view: Viewport;
  readonly #events: TimelineEvents;
  #drag: { readonly x: number; last: number; hasMoved: boolean } | null = null;
  /** Where keys move from. */
  #lane: Lane | null = null;
  #time: number | null = null;

  constructor(timeline: Timeline, model: Model, view: Viewport, events: TimelineEvents) {
    this.#timeline = timeline;
    this.#model = model;
    this.#view = view;
    this.#events = events;
    const { canvas } = timeline;
    canvas.addEventListener("pointerdown", (event) => this.#pressed(event));
    canvas.addEventListener("pointermove", (event) => this.#pointed(event));
    canvas.addEventListener("pointerup", (event) => this.#released(event));
    canvas.addEventListener("pointercancel", () => (this.#drag = null));
    canvas.addEventListener("pointerleave", () => (this.tip.hidden = true));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  #pressed(event: PointerEvent): void {
    this.#drag = { x: event.clientX, last: event.clientX, hasMoved: false };
    this.#timeline.canvas.setPointerCapture(event.pointerId);
  }

  #pointed(event: PointerEvent): void {
    const drag = this.#drag;
    if (drag === null) {
      this.#point(event);
      return;
    }
    if (!drag.hasMoved && Math.abs(event.clientX - drag.x) < DRAG_FROM) return;
    drag.hasMoved = true;
    this.tip.hidden = true;
    this.#view.pan(-(event.clientX - drag.last) * this.#usPerPixel);
    drag.last = event.clientX;
    this.#events.moved();
  }

  #released(event: PointerEvent): void {
    const drag = this.#drag;
    this.#drag = null;
    if (drag === null || drag.hasMoved) return;
    const hit = this.#timeline.hit(event.offsetX, event.offsetY);
    if (hit !== null) {
      this.#lane = hit.lane;
      this.#time = hit.slice.start;
    }
    this.#events.selected(hit?.slice.job ?? 0);
  }

  #point({ offsetX, offsetY, pointerType }: PointerEvent): void {
    const { canvas } = this.#timeline;
    const hit = pointerType === "touch" ? null : this.#timeline.hit(offsetX, offsetY);
    this.tip.hidden = hit === null;
    canvas.classList.toggle("pointing", hit !== null && hit.slice.job !== 0);
    if (hit === null) return;
    const [title, more] = describeSlice(this.#model, hit.lane, hit.slice);
    this.tip.replaceChildren(element("b", {}, title!), element("span", {}, more!));
    const room = canvas.clientWidth - this.tip.offsetWidth - 8;
    this.tip.style.left = `${Math.max(4, Math.min(room, offsetX + 14))}px`;
    this.tip.style.top = `${offsetY + canvas.offsetTop + 18}px`;
  }

  /** With Ctrl, as pinching is told, or upright: zooms around the pointer. Sideways: moves. The page scrolls where nothing is done. */
  #wheel(event: WheelEvent): void {
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.#view.pan(event.deltaX * this.#usPerPixel);
      this.#events.moved();
      return;
    }
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
    event.preventDefault();
    const { left, width } = this.#timeline;
    const around = Math.min(1, Math.max(0, (event.offsetX - left) / Math.max(1, width - left)));
    this.#view.zoom(event.deltaY > 0 ? ZOOM : 1 / ZOOM, this.#view.isPaused ? around : 1);
    this.#events.moved();
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = this.#actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  }

  readonly #actions: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => this.#step(-1),
    ArrowRight: () => this.#step(1),
    ArrowUp: () => this.#changeLane(-1),
    ArrowDown: () => this.#changeLane(1),
    "+": () => this.zoom(1 / ZOOM),
    "=": () => this.zoom(1 / ZOOM),
    "-": () => this.zoom(ZOOM),
    Home: () => this.#pan(-0.5),
    End: () => this.#pan(0.5),
    Escape: () => this.#events.selected(0),
  };

  zoom(factor: number): void {
    this.#view.zoom(factor, this.#view.isPaused ? 0.5 : 1);
    this.#events.moved();
  }

  #pan(part: number): void {
    this.#view.pan(part * this.#view.spanUs);
    this.#events.moved();
  }

  /** To the next job on this lane, or the one before. */
  #step(direction: 1 | -1): void {
    const lane = this.#currentLane();
    if (lane === null) return;
    const from = this.#time ?? (direction > 0 ? this.#view.startUs : this.#view.endUs);
    const slice = this.#timeline.neighbour(lane, from, direction);
    if (slice === null) {
      this.#events.said(`No ${direction > 0 ? "later" : "earlier"} job on ${lane.name}.`);
      return;
    }
    this.#time = slice.start;
    this.#view.pause(true);
    if (slice.start < this.#view.startUs || slice.start > this.#view.endUs)
      this.#view.pan(slice.start - (this.#view.startUs + this.#view.spanUs / 2));
    this.#events.selected(slice.job);
    this.#events.moved();
  }

  #changeLane(by: 1 | -1): void {
    const { lanes } = this.#timeline;
    const at = this.#lane === null ? -1 : lanes.indexOf(this.#lane);
    const lane = lanes[Math.min(lanes.length - 1, Math.max(0, at + by))];
    if (lane === undefined) return;
    this.#lane = lane;
    this.#events.said(lane.name);
  }

  #currentLane(): Lane | null {
    const { lanes } = this.#timeline;
    if (this.#lane === null || !lanes.includes(this.#lane))
      this.#lane = lanes.find(({ index }) => index >= 0) ?? lanes[0] ?? null;
    return this.#lane;
  }

  get #usPerPixel(): number {
    return this.#view.spanUs / Math.max(1, this.#timeline.width - this.#timeline.left);
  }
}
