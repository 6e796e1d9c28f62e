/** One job module, for whichever engine runs it. */
import { AsyncLocal } from "@skein/context";
import { job } from "@skein/pool/worker";

export const tenant: AsyncLocal<string> = new AsyncLocal<string>({ name: "tour.tenant", flow: "thread" });

export interface Found {
  readonly primes: number;
  readonly tenant: string | undefined;
}

// tour: begin
export function countPrimes(from: number, to: number): Found {
  let primes = 0;
  for (let candidate = from; candidate < to; candidate++) if (isPrime(candidate)) primes++;
  return { primes, tenant: tenant.value };
}
// tour: end

/** Never ends by itself. @param started is 1 from its first round on. */
export function spin(started: Int32Array): void {
  while (!job.isCancellationRequested) Atomics.store(started, 0, 1);
}

export function whereAmI(): number {
  return job.threadId;
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++)
    if (candidate % divisor === 0) return false;
  return candidate > 1;
}
