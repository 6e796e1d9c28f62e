/** How numbers are written: three digits, a unit that fits, never more precision than there is. */
import type { Unit } from "../method/scenario.ts";
import type { Summary } from "../method/statistics.ts";

interface Step {
  readonly factor: number;
  readonly text: string;
}

const decimal: readonly Step[] = [
  { factor: 1e9, text: " G" },
  { factor: 1e6, text: " M" },
  { factor: 1e3, text: " k" },
  { factor: 1, text: "" },
];
const binary: readonly Step[] = [
  { factor: 2 ** 30, text: " GB" },
  { factor: 2 ** 20, text: " MB" },
  { factor: 2 ** 10, text: " KB" },
  { factor: 1, text: " B" },
];
const seconds: readonly Step[] = [
  { factor: 1, text: " s" },
  { factor: 1e-3, text: " ms" },
  { factor: 1e-6, text: " us" },
  { factor: 1e-9, text: " ns" },
];
const SECONDS: Partial<Record<Unit, number>> = { ns: 1e-9, us: 1e-6, ms: 1e-3 };

/** With its unit: `12.3 us`, `604 k/s`, `1.5 MB`. */
export function quantity(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return "–";
  const inSeconds = SECONDS[unit];
  if (inSeconds !== undefined) return scaled(value * inSeconds, seconds);
  if (unit === "bytes") return scaled(value, binary);
  if (unit === "MB" || unit === "MB/s") return `${digits(value)} ${unit}`;
  if (unit === "%") return `${digits(value)} %`;
  if (unit === "x") return `${digits(value)}x`;
  if (unit === "count") return scaled(value, decimal);
  return `${scaled(value, decimal)}/s`;
}

export function spread({ variation, count }: Summary): string {
  return count < 2 ? "" : ` ±${percent(variation)}`;
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value < 9.95 ? value.toFixed(value < 0.95 ? 1 : 0) : Math.round(value)} %`;
}

/** `5.8x`; below 0.1 it says `1/23`. */
export function times(ratio: number): string {
  if (!Number.isFinite(ratio)) return "–";
  if (ratio > 0 && ratio < 0.1) return `1/${digits(1 / ratio)}`;
  return `${ratio < 10 ? ratio.toFixed(2) : digits(ratio)}x`;
}

/** A point of an x axis, or a tick. */
export function position(value: number, axis: string): string {
  if (/bytes/i.test(axis)) return plain(scaled(value, binary));
  if (/microseconds/i.test(axis)) return value === 0 ? "0" : plain(scaled(value / 1e6, seconds));
  return plain(scaled(value, decimal).trim());
}

/** A quantity that is exact: `10 us`, not `10.0 us`. */
export function tick(value: number, unit: Unit): string {
  return plain(quantity(value, unit));
}

function plain(text: string): string {
  return text.replace(/\.0+(?=\D|$)/, "");
}

function scaled(value: number, steps: readonly Step[]): string {
  const last = steps.at(-1)!;
  const size = Math.abs(value);
  if (size === 0) return `0${last.text}`;
  // What would be rounded to 1000 goes one step up.
  const step = steps.find(({ factor }) => size >= factor * 0.9995) ?? last;
  return digits(value / step.factor) + step.text;
}

/** Three digits, thousands with a space. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 999.5)
    return Math.round(value)
      .toString()
      .replace(/\B(?=(\d{3})+$)/g, " ");
  if (size >= 99.95) return value.toFixed(0);
  if (size >= 9.995) return value.toFixed(1);
  if (size >= 0.01) return value.toFixed(2).replace(/\.00$/, "");
  return value.toPrecision(2);
}
