/** Nanoseconds, by the clock that all threads share. */
export function stamp(): number {
  return Number(process.hrtime.bigint());
}
