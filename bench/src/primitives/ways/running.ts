/** Running something with another value. */
import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal } from "@skein/context";
import { type Round, costsOf } from "../cost.ts";

export function rounds(divisor: number): Record<"AsyncLocal" | "AsyncLocalStorage", Round> {
  return costsOf({ AsyncLocal: runLocal, AsyncLocalStorage: runStorage }, 100_000 / divisor);
}

const local = new AsyncLocal<number>();
const storage = new AsyncLocalStorage<number>();

function nothing(): void {}

export function runLocal(count: number): void {
  for (let i = 0; i < count; i++) local.run(i, nothing);
}

export function runStorage(count: number): void {
  for (let i = 0; i < count; i++) storage.run(i, nothing);
}
