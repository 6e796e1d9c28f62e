// oxlint-disable typescript/no-unsafe-type-assertion -- what the page holds has no static type; its events come from its elements
/**
 * The script of the page. It is embedded from its own source text, so `runPage` refers to nothing outside itself but types.
 * All text goes into the page as text nodes; positions are set through the style object, which the page's policy allows.
 */
import type { PageData } from "./page-data.ts";
import type { squarify as Squarify } from "./squarify.ts";

export function runPage(document: Document, squarify: typeof Squarify): void {
  interface TreeNode {
    name: string;
    lines: number;
    functions: number;
    complexity: number;
    errors: number;
    repeated: number;
    files: number;
    children: Map<string, TreeNode> | null;
    parent: TreeNode | null;
  }
  interface Area {
    x: number;
    y: number;
    width: number;
    height: number;
  }
  interface Column<Row> {
    title: string;
    /** Sorted by this; a number is aligned to the right. */
    value: (row: Row) => number | string;
    show?: (row: Row) => string | Node;
    style?: string;
  }
  interface Scale {
    name: string;
    label: string;
    measure: (node: TreeNode) => number;
    show: (value: number) => string;
    /** Upper bounds of all steps but the last. */
    bounds: readonly number[];
    keys: readonly string[];
  }

  const data = JSON.parse(document.getElementById("data")!.textContent ?? "") as PageData;
  const main = document.getElementById("census")!;
  const count = new Intl.NumberFormat("en-US");
  const ROWS_AT_FIRST = 25;
  const CELLS_SHOWN = 500;
  const PREVIEW_CELLS = 60;

  function element(tag: string, className: string, ...content: (string | Node)[]): HTMLElement {
    const made = document.createElement(tag);
    if (className !== "") made.className = className;
    made.append(...content);
    return made;
  }
  function plural(number: number, noun: string): string {
    return `${count.format(number)} ${noun}${number === 1 ? "" : "s"}`;
  }
  function percent(part: number, whole: number): number {
    return whole === 0 ? 0 : (100 * part) / whole;
  }
  function mean(node: { complexity: number; functions: number }): number {
    return node.functions === 0 ? 0 : node.complexity / node.functions;
  }
  /** From the package on: what comes before says only where it is installed. */
  function shortPath(path: string): string {
    const at = path.lastIndexOf("node_modules/");
    return at < 0 ? path : path.slice(at + "node_modules/".length);
  }

  /* Heading and tiles */

  function heading(): Node[] {
    const { run, totals } = data;
    const seconds = (run.analysisMs / 1000).toFixed(2);
    const tiles = element("dl", "tiles");
    const facts: [string, string][] = [
      ["packages", count.format(totals.packages)],
      ["files", count.format(totals.files)],
      ["lines", count.format(totals.lines)],
      ["functions", count.format(totals.functions)],
      ["mean complexity", mean(totals).toFixed(2)],
      ["repeated lines", `${percent(totals.repeatedLines, totals.lines).toFixed(1)}%`],
      ["syntax errors", count.format(totals.syntaxErrors)],
    ];
    for (const [name, value] of facts) {
      tiles.append(element("div", "tile", element("dt", "", name), element("dd", "", value)));
    }
    return [
      element("h1", "", "Census"),
      element("p", "sub", run.root),
      element(
        "p",
        "sub",
        `${run.startedAt.slice(0, 16).replace("T", " ")} UTC · ${seconds} s on ${run.engine} · result ${run.digest.slice(0, 16)} · ${run.correlationId}`,
      ),
      ...(data.complete
        ? []
        : [
            element(
              "p",
              "warning",
              `Partial result: the scan was cancelled, ${plural(totals.pending, "file")} pending.`,
            ),
          ]),
      tiles,
    ];
  }

  /* Treemap */

  function newNode(name: string, parent: TreeNode | null, isLeaf: boolean): TreeNode {
    const children = isLeaf ? null : new Map<string, TreeNode>();
    return {
      name,
      lines: 0,
      functions: 0,
      complexity: 0,
      errors: 0,
      repeated: 0,
      files: 0,
      children,
      parent,
    };
  }
  function childOf(parent: TreeNode, name: string, isLeaf: boolean): TreeNode {
    let child = parent.children!.get(name);
    if (child === undefined) {
      child = newNode(name, parent, isLeaf);
      parent.children!.set(name, child);
    }
    return child;
  }
  function buildTree(): TreeNode {
    const root = newNode("all packages", null, false);
    for (const [path, owner, lines, functions, complexity, errors, repeated] of data.files) {
      const { name, version } = data.packages[owner]!;
      const parts = shortPath(path).split("/");
      if (path.includes("node_modules/")) parts.splice(0, name.split("/").length);
      let node = childOf(root, version === null ? name : `${name} ${version}`, false);
      const trail = [root, node];
      for (const [index, part] of parts.entries()) {
        const isLeaf = index === parts.length - 1;
        node = childOf(node, isLeaf ? part : `${part}/`, isLeaf);
        trail.push(node);
      }
      for (const at of trail) {
        at.lines += lines;
        at.functions += functions;
        at.complexity += complexity;
        at.errors += errors;
        at.repeated += repeated;
        at.files++;
      }
    }
    return root;
  }

  const scales: Scale[] = [
    {
      name: "complexity",
      label: "mean complexity",
      measure: mean,
      show: (value) => value.toFixed(1),
      bounds: [1.5, 2.5, 3.5, 5, 8],
      keys: ["< 1.5", "< 2.5", "< 3.5", "< 5", "< 8", "8 +"],
    },
    {
      name: "errors",
      label: "syntax errors",
      measure: (node) => node.errors,
      show: (value) => count.format(value),
      bounds: [0.5, 1.5, 5.5, 20.5, 100.5],
      keys: ["0", "1", "2–5", "6–20", "21–100", "more"],
    },
    {
      name: "repeated",
      label: "repeated lines",
      measure: (node) => percent(node.repeated, node.lines),
      show: (value) => `${value.toFixed(1)}%`,
      bounds: [0.05, 5, 15, 30, 60],
      keys: ["0%", "< 5%", "< 15%", "< 30%", "< 60%", "60% +"],
    },
  ];

  function treemap(): Node[] {
    let at = buildTree();
    let scale = scales[0]!;
    let cells: HTMLElement[] = [];
    const crumbs = element("nav", "crumbs");
    crumbs.setAttribute("aria-label", "Zoom");
    const map = element("div", "map");
    map.setAttribute("role", "group");
    map.setAttribute("aria-label", "Treemap by lines");
    const detail = element("div", "detail");
    detail.setAttribute("aria-live", "polite");
    const legend = element("div", "legend");
    const choice = document.createElement("select");
    for (const { name, label } of scales) choice.append(new Option(label, name));
    const label = element("label", "", "Colour: ", choice);

    function describe(node: TreeNode): string {
      const share = percent(node.lines, at.lines).toFixed(1);
      return `${node.name}: ${plural(node.lines, "line")} (${share}%), ${plural(node.files, "file")}, ${plural(node.functions, "function")}, mean complexity ${mean(node).toFixed(2)}, ${plural(node.errors, "syntax error")}, ${percent(node.repeated, node.lines).toFixed(1)}% repeated`;
    }
    function stepOf(node: TreeNode): number {
      const value = scale.measure(node);
      const step = scale.bounds.findIndex((bound) => value < bound);
      return step < 0 ? scale.bounds.length : step;
    }
    /** A folder whose only content is another folder says nothing by itself. */
    function skipLonely(node: TreeNode): TreeNode {
      let inner = node;
      while (inner.children?.size === 1) {
        const [only] = inner.children.values();
        if (only?.children == null) break;
        inner = only;
      }
      return inner;
    }
    function zoomTo(node: TreeNode, focus: boolean): void {
      at = node;
      draw();
      if (focus) cells[0]?.focus();
    }
    function zoomOut(): void {
      let up = at.parent;
      while (up !== null && up.parent !== null && skipLonely(up) === at) up = up.parent;
      if (up !== null) zoomTo(up, true);
    }
    function drawCrumbs(): void {
      const trail: TreeNode[] = [];
      for (let node: TreeNode | null = at; node !== null; node = node.parent) trail.unshift(node);
      crumbs.replaceChildren();
      for (const [index, node] of trail.entries()) {
        if (index > 0) crumbs.append(element("span", "sep", "›"));
        if (node === at) {
          crumbs.append(element("span", "", node.name));
        } else {
          const button = element("button", "", node.name);
          button.addEventListener("click", () => zoomTo(node, false));
          crumbs.append(button);
        }
      }
    }
    function drawLegend(): void {
      legend.replaceChildren(element("span", "", scale.label));
      for (const [step, key] of scale.keys.entries()) legend.append(element("span", `key s${step}`, key));
    }
    function draw(): void {
      drawCrumbs();
      drawLegend();
      for (const part of [map, legend]) part.dataset["scale"] = scale.name;
      const shown = largestOf(at, CELLS_SHOWN);
      const { clientWidth: width, clientHeight: height } = map;
      const rectangles = squarify(
        shown.map((node) => node.lines),
        { x: 0, y: 0, width, height },
      );
      cells = shown.map((node, index) => makeCell(node, rectangles[index]!, index));
      map.replaceChildren(...cells);
      const rest = largestOf(at, Infinity).length - shown.length;
      detail.textContent = describe(at) + (rest > 0 ? ` (${count.format(rest)} small ones not drawn)` : "");
    }
    function makeCell(node: TreeNode, area: Area, index: number): HTMLElement {
      const cell = element("button", `cell s${stepOf(node)}${node.children === null ? "" : " open"}`);
      place(cell, area);
      cell.tabIndex = index === 0 ? 0 : -1;
      cell.title = node.name;
      cell.setAttribute("aria-label", describe(node));
      if (area.width > 44 && area.height > 22) cell.append(element("b", "", node.name));
      if (area.width > 70 && area.height > 40) cell.append(element("i", "", count.format(node.lines)));
      if (area.width < 14 || area.height < 8) cell.style.padding = "0";
      if (node.children !== null) cell.append(...preview(skipLonely(node), area));
      const show = (): void => void (detail.textContent = describe(node));
      cell.addEventListener("mouseenter", show);
      cell.addEventListener("focus", show);
      cell.addEventListener("click", () => {
        if (node.children !== null) zoomTo(skipLonely(node), true);
      });
      return cell;
    }
    function place(cell: HTMLElement, area: Area): void {
      cell.style.left = `${area.x}px`;
      cell.style.top = `${area.y}px`;
      cell.style.width = `${area.width}px`;
      cell.style.height = `${area.height}px`;
    }
    function largestOf(node: TreeNode, limit: number): TreeNode[] {
      const children = [...(node.children?.values() ?? [])].filter((child) => child.lines > 0);
      return children.toSorted((a, b) => b.lines - a.lines).slice(0, limit);
    }
    /** What is inside, below the label. Only to look at: it becomes real after zooming in. */
    function preview(node: TreeNode, area: Area): HTMLElement[] {
      const label = 38;
      const border = 4;
      const inside = {
        x: border,
        y: label,
        width: area.width - 2 * border,
        height: area.height - label - border,
      };
      if (inside.width < 60 || inside.height < 30) return [];
      const shown = largestOf(node, PREVIEW_CELLS);
      const rectangles = squarify(
        shown.map((child) => child.lines),
        inside,
      );
      return shown.map((child, index) => {
        const rectangle = rectangles[index]!;
        const inner = element("span", `inner s${stepOf(child)}`);
        if (rectangle.width > 56 && rectangle.height > 18) inner.append(child.name);
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
      for (const cell of cells) {
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
    map.addEventListener("mouseleave", () => void (detail.textContent = describe(at)));
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
        zoomOut();
      }
    });
    choice.addEventListener("change", () => {
      scale = scales.find(({ name }) => name === choice.value) ?? scale;
      draw();
    });
    new ResizeObserver(() => draw()).observe(map);
    return [
      element("h2", "", "Packages by lines"),
      element("div", "bar", crumbs, label),
      map,
      element("div", "under", detail, legend),
      element("p", "help", "Click or Enter zooms in, Escape zooms out, arrow keys move."),
    ];
  }

  /* Tables */

  function table<Row>(
    title: string,
    rows: readonly Row[],
    columns: readonly Column<Row>[],
    sortedBy: number,
  ): Node[] {
    const caption = element("h2", "", `${title} (${count.format(rows.length)})`);
    if (rows.length === 0) return [caption, element("p", "empty", "None.")];
    const headings = columns.map(({ title: text }) => element("th", "", element("button", "", text)));
    const body = element("tbody", "");
    const more = element("button", "more", `Show all ${count.format(rows.length)}`);
    let limit = ROWS_AT_FIRST;
    let sorted = { column: sortedBy, descending: true };
    const isNumeric = ({ value }: Column<Row>): boolean => typeof value(rows[0]!) === "number";

    function draw(): void {
      const { value } = columns[sorted.column]!;
      const sign = sorted.descending ? -1 : 1;
      const inOrder = rows.toSorted((a, b) => {
        const first = value(a);
        const second = value(b);
        return first < second ? -sign : first > second ? sign : 0;
      });
      for (const [index, heading] of headings.entries()) {
        const direction = sorted.descending ? "descending" : "ascending";
        heading.setAttribute("aria-sort", index === sorted.column ? direction : "none");
      }
      body.replaceChildren(...inOrder.slice(0, limit).map(drawRow));
      more.hidden = limit >= rows.length;
    }
    function drawRow(row: Row): HTMLElement {
      return element(
        "tr",
        "",
        ...columns.map((column) => {
          const value = column.value(row);
          const text = column.show?.(row) ?? (typeof value === "number" ? count.format(value) : value);
          return element("td", column.style ?? (isNumeric(column) ? "number" : ""), text);
        }),
      );
    }
    for (const [index, heading] of headings.entries()) {
      const column = columns[index]!;
      heading.setAttribute("scope", "col");
      if (isNumeric(column)) heading.classList.add("number");
      heading.firstElementChild!.addEventListener("click", () => {
        const again = sorted.column === index;
        sorted = { column: index, descending: again ? !sorted.descending : isNumeric(column) };
        draw();
      });
    }
    more.addEventListener("click", () => {
      limit = rows.length;
      draw();
    });
    draw();
    const frame = element("table", "", element("thead", "", element("tr", "", ...headings)), body);
    return [caption, element("div", "scroll", frame), more];
  }

  function located(place: { path: string; line: number }): string {
    return `${shortPath(place.path)}:${place.line}`;
  }
  const functionColumns: Column<PageData["longest"][number]>[] = [
    { title: "function", value: (row) => row.name, style: "name" },
    { title: "lines", value: (row) => row.lines },
    { title: "complexity", value: (row) => row.complexity },
    { title: "where", value: located, style: "path" },
  ];
  function placesOf(group: PageData["duplicates"][number]): Node {
    const [first, ...others] = group.places;
    if (first === undefined) return element("span", "");
    const list = element("ul", "", ...others.map((place) => element("li", "", located(place))));
    const unlisted = group.copies - group.places.length;
    if (unlisted > 0) list.append(element("li", "", `and ${plural(unlisted, "more place")}`));
    return element("details", "", element("summary", "", located(first)), list);
  }

  main.append(
    ...heading(),
    ...treemap(),
    ...table(
      "Packages",
      data.packages,
      [
        { title: "package", value: (row) => row.name, style: "name" },
        { title: "version", value: (row) => row.version ?? "" },
        { title: "files", value: (row) => row.files },
        { title: "lines", value: (row) => row.lines },
        { title: "functions", value: (row) => row.functions },
        { title: "mean complexity", value: mean, show: (row) => mean(row).toFixed(2) },
        { title: "longest", value: (row) => row.longest[0]?.lines ?? 0 },
        { title: "most complex", value: (row) => row.mostComplex[0]?.complexity ?? 0 },
        {
          title: "repeated",
          value: (row) => percent(row.repeatedLines, row.lines),
          show: (row) => `${percent(row.repeatedLines, row.lines).toFixed(1)}%`,
        },
        { title: "errors", value: (row) => row.syntaxErrors },
      ],
      3,
    ),
    ...table("Longest functions", data.longest, functionColumns, 1),
    ...table("Most complex functions", data.mostComplex, functionColumns, 2),
    ...table(
      "Code that occurs more than once",
      data.duplicates,
      [
        { title: "function", value: (row) => row.places[0]?.name ?? "", style: "name" },
        { title: "copies", value: (row) => row.copies },
        { title: "repeated lines", value: (row) => row.repeatedLines },
        { title: "nodes", value: (row) => row.nodes },
        { title: "where", value: (row) => row.places[0]?.path ?? "", show: placesOf, style: "path" },
      ],
      2,
    ),
    ...table(
      "Syntax errors",
      data.syntaxErrors,
      [
        {
          title: "file",
          value: (row) => row.path,
          show: (row) => `${shortPath(row.path)}:${row.problems[0]?.line ?? 1}`,
          style: "path",
        },
        { title: "errors", value: (row) => row.count },
        { title: "first", value: (row) => row.problems[0]?.message ?? "" },
      ],
      1,
    ),
    ...table(
      "Left out",
      data.notices,
      [
        { title: "path", value: (row) => row.path, style: "path" },
        { title: "why", value: (row) => row.message },
      ],
      1,
    ),
  );
}
