/** Whether this is a thread of a pool of this package: its first module says so, before any task file is loaded. */
import { workerData as given } from "node:worker_threads";

const key: unique symbol = Symbol.for("skein.piscina.thread");
const holder = globalThis as { [key]?: true };

export function markThread(): void {
  holder[key] = true;
}

export function isPiscinaThread(): boolean {
  return holder[key] === true;
}

export function dataOfThread(): unknown {
  return isPiscinaThread() ? given : undefined;
}
