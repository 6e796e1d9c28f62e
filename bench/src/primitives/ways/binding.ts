/** A callback that is to run in the context of here and now, once. */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { AsyncLocal, ExecutionContext } from "@skein/context";
import { type Round, costsOf } from "../cost.ts";

const local = new AsyncLocal<number>();
const storage = new AsyncLocalStorage<number>();

export function rounds(
  divisor: number,
): Record<"ExecutionContext.bind" | "AsyncLocalStorage.bind" | "AsyncResource.bind", Round> {
  return costsOf(
    {
      "ExecutionContext.bind": (count) => local.run(1, bindOurs, count),
      "AsyncLocalStorage.bind": (count) => storage.run(1, bindStorage, count),
      "AsyncResource.bind": (count) => storage.run(1, bindResource, count),
    },
    50_000 / divisor,
  );
}

function nothing(): void {}

function bindOurs(count: number): void {
  for (let i = 0; i < count; i++) ExecutionContext.bind(nothing)();
}

function bindStorage(count: number): void {
  for (let i = 0; i < count; i++) AsyncLocalStorage.bind(nothing)();
}

function bindResource(count: number): void {
  for (let i = 0; i < count; i++) AsyncResource.bind(nothing)();
}
