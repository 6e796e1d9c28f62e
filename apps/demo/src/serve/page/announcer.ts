/** Tells a screen reader what happens to scans: changes at once, progress now and then. */
import { make } from "./make.ts";

const PROGRESS_MS = 10_000;

export class Announcer {
  readonly node: HTMLElement = make("p", { className: "unseen", ariaLive: "polite" });
  #saidMs = -Infinity;

  say(text: string): void {
    this.#saidMs = performance.now();
    this.node.textContent = text;
  }

  sayProgress(text: string): void {
    if (performance.now() - this.#saidMs >= PROGRESS_MS) this.say(text);
  }
}
