/** A clock that all threads of a process read alike; `performance.now()` begins anew in each. */
export function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
