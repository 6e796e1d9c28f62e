/** The packages of a scan as a treemap; one opens its files. */
import { COMPLEXITY_SCALE, stepOn } from "../../colour-scale.ts";
import { squarify } from "../../squarify.ts";
import { treemap } from "../../treemap.ts";
import { formatPlural, printable } from "../../wording.ts";
import { request } from "./client.ts";
import { make } from "./make.ts";
import type { PackageSums } from "./wire.ts";

export class ResultTree {
  readonly node: HTMLElement;
  readonly #open: (name: string) => void;
  readonly #treemap = treemap(document, squarify, () => {});

  constructor(open: (name: string) => void) {
    this.#open = open;
    const { map, detail } = this.#treemap;
    const legend = make("div", { className: "legend" }, make("span", {}, COMPLEXITY_SCALE.label));
    for (const [step, key] of COMPLEXITY_SCALE.keys.entries())
      legend.append(make("span", { className: `key s${step}` }, key));
    this.node = make(
      "div",
      {},
      map,
      make("div", { className: "under" }, detail, legend),
      make(
        "p",
        { className: "help" },
        "Packages by lines. Click or Enter shows the files of one, arrow keys move.",
      ),
    );
  }

  /** @throws Error */
  async load(scan: string, signal: AbortSignal): Promise<void> {
    const { packages } = await request<{ packages: readonly PackageSums[] }>(
      "GET",
      `/api/scans/${scan}/tree`,
      {
        signal,
      },
    );
    const cells = packages
      .filter(({ lines }) => lines > 0)
      .toSorted((a, b) => b.lines - a.lines)
      .map((sums) => ({
        name: printable(sums.name),
        lines: sums.lines,
        step: stepOn(COMPLEXITY_SCALE, sums.meanComplexity),
        description: describe(sums),
        open: () => this.#open(sums.name),
      }));
    const lines = cells.reduce((sum, cell) => sum + cell.lines, 0);
    this.#treemap.show(cells, `${formatPlural(cells.length, "package")}, ${formatPlural(lines, "line")}`);
  }
}

function describe({ name, lines, files, functions, meanComplexity }: PackageSums): string {
  return `${printable(name)}: ${formatPlural(lines, "line")}, ${formatPlural(files, "file")}, ${formatPlural(functions, "function")}, mean complexity ${meanComplexity.toFixed(2)}`;
}
