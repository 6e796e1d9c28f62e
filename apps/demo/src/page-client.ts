// oxlint-disable typescript/no-unsafe-type-assertion -- what the page holds has no static type; its events come from its elements
/**
 * The script of the page. It is embedded from its own source text, so `runPage` refers to nothing outside itself but types.
 * All text goes into the page as text nodes; positions are set through the style object, which the page's policy allows.
 */
import type { ColourScale, stepOn as StepOn } from "./colour-scale.ts";
import type { PageData } from "./page-data.ts";
import type { squarify as Squarify } from "./squarify.ts";
import type { TreemapCell, treemap as Treemap } from "./treemap.ts";

interface PageTools {
  readonly squarify: typeof Squarify;
  readonly makeTreemap: typeof Treemap;
  readonly stepOn: typeof StepOn;
  readonly complexity: ColourScale;
}

export function runPage(document: Document, { squarify, makeTreemap, stepOn, complexity }: PageTools): void {
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
  interface Column<Row> {
    title: string;
    /** Sorted by this; a number is aligned to the right. */
    value: (row: Row) => number | string;
    show?: (row: Row) => string | Node;
    style?: string;
  }
  interface Scale extends ColourScale {
    name: string;
    measure: (node: TreeNode) => number;
  }

  const data = JSON.parse(document.getElementById("data")!.textContent ?? "") as PageData;
  const main = document.getElementById("census")!;
  const count = new Intl.NumberFormat("en-US");
  const ROWS_AT_FIRST = 25;
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
      ...complexity,
      name: "complexity",
      measure: mean,
    },
    {
      name: "errors",
      label: "syntax errors",
      measure: (node) => node.errors,
      bounds: [0.5, 1.5, 5.5, 20.5, 100.5],
      keys: ["0", "1", "2–5", "6–20", "21–100", "more"],
    },
    {
      name: "repeated",
      label: "repeated lines",
      measure: (node) => percent(node.repeated, node.lines),
      bounds: [0.05, 5, 15, 30, 60],
      keys: ["0%", "< 5%", "< 15%", "< 30%", "< 60%", "60% +"],
    },
  ];

  function treemap(): Node[] {
    let at = buildTree();
    let scale = scales[0]!;
    const crumbs = element("nav", "crumbs");
    crumbs.setAttribute("aria-label", "Zoom");
    const { map, detail, show, focus } = makeTreemap(document, squarify, zoomOut);
    const legend = element("div", "legend");
    const choice = document.createElement("select");
    for (const { name, label } of scales) choice.append(new Option(label, name));
    const label = element("label", "", "Colour: ", choice);

    function describe(node: TreeNode): string {
      const share = percent(node.lines, at.lines).toFixed(1);
      return `${node.name}: ${plural(node.lines, "line")} (${share}%), ${plural(node.files, "file")}, ${plural(node.functions, "function")}, mean complexity ${mean(node).toFixed(2)}, ${plural(node.errors, "syntax error")}, ${percent(node.repeated, node.lines).toFixed(1)}% repeated`;
    }
    function stepOf(node: TreeNode): number {
      return stepOn(scale, scale.measure(node));
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
    function zoomTo(node: TreeNode): void {
      at = node;
      draw();
    }
    function zoomOut(): void {
      let up = at.parent;
      while (up !== null && up.parent !== null && skipLonely(up) === at) up = up.parent;
      if (up === null) return;
      zoomTo(up);
      focus();
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
          button.addEventListener("click", () => zoomTo(node));
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
      show(largestOf(at, Infinity).map(cellOf), describe(at));
    }
    function cellOf(node: TreeNode): TreemapCell {
      const { name, lines, children } = node;
      const cell = { name, lines, step: stepOf(node), description: describe(node) };
      if (children === null) return cell;
      const inner = skipLonely(node);
      return {
        ...cell,
        open() {
          zoomTo(inner);
          focus();
        },
        inside: () =>
          largestOf(inner, PREVIEW_CELLS).map((child) => ({
            name: child.name,
            lines: child.lines,
            step: stepOf(child),
          })),
      };
    }
    function largestOf(node: TreeNode, limit: number): TreeNode[] {
      const children = [...(node.children?.values() ?? [])].filter((child) => child.lines > 0);
      return children.toSorted((a, b) => b.lines - a.lines).slice(0, limit);
    }
    choice.addEventListener("change", () => {
      scale = scales.find(({ name }) => name === choice.value) ?? scale;
      draw();
    });
    draw();
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
