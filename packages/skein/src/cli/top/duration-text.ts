/** Microseconds as people read them. */
export function durationText(us: number): string {
  if (us < 1) return "0";
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms`;
  return `${(us / 1e6).toFixed(1)} s`;
}
