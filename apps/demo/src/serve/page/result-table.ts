/** One of the tables of a scan: a page of it at a time, filtered and sorted by the server. */
import { formatCount, formatPlural, printable } from "../../wording.ts";
import type { Order, Place } from "./address.ts";
import { request } from "./client.ts";
import { make, makeButton, setText } from "./make.ts";
import type { Row, Rows } from "./wire.ts";

const ROWS = 50;
const TYPED_MS = 250;

export interface ResultColumn {
  /** As the server sorts by it. */
  readonly name: string;
  readonly title: string;
  readonly style: "number" | "path" | "name" | "text";
  /** @default what the row has under this name */
  readonly text?: (row: Row) => string;
  /** What a click on a cell narrows the table to, or looks for. */
  readonly open?: (row: Row) => Partial<Place>;
}

export interface ResultTableOptions {
  /** Also the last part of the path of the request. */
  readonly name: string;
  readonly caption: string;
  readonly columns: readonly ResultColumn[];
  /** Until somebody sorts it otherwise. */
  readonly sort: string;
  readonly order: Order;
  readonly go: (part: Partial<Place>, isTyping?: boolean) => void;
}

export class ResultTable {
  readonly node: HTMLElement;
  readonly #options: ResultTableOptions;
  readonly #headings: readonly HTMLTableCellElement[];
  readonly #body = make("tbody");
  readonly #filter: HTMLInputElement;
  readonly #package = makeButton("", () => this.#options.go({ package: "", page: 1 }), { className: "chip" });
  readonly #count = make("span", { className: "about" });
  /** The same for who listens, but not while rows come in by themselves. */
  readonly #heard = make("span", { className: "unseen", role: "status" });
  readonly #previous: HTMLButtonElement;
  readonly #next: HTMLButtonElement;
  #place: Place | null = null;
  /** Of the timer that waits for the next letter; 0: none. */
  #typing = 0;

  constructor(options: ResultTableOptions) {
    this.#options = options;
    const { name, caption, columns, go } = options;
    this.#headings = columns.map((column) => {
      const sort = makeButton(column.title, () => this.#sortBy(column));
      return make("th", { scope: "col", className: column.style === "number" ? "number" : "" }, sort);
    });
    this.#filter = make("input", {
      type: "search",
      id: `filter-${name}`,
      spellcheck: false,
      autocomplete: "off",
    });
    this.#filter.addEventListener("input", () => {
      const text = this.#filter.value;
      clearTimeout(this.#typing);
      this.#typing = window.setTimeout(() => {
        this.#typing = 0;
        go({ text, page: 1 }, true);
      }, TYPED_MS);
    });
    const turn = (by: number): void => go({ page: (this.#place?.page ?? 1) + by });
    this.#previous = makeButton("Previous", () => turn(-1), { ariaLabel: "Previous page" });
    this.#next = makeButton("Next", () => turn(1), { ariaLabel: "Next page" });
    this.node = make(
      "div",
      {},
      make(
        "div",
        { className: "line filters" },
        make("label", { htmlFor: this.#filter.id }, "Filter"),
        this.#filter,
        this.#package,
        make(
          "nav",
          { className: "pages", ariaLabel: `Pages of ${caption}` },
          this.#count,
          this.#heard,
          this.#previous,
          this.#next,
        ),
      ),
      make(
        "div",
        { className: "scroll", tabIndex: 0, role: "group", ariaLabel: caption },
        make(
          "table",
          {},
          make("caption", { className: "unseen" }, caption),
          make("thead", {}, make("tr", {}, ...this.#headings)),
          this.#body,
        ),
      ),
    );
  }

  /** @throws Error */
  async load(scan: string, place: Place, signal: AbortSignal): Promise<void> {
    const isOther = place !== this.#place;
    this.#place = place;
    const { name, columns } = this.#options;
    const { sort, order } = this.#order();
    for (const [i, column] of columns.entries()) {
      const direction = order === "desc" ? "descending" : "ascending";
      this.#headings[i]!.ariaSort = column.name === sort ? direction : "none";
    }
    if (this.#typing === 0 && this.#filter !== document.activeElement) this.#filter.value = place.text;
    this.#package.hidden = place.package === "";
    setText(this.#package, `package ${printable(place.package)} ×`);
    this.#package.ariaLabel = `package ${printable(place.package)}: show all packages`;
    const offset = (place.page - 1) * ROWS;
    const query = new URLSearchParams({
      offset: String(offset),
      limit: String(ROWS),
      text: place.text,
      package: place.package,
      sort,
      order,
    });
    const { rows, total } = await request<Rows>("GET", `/api/scans/${scan}/${name}?${query}`, { signal });
    this.#previous.disabled = offset === 0;
    this.#next.disabled = offset + rows.length >= total;
    const shown =
      rows.length === 0
        ? `None of ${formatPlural(total, "row")}`
        : `${formatCount(offset + 1)}–${formatCount(offset + rows.length)} of ${formatCount(total)}`;
    setText(this.#count, shown);
    if (isOther) setText(this.#heard, shown);
    // Nobody loses the cell that has the focus to rows that come in.
    if (!isOther && this.#body.contains(document.activeElement)) return;
    this.#body.replaceChildren(...rows.map((row) => this.#drawRow(row)));
  }

  #drawRow(row: Row): HTMLTableRowElement {
    const cells = this.#options.columns.map(({ name, style, text, open }) => {
      const content = text?.(row) ?? textOf(row[name]);
      const shown =
        open === undefined || content === ""
          ? content
          : makeButton(content, () => this.#options.go(open(row)), { className: "link" });
      return make("td", { className: style }, shown);
    });
    return make("tr", {}, ...cells);
  }

  #sortBy({ name, style }: ResultColumn): void {
    const { sort, order } = this.#order();
    const first = style === "number" ? "desc" : "asc";
    const other = order === "desc" ? "asc" : "desc";
    this.#options.go({ sort: name, order: sort === name ? other : first, page: 1 });
  }

  #order(): { readonly sort: string; readonly order: Order } {
    const { sort = "", order = "" } = this.#place ?? {};
    return sort === "" || order === "" ? this.#options : { sort, order };
  }
}

function textOf(value: string | number | null | undefined): string {
  if (typeof value === "number") return Number.isInteger(value) ? formatCount(value) : value.toFixed(2);
  return printable(value ?? "");
}
