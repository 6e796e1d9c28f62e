/** What `await` costs while there is a context to keep. */
import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal } from "@skein/context";
import { type Round, costsOf } from "../cost.ts";

const local = new AsyncLocal<number>();
const storage = new AsyncLocalStorage<number>();

export function rounds(divisor: number): Record<"AsyncLocal" | "AsyncLocalStorage" | "no context", Round> {
  return costsOf(
    {
      AsyncLocal: (count) => local.run(1, awaitMany, count, () => local.value),
      AsyncLocalStorage: (count) => storage.run(1, awaitMany, count, () => storage.getStore()),
      "no context": (count) => awaitMany(count, () => 1),
    },
    100_000 / divisor,
  );
}

async function awaitMany(count: number, value: () => number | undefined): Promise<void> {
  const settled = Promise.resolve();
  for (let i = 0; i < count; i++) await settled;
  if (value() !== 1) throw new Error("the context was lost");
}
