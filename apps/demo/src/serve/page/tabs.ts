/** Tabs: one panel is shown at a time, arrow keys go from tab to tab. */
import { make, makeButton, setText } from "./make.ts";

export interface Tab<Name extends string> {
  readonly name: Name;
  readonly title: string;
  readonly content: HTMLElement;
}

export class Tabs<Name extends string> {
  readonly node: HTMLElement;
  readonly #tabs: readonly {
    readonly name: Name;
    readonly tab: HTMLButtonElement;
    readonly panel: HTMLElement;
  }[];

  /** @param opened is called when somebody chooses a tab; the caller then shows it. */
  constructor(label: string, tabs: readonly Tab<Name>[], opened: (name: Name) => void) {
    this.#tabs = tabs.map(({ name, title, content }) => {
      const tab = makeButton(title, () => opened(name), { role: "tab", id: `tab-${name}` });
      tab.setAttribute("aria-controls", `panel-${name}`);
      const panel = make("div", { role: "tabpanel", id: `panel-${name}` }, content);
      panel.setAttribute("aria-labelledby", tab.id);
      return { name, tab, panel };
    });
    const list = make("div", { role: "tablist", ariaLabel: label }, ...this.#tabs.map(({ tab }) => tab));
    list.addEventListener("keydown", (event) => {
      const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      const at = this.#tabs.findIndex(({ tab }) => tab === document.activeElement);
      if (by === 0 || at < 0) return;
      event.preventDefault();
      const next = this.#tabs[(at + by + this.#tabs.length) % this.#tabs.length]!;
      opened(next.name);
      next.tab.focus();
    });
    this.node = make("div", {}, list, ...this.#tabs.map(({ panel }) => panel));
  }

  show(name: Name): void {
    for (const each of this.#tabs) {
      const isShown = each.name === name;
      each.tab.ariaSelected = String(isShown);
      each.tab.tabIndex = isShown ? 0 : -1;
      each.panel.hidden = !isShown;
    }
  }

  setTitle(name: Name, title: string): void {
    setText(this.#tabs.find((each) => each.name === name)!.tab, title);
  }
}
