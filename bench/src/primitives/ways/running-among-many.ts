/** The same while twenty more values are set around it, as libraries set them. */
import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal } from "@skein/context";
import { type Round, costsOf } from "../cost.ts";
import { runLocal, runStorage } from "./running.ts";

const OTHERS = 20;
const locals = Array.from({ length: OTHERS }, () => new AsyncLocal<number>());
const storages = Array.from({ length: OTHERS }, () => new AsyncLocalStorage<number>());

export function rounds(divisor: number): Record<"AsyncLocal" | "AsyncLocalStorage", Round> {
  return costsOf(
    {
      AsyncLocal: (count) => within(locals, () => runLocal(count)),
      AsyncLocalStorage: (count) => within(storages, () => runStorage(count)),
    },
    20_000 / divisor,
  );
}

interface Runs {
  run(value: number, inner: () => void): void;
}

function within(others: readonly Runs[], inner: () => void): void {
  others.reduce<() => void>((run, other, i) => () => other.run(i, run), inner)();
}
