/** How results continue on the server's main thread, and on how many threads jobs run: for all scans, at once, those under way too. */
import { request } from "./client.ts";
import { make, makeAlert, makeButton, setText } from "./make.ts";
import type { PolicyName, Settings } from "./wire.ts";

const POLICIES: readonly (readonly [PolicyName, string])[] = [
  ["inline", "at once, on the stack that takes a result in"],
  ["asynchronous", "in a microtask, in the order of the results"],
  ["yield", "a few at a time; the event loop turns in between"],
  ["each", "a third of the files under each of the three"],
];

export class SettingsPanel {
  readonly node: HTMLElement;
  readonly #changed: (settings: Settings) => void;
  readonly #alert = makeAlert();
  readonly #radios: readonly HTMLInputElement[];
  readonly #threads = make("input", { id: "threads", type: "number", min: "1", value: "1" });
  #now: Settings | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(changed: (settings: Settings) => void) {
    this.#changed = changed;
    this.#radios = POLICIES.map(([value]) => make("input", { type: "radio", name: "policy", value }));
    const choices = POLICIES.map(([value, meaning], i) =>
      make(
        "label",
        { className: "choice" },
        this.#radios[i]!,
        make("b", {}, value),
        " ",
        make("span", {}, meaning),
      ),
    );
    for (const radio of this.#radios)
      radio.addEventListener("change", () => this.#put(() => ({ policy: radio.value as PolicyName })));
    this.#threads.addEventListener("change", () => {
      const threads = this.#threads.valueAsNumber;
      this.#put(() => ({ threads }));
    });
    const step = (by: number): void => this.#put(({ threads }) => ({ threads: threads + by }));
    this.node = make(
      "section",
      { className: "card settings", ariaLabel: "Settings" },
      make("h2", {}, "Settings"),
      make("fieldset", {}, make("legend", {}, "Results continue"), ...choices),
      make(
        "div",
        { className: "line stepper" },
        make("label", { htmlFor: "threads" }, "Threads"),
        makeButton("−", () => step(-1), { ariaLabel: "One thread less" }),
        this.#threads,
        makeButton("+", () => step(1), { ariaLabel: "One thread more" }),
      ),
      this.#alert,
    );
  }

  show(settings: Settings): void {
    this.#now = settings;
    for (const radio of this.#radios) radio.checked = radio.value === settings.policy;
    this.#threads.value = String(settings.threads);
  }

  /** One change after the other: each is made to what the one before has come to. */
  #put(change: (now: Settings) => Partial<Settings>): void {
    this.#last = this.#last.then(() => this.#send(change));
  }

  async #send(change: (now: Settings) => Partial<Settings>): Promise<void> {
    const before = this.#now;
    if (before === null) return;
    setText(this.#alert, "");
    try {
      const body = { ...before, ...change(before) };
      this.#changed(await request<Settings>("PUT", "/api/settings", { body }));
    } catch (error) {
      this.show(before);
      setText(this.#alert, (error as Error).message);
    }
  }
}
