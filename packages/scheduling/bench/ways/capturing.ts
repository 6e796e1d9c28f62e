/** Taking the context along, and running something in it. */
import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal, ExecutionContext } from "@skein/context";

const request = new AsyncLocal<number>();
const storage = new AsyncLocalStorage<number>();

function nothing(): void {}

export function snapshotAndRun(count: number): void {
  storage.run(1, () => {
    for (let i = 0; i < count; i++) AsyncLocalStorage.snapshot()(nothing);
  });
}

export function captureAndRun(count: number): void {
  request.run(1, () => {
    for (let i = 0; i < count; i++) {
      const context = ExecutionContext.capture();
      if (context !== null) ExecutionContext.run(context, nothing);
    }
  });
}
