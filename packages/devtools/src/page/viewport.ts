/** Which part of time is shown. It follows the present, a moment behind it, so that nothing jumps; or it stands still. */

/** What is told arrives ten times a second. */
const LAG_US = 250_000;
export const MIN_SPAN_US = 20;
export const MAX_SPAN_US = 600e6;

export class Viewport {
  spanUs = 10e6;
  isPaused = false;
  #endUs = 0;
  /** Of the program's clock against the page's, in microseconds: the one that came with the least delay. */
  #offsetUs = Number.NaN;
  #limitUs = Infinity;

  /** A message has come that was sent at this time of the program. */
  heard(nowUs: number, pageMs: number): void {
    const offset = nowUs - pageMs * 1000;
    if (Number.isNaN(this.#offsetUs) || offset > this.#offsetUs || this.#offsetUs - offset > 2e6)
      this.#offsetUs = offset;
    // The clocks drift apart a little: forget slowly.
    else this.#offsetUs -= 20;
  }

  /** Time ends here: the pool has closed. Infinity: it goes on. */
  stopAt(nowUs: number): void {
    this.#limitUs = nowUs + LAG_US;
  }

  get endUs(): number {
    return this.#endUs;
  }

  get startUs(): number {
    return this.#endUs - this.spanUs;
  }

  /** @returns whether it has moved. */
  advance(pageMs: number): boolean {
    if (this.isPaused || Number.isNaN(this.#offsetUs)) return false;
    const end = Math.min(pageMs * 1000 + this.#offsetUs - LAG_US, this.#limitUs);
    if (end === this.#endUs) return false;
    this.#endUs = end;
    return true;
  }

  /** Stands still, or goes on from the present. */
  pause(isPaused: boolean): void {
    this.isPaused = isPaused;
  }

  /** By a factor, around a point of the span from 0 to 1. Around its end it keeps following. */
  zoom(factor: number, around = 1): void {
    const span = Math.min(MAX_SPAN_US, Math.max(MIN_SPAN_US, this.spanUs * factor));
    if (this.isPaused) this.#endUs += (1 - around) * (span - this.spanUs);
    this.spanUs = span;
  }

  pan(byUs: number): void {
    this.isPaused = true;
    this.#endUs += byUs;
  }

  /** Shows this, with some room around it. */
  show(fromUs: number, toUs: number): void {
    this.isPaused = true;
    this.spanUs = Math.min(MAX_SPAN_US, Math.max(MIN_SPAN_US, (toUs - fromUs) * 1.5));
    this.#endUs = (fromUs + toUs) / 2 + this.spanUs / 2;
  }
}
