/** What is looked at, in the hash of the URL: a link shows somebody else the same, and Back goes back. */

export const TABS = ["tree", "files", "functions", "syntax-errors"] as const;
export type TabName = (typeof TABS)[number];

const ORDERS = ["asc", "desc"] as const;
export type Order = (typeof ORDERS)[number];

export interface Place {
  /** The id of the chosen scan; empty: none. */
  readonly scan: string;
  readonly tab: TabName;
  /** What rows are filtered by. */
  readonly text: string;
  readonly package: string;
  /** By which column, and which way; empty: as the tab does it by itself. */
  readonly sort: string;
  readonly order: Order | "";
  /** From 1 on. */
  readonly page: number;
  /** The correlation id that is searched for. */
  readonly id: string;
  /** Where the devtools are shown; empty: nowhere. */
  readonly devtools: "beside" | "";
}

const START: Place = {
  scan: "",
  tab: "tree",
  text: "",
  package: "",
  sort: "",
  order: "",
  page: 1,
  id: "",
  devtools: "",
};

export class Address {
  readonly #changed: (place: Place) => void;

  /** @param changed is called whenever the place is another one. */
  constructor(changed: (place: Place) => void) {
    this.#changed = changed;
    // Back, Forward, and a hash that somebody typed.
    addEventListener("popstate", () => changed(this.place));
  }

  get place(): Place {
    const given = new URLSearchParams(location.hash.slice(1));
    const page = Number(given.get("page"));
    return {
      scan: given.get("scan") ?? START.scan,
      tab: TABS.find((tab) => tab === given.get("tab")) ?? START.tab,
      text: given.get("text") ?? START.text,
      package: given.get("package") ?? START.package,
      sort: given.get("sort") ?? START.sort,
      order: ORDERS.find((order) => order === given.get("order")) ?? START.order,
      page: Number.isSafeInteger(page) && page > 0 ? page : START.page,
      id: given.get("id") ?? START.id,
      devtools: given.get("devtools") === "beside" ? "beside" : START.devtools,
    };
  }

  /** Changes part of the place. A step of typing replaces the one before, so that Back does not undo letters. */
  go(part: Partial<Place>, isTyping = false): void {
    const place = { ...this.place, ...part };
    const said = Object.entries(place).filter(([name, value]) => value !== START[name as keyof Place]);
    const hash = new URLSearchParams(said.map(([name, value]) => [name, String(value)])).toString();
    if (hash === location.hash.slice(1)) return;
    const url = hash === "" ? location.pathname : `#${hash}`;
    if (isTyping) history.replaceState(null, "", url);
    else history.pushState(null, "", url);
    this.#changed(place);
  }
}
