/** A scan in the list: its progress, and what can be done with it. It changes in place, so that nobody loses the button under the finger. */
import { request } from "./client.ts";
import { make, makeAlert, makeButton, setText } from "./make.ts";
import { figuresOf, isUnderWay, nameOf, stateOf, timeOf } from "./scan-words.ts";
import type { Scan } from "./wire.ts";

const DELETE = "Delete";
const REALLY = "Delete for good";

export class ScanRow {
  readonly node: HTMLLIElement = make("li", { className: "scan" });
  readonly #name = make("button", { type: "button", className: "link" });
  readonly #about = make("span", { className: "about" });
  readonly #state = make("span", { className: "state" });
  readonly #bar = make("progress");
  readonly #cancel: HTMLButtonElement;
  readonly #resume: HTMLButtonElement;
  readonly #delete: HTMLButtonElement;
  readonly #alert = makeAlert();
  #scan: Scan;

  constructor(scan: Scan, choose: (id: string) => void) {
    this.#scan = scan;
    this.#name.addEventListener("click", () => choose(scan.id));
    this.#cancel = makeButton("Cancel", () => void this.#ask("POST", "/cancel"));
    this.#resume = makeButton("Resume", () => void this.#ask("POST", "/resume"));
    this.#delete = makeButton(DELETE, () => void this.#askToDelete());
    this.#delete.addEventListener("blur", () => setText(this.#delete, DELETE));
    this.node.append(
      make("div", { className: "head" }, this.#name, this.#state),
      this.#bar,
      make("div", { className: "foot" }, this.#about, this.#cancel, this.#resume, this.#delete),
      this.#alert,
    );
  }

  get scan(): Scan {
    return this.#scan;
  }

  show(scan: Scan, isChosen: boolean): void {
    this.#scan = scan;
    const name = nameOf(scan);
    const isActive = isUnderWay(scan);
    setText(this.#name, name);
    setText(this.#state, stateOf(scan));
    setText(this.#about, `${timeOf(scan.startedAt)} · ${figuresOf(scan)}`);
    this.node.dataset["state"] = scan.state;
    this.#name.ariaCurrent = isChosen ? "true" : null;
    this.#bar.ariaLabel = `Progress of ${name}`;
    this.#bar.hidden = !isActive && scan.state !== "interrupted";
    this.#bar.max = Math.max(1, scan.files.total);
    this.#bar.value = scan.files.done;
    this.#place(this.#cancel, isActive, `Cancel ${name}`);
    this.#place(this.#resume, scan.state === "interrupted" || scan.state === "cancelled", `Resume ${name}`);
    this.#place(this.#delete, !isActive, `Delete ${name}`);
  }

  /** A button that goes away hands the focus to the name. */
  #place(button: HTMLButtonElement, isOffered: boolean, description: string): void {
    button.title = description;
    if (button.hidden === !isOffered) return;
    const hadFocus = button === document.activeElement;
    button.hidden = !isOffered;
    if (hadFocus) this.#name.focus();
  }

  async #askToDelete(): Promise<void> {
    if (this.#delete.textContent === REALLY) await this.#ask("DELETE", "");
    else setText(this.#delete, REALLY);
  }

  /** What comes of it the feed says, in its order. */
  async #ask(method: "POST" | "DELETE", action: string): Promise<void> {
    setText(this.#alert, "");
    try {
      await request(method, `/api/scans/${this.#scan.id}${action}`);
    } catch (error) {
      setText(this.#alert, (error as Error).message);
    }
  }
}
