/** A table whose rows change in place, so that nobody loses the row that is being read: not while the focus is in it. */
import { element, setText } from "./element.ts";

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly style?: "number" | "path" | undefined;
  /** The cell is a button. */
  readonly onClick?: (row: Row) => void;
}

export class Table<Row> {
  readonly node: HTMLElement;
  readonly #columns: readonly Column<Row>[];
  readonly #body = element("tbody");
  readonly #table: HTMLTableElement;
  readonly #empty: HTMLElement;
  #rows: readonly Row[] = [];

  constructor(caption: string, empty: string, columns: readonly Column<Row>[]) {
    this.#columns = columns;
    const headings = columns.map(({ title, style }) => element("th", { scope: "col", class: style }, title));
    this.#table = element(
      "table",
      {},
      element("caption", { class: "unseen" }, caption),
      element("thead", {}, element("tr", {}, ...headings)),
      this.#body,
    );
    this.#empty = element("p", { class: "empty" }, empty);
    this.node = element(
      "div",
      { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
      this.#table,
      this.#empty,
    );
  }

  show(rows: readonly Row[]): void {
    if (this.#body.contains(document.activeElement)) return;
    this.#rows = rows;
    this.#table.hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
    while (this.#body.rows.length > rows.length) this.#body.rows[this.#body.rows.length - 1]!.remove();
    while (this.#body.rows.length < rows.length) this.#body.append(this.#newRow(this.#body.rows.length));
    for (const [i, row] of rows.entries()) {
      const { cells } = this.#body.rows[i]!;
      for (const [c, column] of this.#columns.entries())
        setText(cells[c]!.firstElementChild ?? cells[c]!, column.text(row));
    }
  }

  #newRow(number: number): HTMLTableRowElement {
    const cells = this.#columns.map(({ style, onClick }) => {
      const cell = element("td", { class: style });
      if (onClick === undefined) return cell;
      const made = element("button", { type: "button", class: "link" });
      made.addEventListener("click", () => {
        const row = this.#rows[number];
        if (row !== undefined) onClick(row);
      });
      cell.append(made);
      return cell;
    });
    return element("tr", {}, ...cells);
  }
}
