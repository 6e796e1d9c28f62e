/** Jobs of the benchmark, for the pool of a worker and for a bare BullMQ worker alike. */
export function tiny(n: number): number {
  return n + 1;
}

/** Computes for about 5 ms: so many rounds as `calibrate` has found. */
export function compute(rounds: number): number {
  let x = 1;
  for (let i = 0; i < rounds; i++) x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
  return x;
}
