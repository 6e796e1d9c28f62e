/** The jobs by which the matrix finds out whether a pool works. Nothing in them relies on what a surrounding may change. */
import process from "node:process";
import { AsyncLocal } from "@skein/context";
import { ThreadPool } from "@skein/pool";
import { fork, job } from "@skein/pool/worker";
import { revoked } from "./revoked.ts";

export const tenant = new AsyncLocal<string>({ name: "tenant", flow: "thread" });

export function add(a: number, b: number): number {
  return a + b;
}

export function echo<T>(value: T): T {
  return value;
}

export function fail(message: string): never {
  throw Object.defineProperty(new RangeError(message), "code", {
    __proto__: null,
    value: "E_BOOM",
    enumerable: true,
  } as PropertyDescriptor);
}

export async function failLater(message: string): Promise<never> {
  await Promise.resolve();
  return fail(message);
}

export function failRevoked(): never {
  // oxlint-disable-next-line typescript/only-throw-error -- that is what is tried
  throw revoked();
}

export function byteLength(memory: ArrayBuffer): number {
  return memory.byteLength;
}

export function readTenant(): string | undefined {
  return tenant.value;
}

export function nested(n: number): PromiseLike<number> | number {
  return n === 0 ? 0 : ThreadPool.current!.run(nested, [n - 1]).then((inner) => inner + 1);
}

export function fibonacci(n: number): number {
  if (n < 2) return n;
  const other = fork(fibonacci, n - 2);
  return fibonacci(n - 1) + other.join();
}

export function untilCancelled(gate: Int32Array): string {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  // Looks once a millisecond; a thread that never sleeps would cost the timeout's time in every row.
  while (!job.isCancellationRequested) Atomics.wait(gate, 0, 1, 1);
  return "stopped";
}

/** Waits in its event loop until the signal fires. */
export function untilSignal(gate: Int32Array): Promise<string> {
  return new Promise((resolve) => {
    job.signal.addEventListener("abort", () => resolve("stopped"));
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
  });
}

export function report(values: number): number {
  for (let i = 0; i < values; i++) job.progress(i);
  return values;
}

export function exit(): void {
  process.reallyExit(3);
}

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- as @types/node declares it
  namespace NodeJS {
    interface Process {
      reallyExit(code: number): never;
    }
  }
}
