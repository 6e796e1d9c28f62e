/** Reading the value of the current context. */
import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal } from "@skein/context";
import { type Round, costsOf } from "../cost.ts";

const local = new AsyncLocal<number>();
const storage = new AsyncLocalStorage<number>();

export function rounds(divisor: number): Record<"AsyncLocal" | "AsyncLocalStorage", Round> {
  return costsOf({ AsyncLocal: readLocal, AsyncLocalStorage: readStorage }, 1_000_000 / divisor);
}

function readLocal(count: number): number {
  return local.run(1, () => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += local.value ?? 0;
    return sum;
  });
}

function readStorage(count: number): number {
  return storage.run(1, () => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += storage.getStore() ?? 0;
    return sum;
  });
}
