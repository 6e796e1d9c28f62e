/** Numbers as people read them: three digits that count, and a unit. */

const counts = new Intl.NumberFormat("en-US");

export function count(value: number): string {
  return counts.format(Math.round(value));
}

export function duration(us: number): string {
  if (us < 0.95) return us <= 0 ? "0" : "<1 µs";
  if (us < 999.5) return `${digits(us)} µs`;
  if (us < 999_500) return `${digits(us / 1000)} ms`;
  if (us < 59_950_000) return `${digits(us / 1e6)} s`;
  const minutes = Math.floor(us / 60e6);
  return `${minutes} min ${Math.floor((us / 1e6) % 60)} s`;
}

export function bytes(value: number): string {
  if (value < 1e6) return `${digits(value / 1024)} KB`;
  if (value < 1e9) return `${digits(value / 2 ** 20)} MB`;
  return `${digits(value / 2 ** 30)} GB`;
}

export function rate(perSecond: number): string {
  return perSecond < 10 ? digits(perSecond) : count(perSecond);
}

export function percent(part: number): string {
  return `${Math.round(part * 100)}%`;
}

export function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** Submitter and number, as in traces. */
export function jobName(job: number): string {
  return `${Math.floor(job / 2 ** 33)}-${Math.floor(job / 4) % 2 ** 31}`;
}

function digits(value: number): string {
  if (value >= 99.5) return String(Math.round(value));
  return value >= 9.95 ? value.toFixed(1).replace(/\.0$/, "") : value.toFixed(2).replace(/\.?0+$/, "");
}
