/** @param deaths how many threads have died; with `fatal` this one is the first. */
export function square(value: number, deaths: Int32Array, fatal: boolean, ms: number): number {
  if (fatal && Atomics.add(deaths, 0, 1) === 0) process.exit(3);
  for (const end = performance.now() + ms; performance.now() < end;);
  return value * value;
}
