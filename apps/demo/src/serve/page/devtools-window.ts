/**
 * The devtools, which show what the threads do: beside the page, or in a tab of their own. They are on the server's machine, and let only
 * pages of that have them in a frame. The frame is there only while it is shown: without a viewer nothing is recorded.
 */
import { make, makeButton } from "./make.ts";

const LOCAL = new Set(["127.0.0.1", "localhost"]);

export class DevtoolsWindow {
  readonly button: HTMLButtonElement;
  readonly link: HTMLAnchorElement = make(
    "a",
    { className: "button", target: "_blank", rel: "noopener", hidden: true },
    "Devtools in a tab",
  );
  readonly node: HTMLElement = make("aside", { id: "devtools", ariaLabel: "Devtools", hidden: true });
  #url: string | null = null;
  #isWanted = false;
  #frame: HTMLIFrameElement | null = null;

  /** @param toggled is called when somebody wants it beside the page, or no longer. */
  constructor(toggled: (isWanted: boolean) => void) {
    this.button = makeButton("Devtools", () => toggled(!this.#isWanted), { hidden: true });
    this.button.setAttribute("aria-controls", this.node.id);
    this.#draw();
  }

  /** @param url where they are; null: nowhere. */
  found(url: string | null): void {
    if (url === this.#url) return;
    this.#url = url;
    this.#draw();
  }

  show(isWanted: boolean): void {
    this.#isWanted = isWanted;
    this.#draw();
  }

  #draw(): void {
    const url = this.#url;
    this.link.hidden = url === null;
    this.link.href = url ?? "";
    this.button.hidden = url === null || !LOCAL.has(location.hostname);
    const shown = this.button.hidden || !this.#isWanted ? null : url;
    this.button.ariaExpanded = String(shown !== null);
    this.node.hidden = shown === null;
    if ((this.#frame?.src ?? null) === shown) return;
    this.#frame = shown === null ? null : makeFrame(shown);
    this.node.replaceChildren(...(this.#frame === null ? [] : [this.#frame]));
  }
}

/** It may run its own scripts and give its trace away, and no more: this page stays where it is. */
function makeFrame(src: string): HTMLIFrameElement {
  const frame = make("iframe", { title: "Devtools: what the threads do", referrerPolicy: "no-referrer" });
  frame.sandbox.add("allow-scripts", "allow-same-origin", "allow-downloads");
  frame.src = src;
  return frame;
}
