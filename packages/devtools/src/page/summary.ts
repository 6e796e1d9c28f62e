/** The figures at the top. */
import { element, setText } from "./element.ts";
import { bytes, count, duration, percent, rate } from "./format.ts";
import { endedJobs, type Model } from "./model.ts";

type Figure = (model: Model) => readonly [value: string, more: string];

const figures: Readonly<Record<string, Figure>> = {
  Throughput: ({ rateSeries, sample }) => [
    `${rate(rateSeries.count === 0 ? 0 : rateSeries.value(rateSeries.count - 1))}/s`,
    sample === null ? "" : `${count(endedJobs(sample))} jobs so far`,
  ],
  Queued: ({ queued: [high, normal, low, local, placed] }) => [
    count(high + normal + low + local + placed),
    listed([high, "high"], [normal, "normal"], [low, "low"], [local, "by jobs"], [placed, "for one thread"]),
  ],
  Threads: ({ sample }) =>
    sample === null
      ? ["–", ""]
      : [
          `${sample.running} of ${sample.threads.length} busy`,
          sample.minThreads === sample.maxThreads
            ? `${sample.maxThreads} allowed`
            : `${sample.minThreads} to ${sample.maxThreads} allowed`,
        ],
  Wait: ({ sample }) =>
    sample === null
      ? ["–", ""]
      : [duration(sample.waitMs.p50 * 1000), `99% ${duration(sample.waitMs.p99 * 1000)}`],
  Run: ({ sample }) =>
    sample === null
      ? ["–", ""]
      : [duration(sample.runMs.p50 * 1000), `99% ${duration(sample.runMs.p99 * 1000)}`],
  Failed: ({ sample }) =>
    sample === null
      ? ["–", ""]
      : [
          count(sample.failed + sample.crashed),
          listed([sample.crashed, "with their thread"], [sample.canceled, "canceled"]),
        ],
  "Main loop delay": ({ sample }) =>
    sample === null
      ? ["–", ""]
      : [duration(sample.main.delayMaxMs * 1000), `loop ${percent(sample.main.utilization)} busy`],
  Memory: ({ sample }) =>
    sample === null ? ["–", ""] : [bytes(sample.main.rss), `main heap ${bytes(sample.main.heapUsed)}`],
};

/** Those that there are. */
function listed(...parts: readonly (readonly [number, string])[]): string {
  return parts.flatMap(([number, what]) => (number === 0 ? [] : [`${count(number)} ${what}`])).join(" · ");
}

export class Summary {
  readonly node: HTMLElement;
  readonly #fields: readonly { figure: Figure; value: HTMLElement; more: HTMLElement }[];

  constructor() {
    this.#fields = Object.values(figures).map((figure) => ({
      figure,
      value: element("dd", { class: "value" }),
      more: element("dd", { class: "more" }),
    }));
    this.node = element(
      "dl",
      { class: "summary" },
      ...Object.keys(figures).map((name, i) =>
        element("div", {}, element("dt", {}, name), this.#fields[i]!.value, this.#fields[i]!.more),
      ),
    );
  }

  show(model: Model): void {
    for (const { figure, value, more } of this.#fields) {
      const [first, second] = figure(model);
      setText(value, first);
      setText(more, second);
    }
  }
}
