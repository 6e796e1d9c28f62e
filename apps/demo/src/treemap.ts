/** A treemap in a page: cells by lines, in the colours of a scale; arrow keys go from cell to cell, Enter opens one. */
import type { Rectangle, squarify as Squarify } from "./squarify.ts";

export interface TreemapCell {
  readonly name: string;
  /** Gives the cell its area; positive. */
  readonly lines: number;
  /** On the colour scale, from 0 to 5. */
  readonly step: number;
  /** All about it, in a sentence. */
  readonly description: string;
  /** What a click or Enter does, if anything. */
  readonly open?: (() => void) | undefined;
  /** What is drawn below the label, only to look at; largest first. */
  readonly inside?: (() => readonly Pick<TreemapCell, "name" | "lines" | "step">[]) | undefined;
}

export interface Treemap {
  readonly map: HTMLElement;
  /** The sentence about the cell that is pointed at or has the focus. */
  readonly detail: HTMLElement;
  /** @param cells largest first. @param about is said while no cell is pointed at. */
  readonly show: (cells: readonly TreemapCell[], about: string) => void;
  /** Puts the focus on the first cell. */
  readonly focus: () => void;
}

/**
 * Runs in a page from its own source text: it must refer to nothing outside itself. All text goes into the page as text nodes;
 * positions are set through the style object, which the pages' policies allow.
 * @param leave Escape and Backspace do this.
 */
export function treemap(document: Document, squarify: typeof Squarify, leave: () => void): Treemap {
  const CELLS_SHOWN = 500;
  const LABEL_HEIGHT = 38;
  const BORDER = 4;
  const count = new Intl.NumberFormat("en-US");
  const map = document.createElement("div");
  map.className = "map";
  map.setAttribute("role", "group");
  map.setAttribute("aria-label", "Treemap by lines");
  const detail = document.createElement("div");
  detail.className = "detail";
  let shown: readonly TreemapCell[] = [];
  let summary = "";
  let drawn: HTMLElement[] = [];

  function append(parent: HTMLElement, tag: string, text: string): void {
    const child = document.createElement(tag);
    child.append(text);
    parent.append(child);
  }
  function place(cell: HTMLElement, area: Rectangle): void {
    cell.style.left = `${area.x}px`;
    cell.style.top = `${area.y}px`;
    cell.style.width = `${area.width}px`;
    cell.style.height = `${area.height}px`;
  }
  function draw(): void {
    const focused = drawn.find((cell) => cell === document.activeElement)?.title;
    const { clientWidth: width, clientHeight: height } = map;
    const rectangles = squarify(
      shown.map(({ lines }) => lines),
      { x: 0, y: 0, width, height },
    );
    drawn = shown.map((cell, index) => makeCell(cell, rectangles[index]!));
    map.replaceChildren(...drawn);
    detail.textContent = summary;
    const same = focused === undefined ? undefined : drawn.find(({ title }) => title === focused);
    const first = same ?? drawn[0];
    if (first !== undefined) first.tabIndex = 0;
    same?.focus();
  }
  function makeCell(
    { name, lines, step, description, open, inside }: TreemapCell,
    area: Rectangle,
  ): HTMLElement {
    const cell = document.createElement("button");
    cell.type = "button";
    cell.className = `cell s${step}${open === undefined ? "" : " open"}`;
    place(cell, area);
    cell.tabIndex = -1;
    cell.title = name;
    cell.setAttribute("aria-label", description);
    if (area.width > 44 && area.height > 22) append(cell, "b", name);
    if (area.width > 70 && area.height > 40) {
      // Between the two where they are read, and not laid out.
      cell.append(" ");
      append(cell, "i", count.format(lines));
    }
    if (area.width < 14 || area.height < 8) cell.style.padding = "0";
    if (inside !== undefined) cell.append(...preview(inside, area));
    const show = (): void => void (detail.textContent = description);
    cell.addEventListener("mouseenter", show);
    cell.addEventListener("focus", show);
    cell.addEventListener("click", () => open?.());
    return cell;
  }
  function preview(inside: NonNullable<TreemapCell["inside"]>, area: Rectangle): HTMLElement[] {
    const width = area.width - 2 * BORDER;
    const height = area.height - LABEL_HEIGHT - BORDER;
    if (width < 60 || height < 30) return [];
    const cells = inside();
    const rectangles = squarify(
      cells.map(({ lines }) => lines),
      { x: BORDER, y: LABEL_HEIGHT, width, height },
    );
    return cells.map(({ name, step }, index) => {
      const rectangle = rectangles[index]!;
      const inner = document.createElement("span");
      inner.className = `inner s${step}`;
      if (rectangle.width > 56 && rectangle.height > 18) inner.append(name);
      inner.setAttribute("aria-hidden", "true");
      place(inner, rectangle);
      return inner;
    });
  }
  /** The nearest cell in the direction of the arrow key. */
  function neighbour(from: HTMLElement, dx: number, dy: number): HTMLElement | undefined {
    const own = from.getBoundingClientRect();
    let best: HTMLElement | undefined;
    let bestDistance = Infinity;
    for (const cell of drawn) {
      const box = cell.getBoundingClientRect();
      const x = box.left + box.width / 2 - own.left - own.width / 2;
      const y = box.top + box.height / 2 - own.top - own.height / 2;
      const ahead = x * dx + y * dy;
      const aside = Math.abs(x * dy) + Math.abs(y * dx);
      const distance = ahead + 2 * aside;
      if (cell !== from && ahead > 1 && distance < bestDistance) {
        best = cell;
        bestDistance = distance;
      }
    }
    return best;
  }
  map.addEventListener("mouseleave", () => void (detail.textContent = summary));
  map.addEventListener("keydown", (event) => {
    const from = event.target as HTMLElement;
    const moves: Record<string, [number, number]> = {
      ArrowRight: [1, 0],
      ArrowLeft: [-1, 0],
      ArrowDown: [0, 1],
      ArrowUp: [0, -1],
    };
    const move = moves[event.key];
    if (move !== undefined) {
      event.preventDefault();
      const next = neighbour(from, move[0], move[1]);
      if (next === undefined) return;
      from.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    } else if (event.key === "Escape" || event.key === "Backspace") {
      event.preventDefault();
      leave();
    }
  });
  new ResizeObserver(() => draw()).observe(map);
  return {
    map,
    detail,
    show(cells, about) {
      shown = cells.slice(0, CELLS_SHOWN);
      const rest = cells.length - shown.length;
      summary = rest > 0 ? `${about} (${count.format(rest)} small ones not drawn)` : about;
      // Before that it has no size; then the observer draws it.
      if (map.isConnected) draw();
    },
    focus: () => drawn[0]?.focus(),
  };
}
