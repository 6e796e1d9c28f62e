import { correlationId } from "@skein/context/http";
import { job } from "@skein/pool/worker";

export interface Primes {
  readonly primes: number;
  readonly requestId: string | undefined;
}

/** How many primes there are below `limit`: work for the CPU, without a pause. */
export function countPrimes(limit: number): Primes {
  let primes = 0;
  for (let n = 2; n < limit; n++) {
    job.throwIfCancellationRequested(); // nobody waits for the answer any more
    if (isPrime(n)) primes++;
  }
  // The id came along with the request, through the call of the job.
  return { primes, requestId: correlationId.value };
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}
