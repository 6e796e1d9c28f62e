/** Whose scans, and whose log lines: found by their correlation id. */
import { formatPlural, printable } from "../../wording.ts";
import { request } from "./client.ts";
import { make, makeAlert, makeButton, setText } from "./make.ts";
import { figuresOf, nameOf, stateOf } from "./scan-words.ts";
import type { LogLine, Scan } from "./wire.ts";

const LINES = 200;
/** Shown in columns of their own, or said by the heading. */
const KNOWN = new Set(["time", "level", "msg"]);

export interface LookupEvents {
  search(id: string): void;
  choose(scan: string): void;
}

export class Lookup {
  /** The field. */
  readonly form: HTMLFormElement;
  /** What was found. */
  readonly node: HTMLElement;
  readonly #events: LookupEvents;
  readonly #field = make("input", {
    type: "search",
    id: "correlation",
    placeholder: "correlation id",
    spellcheck: false,
    autocomplete: "off",
  });
  readonly #title = make("h2");
  readonly #scans = make("ul", { className: "found" });
  readonly #lines = make("tbody");
  readonly #summary = make("p", { className: "about", ariaLive: "polite" });
  readonly #alert = makeAlert();
  #id = "";
  #asked = new AbortController();

  constructor(events: LookupEvents) {
    this.#events = events;
    this.form = make(
      "form",
      { className: "line", role: "search" },
      make("label", { htmlFor: "correlation", className: "unseen" }, "Find by correlation id"),
      this.#field,
      make("button", { type: "submit" }, "Find"),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      events.search(this.#field.value.trim());
    });
    // The cross of the field empties it.
    this.#field.addEventListener("search", () => {
      if (this.#field.value === "") events.search("");
    });
    const headings = ["time", "level", "message", "details"].map((title) =>
      make("th", { scope: "col" }, title),
    );
    this.node = make(
      "section",
      { className: "card lookup", ariaLabel: "Found by correlation id", hidden: true },
      make(
        "div",
        { className: "head" },
        this.#title,
        makeButton("Close", () => events.search("")),
      ),
      this.#summary,
      this.#alert,
      this.#scans,
      make(
        "div",
        { className: "scroll", tabIndex: 0, role: "group", ariaLabel: "Log lines" },
        make(
          "table",
          {},
          make("caption", { className: "unseen" }, "Log lines"),
          make("thead", {}, make("tr", {}, ...headings)),
          this.#lines,
        ),
      ),
    );
  }

  async show(id: string): Promise<void> {
    if (id === this.#id) return;
    this.#id = id;
    this.#field.value = id;
    this.node.hidden = id === "";
    setText(this.#title, printable(id));
    await this.again();
  }

  /** Asks once more for the same id. */
  async again(): Promise<void> {
    this.#asked.abort();
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    const id = this.#id;
    if (id === "") return;
    setText(this.#alert, "");
    const query = new URLSearchParams({ correlationId: id, limit: String(LINES) });
    try {
      const [{ scans }, { lines }] = await Promise.all([
        request<{ scans: readonly Scan[] }>("GET", `/api/scans?${query}`, { signal }),
        request<{ lines: readonly LogLine[] }>("GET", `/api/log?${query}`, { signal }),
      ]);
      setText(
        this.#summary,
        `${formatPlural(scans.length, "scan")}, ${formatPlural(lines.length, "log line")}`,
      );
      this.#scans.replaceChildren(...scans.map((scan) => this.#scanItem(scan)));
      this.#lines.replaceChildren(...lines.map(lineRow));
    } catch (error) {
      if (!signal.aborted) setText(this.#alert, (error as Error).message);
    }
  }

  #scanItem(scan: Scan): HTMLLIElement {
    const name = makeButton(nameOf(scan), () => this.#events.choose(scan.id), { className: "link" });
    return make("li", {}, name, ` ${stateOf(scan)}, ${figuresOf(scan)}`);
  }
}

function lineRow(line: LogLine): HTMLTableRowElement {
  const details = Object.entries(line)
    .filter(([name]) => !KNOWN.has(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return make(
    "tr",
    {},
    make("td", {}, textOf(line["time"]).slice(11, 23)),
    make("td", {}, textOf(line["level"])),
    make("td", {}, textOf(line["msg"])),
    make("td", { className: "path" }, printable(details.join(" "))),
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? printable(String(value)) : "";
}
