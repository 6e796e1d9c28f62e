/** All scans, of everybody, newest first. */
import { make } from "./make.ts";
import { ScanRow } from "./scan-row.ts";
import type { Scan } from "./wire.ts";

export class ScanList {
  readonly node: HTMLElement;
  readonly #choose: (id: string) => void;
  readonly #rows = new Map<string, ScanRow>();
  readonly #list = make("ul", { className: "scans" });
  readonly #title = make("h2", { tabIndex: -1 }, "Scans");
  readonly #empty = make("p", { className: "empty" }, "None yet.");
  #stale = new Set<string>();
  #chosen = "";

  /** @param choose what to do when somebody chooses one */
  constructor(choose: (id: string) => void) {
    this.#choose = choose;
    this.node = make(
      "section",
      { className: "card", ariaLabel: "Scans" },
      this.#title,
      this.#list,
      this.#empty,
    );
  }

  get(id: string): Scan | undefined {
    return this.#rows.get(id)?.scan;
  }

  show(scan: Scan): void {
    this.#stale.delete(scan.id);
    let row = this.#rows.get(scan.id);
    if (row === undefined) {
      row = new ScanRow(scan, this.#choose);
      this.#rows.set(scan.id, row);
      this.#list.insertBefore(row.node, this.#firstOlder(scan) ?? null);
    }
    row.show(scan, scan.id === this.#chosen);
    this.#empty.hidden = true;
  }

  choose(id: string): void {
    const before = this.#chosen;
    this.#chosen = id;
    for (const each of [before, id]) {
      const row = this.#rows.get(each);
      row?.show(row.scan, each === id);
    }
  }

  remove(id: string): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    const hadFocus = row.node.contains(document.activeElement);
    this.#rows.delete(id);
    row.node.remove();
    this.#empty.hidden = this.#rows.size > 0;
    if (hadFocus) this.#title.focus();
  }

  /** The server begins again to tell of all scans: `dropStale` then drops those of which it has not. */
  expectAll(): void {
    this.#stale = new Set(this.#rows.keys());
  }

  dropStale(): void {
    for (const id of this.#stale) this.remove(id);
    this.#stale.clear();
  }

  #firstOlder({ startedAt }: Scan): HTMLElement | undefined {
    const older = [...this.#rows.values()].filter(({ scan }) => scan.startedAt < startedAt);
    return older.toSorted((a, b) => (a.scan.startedAt < b.scan.startedAt ? 1 : -1))[0]?.node;
  }
}
