/** Which samples go into a picture. */
import type { RawContender, RawScenario } from "../method/raw-file.ts";
import type { Figure, Metric } from "../method/scenario.ts";
import { summarize } from "../method/statistics.ts";
import { drawBars } from "./svg-bars.ts";
import { drawLines } from "./svg-lines.ts";

/** Null when there are no samples for it, or a single point would be a line. */
export function drawFigure(figure: Figure, scenarios: readonly RawScenario[]): string | null {
  return figure.kind === "bars" ? bars(figure, scenarios) : lines(figure, scenarios);
}

function bars(figure: Figure, scenarios: readonly RawScenario[]): string | null {
  const scenario = scenarios.find(({ name }) => name === figure.of);
  const metric = scenario?.metrics.find(({ key }) => key === figure.metric);
  if (scenario === undefined || metric === undefined) return null;
  const rows = shown(scenario, figure, metric).map((contender) => {
    const { median, min, max } = summarize(contender.samples[metric.key]!);
    const { name, product, kind } = contender;
    return { name, product, kind, value: median, low: min, high: max };
  });
  if (rows.length === 0) return null;
  const sign = metric.better === "lower" ? 1 : -1;
  return drawBars({
    title: figure.question,
    xTitle: axisTitle(metric),
    unit: metric.unit,
    log: figure.log === true,
    bars: rows.toSorted((a, b) => sign * (a.value - b.value)),
  });
}

function lines(figure: Figure, scenarios: readonly RawScenario[]): string | null {
  const points = scenarios.filter(({ group }) => group === figure.of);
  const metric = points.flatMap(({ metrics }) => metrics).find(({ key }) => key === figure.metric);
  if (points.length < 2 || metric === undefined) return null;
  const contenders = new Map(
    points.flatMap((point) => shown(point, figure, metric).map((own) => [own.name, own] as const)),
  );
  const drawn = [...contenders.values()].map(({ name, product, kind }) => ({
    name,
    product,
    kind,
    marks: points.flatMap((point) => {
      const samples = point.contenders.find((own) => own.name === name)?.samples[metric.key] ?? [];
      if (samples.length === 0) return [];
      const { median, min, max } = summarize(samples);
      return [{ x: point.at ?? 0, y: median, low: min, high: max }];
    }),
  }));
  return drawLines({
    title: figure.question,
    xTitle: figure.x?.title ?? "",
    yTitle: axisTitle(metric),
    unit: metric.unit,
    xLog: figure.x?.log === true,
    yLog: figure.log === true,
    lines: drawn,
  });
}

function shown(scenario: RawScenario, { contenders }: Figure, { key }: Metric): RawContender[] {
  return scenario.contenders.filter(
    ({ name, samples }) =>
      (samples[key] ?? []).length > 0 && (contenders === undefined || contenders.includes(name)),
  );
}

function axisTitle({ title, better }: Metric): string {
  if (better === "neither") return title;
  return `${title} (${better === "lower" ? "less" : "more"} is better)`;
}
