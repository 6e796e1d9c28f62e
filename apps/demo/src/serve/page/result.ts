/** The chosen scan: what it is, whose it is, and what it has found so far. */
import { formatBytes, formatCount } from "../../wording.ts";
import type { Place, TabName } from "./address.ts";
import { request } from "./client.ts";
import { make, makeAlert, makeButton, setText } from "./make.ts";
import { makeTables } from "./result-tables.ts";
import { ResultTree } from "./result-tree.ts";
import { isUnderWay, nameOf, stateOf, timeOf } from "./scan-words.ts";
import { Tabs } from "./tabs.ts";
import type { Scan } from "./wire.ts";

/** How often what is shown is read again while the scan runs. */
const AGAIN_MS = 1500;

interface View {
  /** Shows what the server has for this place. @throws Error */
  load(scan: string, place: Place, signal: AbortSignal): Promise<void>;
}

export class Result {
  readonly node: HTMLElement;
  readonly #go: (part: Partial<Place>) => void;
  readonly #title = make("h2");
  readonly #body = make("div");
  readonly #state = make("p", { className: "about" });
  readonly #facts = make("dl", { className: "tiles" });
  readonly #id = make("code");
  readonly #copied = make("span", { className: "about", role: "status" });
  readonly #alert = makeAlert();
  readonly #tabs: Tabs<TabName>;
  readonly #views: Readonly<Record<TabName, View>>;
  #scan: Scan | null = null;
  #place: Place | null = null;
  #asked = new AbortController();
  /** When what is shown was read, and how far the scan was then. */
  #readMs = 0;
  #readAt = "";

  constructor(go: (part: Partial<Place>, isTyping?: boolean) => void) {
    this.#go = go;
    const tree = new ResultTree((name) => go({ tab: "files", package: name, page: 1 }));
    const tables = makeTables(go);
    this.#views = { tree: { load: (scan, _, signal) => tree.load(scan, signal) }, ...tables };
    this.#tabs = new Tabs<TabName>(
      "Result",
      [
        { name: "tree", title: "Packages", content: tree.node },
        { name: "files", title: "Files", content: tables.files.node },
        { name: "functions", title: "Functions", content: tables.functions.node },
        { name: "syntax-errors", title: "Syntax errors", content: tables["syntax-errors"].node },
      ],
      // What a table is sorted by is its own.
      (tab) => go({ tab, sort: "", order: "", page: 1 }),
    );
    this.node = make(
      "section",
      { className: "card result", ariaLabel: "Result", hidden: true },
      this.#title,
      this.#alert,
      this.#body,
    );
    this.#body.append(
      this.#state,
      make(
        "p",
        { className: "line id" },
        make("span", {}, "Correlation id"),
        this.#id,
        makeButton("Copy", () => void this.#copy(), { ariaLabel: "Copy the correlation id" }),
        makeButton("Find", () => this.#find(), { ariaLabel: "Find scans and log lines with this id" }),
        this.#copied,
      ),
      this.#facts,
      this.#tabs.node,
    );
  }

  /** Another place, or the first word of the scan that it names. */
  async open(place: Place, known: Scan | undefined): Promise<void> {
    const isOther = this.#scan?.id !== place.scan;
    this.#place = place;
    this.node.hidden = place.scan === "";
    setText(this.#alert, "");
    setText(this.#copied, "");
    if (place.scan === "") {
      this.#forget();
      return;
    }
    this.#tabs.show(place.tab);
    if (isOther) this.#forget();
    if (known !== undefined) this.#show(known);
    await this.#read();
  }

  /** News of a scan: of this one or not. */
  async update(scan: Scan): Promise<void> {
    if (this.#place?.scan !== scan.id) return;
    const isNew = this.#scan === null;
    this.#show(scan);
    const isDue = performance.now() - this.#readMs >= AGAIN_MS || !isUnderWay(scan);
    if (isNew || (isDue && this.#readAt !== progressOf(scan))) await this.#read();
  }

  async #read(): Promise<void> {
    const place = this.#place!;
    this.#asked.abort();
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    this.#readMs = performance.now();
    try {
      if (this.#scan === null) this.#show(await request<Scan>("GET", `/api/scans/${place.scan}`, { signal }));
      this.#readAt = progressOf(this.#scan!);
      await this.#views[place.tab].load(place.scan, place, signal);
      setText(this.#alert, "");
    } catch (error) {
      if (!signal.aborted) setText(this.#alert, (error as Error).message);
    }
  }

  /** Nothing is shown of a scan until something is known of it. */
  #forget(): void {
    this.#scan = null;
    this.#body.hidden = true;
    setText(this.#title, "Scan");
    document.title = "Census";
  }

  #show(scan: Scan): void {
    this.#scan = scan;
    this.#body.hidden = false;
    const { files, bytes, functions, errors, digest, startedAt, endedAt, correlationId } = scan;
    const name = nameOf(scan);
    setText(this.#title, name);
    document.title = `${name} · Census`;
    const time = endedAt === undefined ? `since ${timeOf(startedAt)}` : timeOf(endedAt);
    setText(
      this.#state,
      `${scan.source.kind === "upload" ? "Archive" : "Folder"}, ${stateOf(scan)}, ${time}`,
    );
    setText(this.#id, correlationId);
    const facts: [string, string][] = [
      [
        "files",
        files.done === files.total
          ? formatCount(files.total)
          : `${formatCount(files.done)} of ${formatCount(files.total)}`,
      ],
      ["size", formatBytes(bytes)],
      ["functions", formatCount(functions)],
      ["syntax errors", formatCount(errors)],
      ["result", digest?.slice(0, 12) ?? "–"],
    ];
    while (this.#facts.children.length < facts.length)
      this.#facts.append(make("div", { className: "tile" }, make("dt"), make("dd")));
    for (const [i, [title, value]] of facts.entries()) {
      const tile = this.#facts.children[i]!;
      setText(tile.firstChild!, title);
      setText(tile.lastChild!, value);
    }
    this.#tabs.setTitle(
      "syntax-errors",
      errors === 0 ? "Syntax errors" : `Syntax errors ${formatCount(errors)}`,
    );
  }

  #find(): void {
    if (this.#scan !== null) this.#go({ id: this.#scan.correlationId });
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#id.textContent);
      setText(this.#copied, "Copied");
    } catch {
      // Browsers allow it only on a secure origin, as 127.0.0.1 is.
      getSelection()?.selectAllChildren(this.#id);
      setText(this.#copied, "Selected: copy it with the keyboard");
    }
  }
}

function progressOf({ state, files }: Scan): string {
  return `${state} ${files.done}`;
}
