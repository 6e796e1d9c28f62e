/** From values to positions, and where the ticks go. A linear axis begins at 0; a logarithmic one says that it is one. */
export interface Scale {
  readonly ticks: readonly number[];
  /** The share of the axis, 0 to 1. */
  at(value: number): number;
}

const LINEAR_TICKS = 5;
const MANY_DECADES = 4;

export function linearScale(values: readonly number[]): Scale {
  const top = Math.max(...values, 0);
  const step = niceStep((top || 1) / LINEAR_TICKS);
  const end = Math.max(step, Math.ceil(top / step - 1e-9) * step);
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step);
  return { ticks, at: (value) => Math.max(0, value) / end };
}

/** For positive values; what is not positive lies at the lower end. */
export function logScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0);
  const low = Math.log10(Math.min(...positive));
  const high = Math.log10(Math.max(...positive));
  const from = Math.floor(low + 1e-9);
  const to = Math.max(from + 1, Math.ceil(high - 1e-9));
  const ticks: number[] = [];
  const factors = to - from > MANY_DECADES ? [1] : to - from > 2 ? [1, 3] : [1, 2, 5];
  for (let decade = from; decade <= to; decade++) {
    for (const factor of factors) if (decade < to || factor === 1) ticks.push(factor * 10 ** decade);
  }
  return { ticks, at: (value) => (value > 0 ? (Math.log10(value) - from) / (to - from) : 0) };
}

/** An x axis whose ticks are the points themselves. */
export function pointScale(points: readonly number[], log: boolean): Scale {
  const known = points.filter((point) => !log || point > 0);
  const low = Math.min(...known);
  const high = Math.max(...known);
  const map = (value: number): number => (log ? Math.log(value) : value);
  const range = map(high) - map(low) || 1;
  return { ticks: known, at: (value) => (map(value) - map(low)) / range };
}

function niceStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= raw * 0.999) ?? 10;
  return factor * power;
}
