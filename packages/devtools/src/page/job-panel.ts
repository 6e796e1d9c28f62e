/** What is known of the chosen job: whose it is, where its time went, why it waits, who submitted it. */
import { CORRELATION } from "../wire.ts";
import { control } from "./control.ts";
import { button, element } from "./element.ts";
import { duration, jobName } from "./format.ts";
import { hasFailed, type Job, stateOf, totalUs, waitUs } from "./job.ts";
import type { Model } from "./model.ts";
import { POLICY_WORDS } from "./policies.ts";
import { whyWaiting } from "./why-waiting.ts";

export interface JobPanelEvents {
  select(job: number): void;
  show(job: Job): void;
  find(text: string): void;
}

const CHILDREN = 12;

export class JobPanel {
  readonly node: HTMLElement = element("section", { class: "card job", "aria-label": "Chosen job" });
  readonly #model: Model;
  readonly #events: JobPanelEvents;
  #shown = "";
  /** What became of the wish to cancel a job, as long as it is not canceled. */
  #answer: { readonly job: number; readonly text: string } | null = null;

  constructor(model: Model, events: JobPanelEvents) {
    this.#model = model;
    this.#events = events;
    this.node.append(element("h2", {}, "Chosen job"), element("p", { class: "empty" }, HINT));
  }

  /** @param id 0: none. */
  show(id: number): void {
    const job = this.#model.jobs.get(id);
    const content = job === undefined ? this.#nothing(id) : this.#job(job);
    const text = content.map(({ outerHTML }) => outerHTML).join("");
    if (text === this.#shown) return;
    // Who reads along keeps the place.
    const hadFocus = this.node.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset["key"]
      : undefined;
    this.#shown = text;
    this.node.replaceChildren(...content);
    if (hadFocus !== undefined)
      this.node.querySelector<HTMLElement>(`[data-key="${CSS.escape(hadFocus)}"]`)?.focus();
  }

  /** One sentence, to be read out. */
  describe(job: Job): string {
    const { nowUs } = this.#model;
    return `${this.#model.functionName(job.fn)}, job ${jobName(job.id)}, ${stateText(job)}, ${duration(totalUs(job, nowUs))} in all.`;
  }

  #nothing(id: number): HTMLElement[] {
    return [
      element("h2", {}, "Chosen job"),
      element(
        "p",
        { class: "empty" },
        id === 0 ? HINT : "It was submitted before this page was opened, or too long ago.",
      ),
    ];
  }

  #job(job: Job): HTMLElement[] {
    const model = this.#model;
    const values = model.valuesOf(job);
    const facts: [string, Node | string][] = [
      ["state", stateText(job)],
      ["priority", job.priority],
      ["thread", job.lane < 0 ? "–" : (model.laneOf(job.lane)?.name ?? `thread ${job.lane}`)],
      ["continuation", job.policy === null ? "–" : POLICY_WORDS[job.policy]],
    ];
    if (job.error !== null) facts.push(["error", job.error]);
    for (const [name, value] of Object.entries(values ?? {}))
      facts.push([
        name === CORRELATION ? "correlation id" : name,
        button(value, () => this.#events.find(value), { class: "link", "data-key": `value ${name}` }),
      ]);
    const parent = model.jobs.get(job.parent);
    if (parent !== undefined) facts.push(["submitted by", this.#link(parent)]);
    const why = whyWaiting(model, job);
    return [
      element(
        "div",
        { class: "heading" },
        element("h2", {}, `${model.functionName(job.fn)} `, element("small", {}, jobName(job.id))),
        button("Show", () => this.#events.show(job), { "data-key": "show" }),
        ...(this.#isCancelable(job)
          ? [button("Cancel", () => void this.#cancel(job.id), { "data-key": "cancel" })]
          : []),
      ),
      ...(this.#answer?.job === job.id ? [element("p", { role: "alert" }, this.#answer.text)] : []),
      this.#bar(job),
      ...(why.length === 0
        ? []
        : [
            element(
              "div",
              { class: "why" },
              element("h3", {}, "Why is it waiting?"),
              element("p", {}, why.join(" ")),
            ),
          ]),
      element(
        "dl",
        { class: "facts" },
        ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
      ),
      ...this.#children(job),
      ...(job.frames === null
        ? []
        : [element("h3", {}, "Submitted from"), element("pre", { tabindex: "0" }, tidy(job.frames))]),
    ];
  }

  #isCancelable({ settled, canceled }: Job): boolean {
    const { hello, isClosed } = this.#model;
    return hello?.controls === true && !isClosed && settled < 0 && canceled < 0;
  }

  /** Whoever has submitted it may be long at something else. */
  async #cancel(job: number): Promise<void> {
    this.#answer = { job, text: "The thread that has submitted it was asked to cancel it." };
    const text = await control("cancel", { job });
    this.#answer = text === "" ? null : { job, text };
  }

  #children({ children }: Job): HTMLElement[] {
    const known = (children ?? []).flatMap((id) => this.#model.jobs.get(id) ?? []);
    if (known.length === 0) return [];
    const items = known
      .slice(0, CHILDREN)
      .map((child) => element("li", {}, this.#link(child), ` ${stateText(child)}`));
    if (known.length > CHILDREN) items.push(element("li", {}, `and ${known.length - CHILDREN} more`));
    return [element("h3", {}, `Jobs that it has submitted (${known.length})`), element("ul", {}, ...items)];
  }

  #link(job: Job): HTMLElement {
    const label = `${this.#model.functionName(job.fn)} ${jobName(job.id)}`;
    return button(label, () => this.#events.select(job.id), { class: "link", "data-key": `job ${job.id}` });
  }

  /** Where its time went. */
  #bar(job: Job): HTMLElement {
    const { nowUs } = this.#model;
    const total = Math.max(1e-9, totalUs(job, nowUs));
    const waited = waitUs(job, nowUs);
    const running = job.runningSince >= 0 ? nowUs - job.runningSince : 0;
    const ran = job.ranUs + running;
    const end = job.settled >= 0 ? job.settled : nowUs;
    const returned = job.finished >= 0 ? Math.max(0, end - job.finished) : 0;
    const awaited = job.began < 0 ? 0 : Math.max(0, total - waited - ran - returned);
    const parts = [
      ["waited", waited],
      ["ran", ran],
      ["awaited", awaited],
      ["on its way back", returned],
    ] as const;
    const shown = parts.filter(([, us]) => us > 0.05);
    const bar = element("div", { class: "bar", "aria-hidden": "true" });
    for (const [name, us] of shown) {
      const part = element("span", { class: `part ${name.split(" ")[0]!}` });
      part.style.flexGrow = String(us / total);
      bar.append(part);
    }
    const legend = element(
      "p",
      { class: "legend" },
      ...shown.map(([name, us]) =>
        element("span", { class: `key ${name.split(" ")[0]!}` }, `${name} ${duration(us)}`),
      ),
    );
    return element("div", {}, bar, legend);
  }
}

const HINT =
  "Choose one in the timeline or in a list: where its time went, what it waits for, who submitted it.";

export function stateText(job: Job): string {
  const state = stateOf(job);
  if (state !== "settled") return job.canceled >= 0 ? `${state}, asked to stop` : state;
  return hasFailed(job) && job.error !== null ? `${job.outcome}: ${job.error}` : (job.outcome ?? "settled");
}

/** Files by their path, without what every line has. */
function tidy(frames: string): string {
  return frames.replaceAll("file://", "").replaceAll(/^\s+/gm, "");
}
