/** Where the server allows it: how many threads the pool may have. */
import { control } from "./control.ts";
import { element, setText } from "./element.ts";
import type { Model } from "./model.ts";

export class ThreadControl {
  readonly node: HTMLFormElement;
  readonly #min = element("input", { type: "number", min: "0", max: "1024", id: "min-threads" });
  readonly #max = element("input", { type: "number", min: "1", max: "1024", id: "max-threads" });
  readonly #answer = element("output", {});

  constructor() {
    this.node = element(
      "form",
      { class: "control", hidden: true },
      element("label", { for: "min-threads" }, "threads from"),
      this.#min,
      element("label", { for: "max-threads" }, "to"),
      this.#max,
      element("button", { type: "submit" }, "Set"),
      this.#answer,
    );
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
  }

  show({ hello, sample, isClosed }: Model): void {
    this.node.hidden = hello?.controls !== true || isClosed;
    if (sample === null || this.node.contains(document.activeElement)) return;
    this.#min.value = String(sample.minThreads);
    this.#max.value = String(sample.maxThreads);
  }

  async #send(): Promise<void> {
    const [minThreads, maxThreads] = [this.#min.valueAsNumber, this.#max.valueAsNumber];
    setText(this.#answer, (await control("threads", { minThreads, maxThreads })) || "set");
  }
}
