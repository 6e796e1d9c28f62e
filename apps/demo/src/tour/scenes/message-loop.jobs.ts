/** Counts primes until the main thread has painted so many more frames: there is time to watch, and proof that it paints. */
export function countPrimes(frames: Int32Array, more: number): number {
  let primes = 0;
  const last = Atomics.load(frames, 0) + more;
  const giveUp = Date.now() + 20_000;
  for (let candidate = 2; Atomics.load(frames, 0) < last; candidate++) {
    if (isPrime(candidate)) primes++;
    if (candidate % 1024 === 0 && Date.now() > giveUp) break;
  }
  return primes;
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++)
    if (candidate % divisor === 0) return false;
  return true;
}
