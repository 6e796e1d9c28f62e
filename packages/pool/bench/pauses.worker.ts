/** Waits in one way, again and again; answers with a message, as the pool's threads ring. `workerData` is what `pauses.ts` says. */
import { parentPort, workerData } from "node:worker_threads";
import { stamp } from "./pauses.jobs.ts";

const { way, words } = workerData as { way: "message" | "wait" | "waitAsync"; words: Int32Array };
const port = parentPort!;

if (way === "message") {
  port.on("message", () => port.postMessage(stamp()));
} else if (way === "wait") {
  for (;;) {
    Atomics.wait(words, 0, 0);
    if (Atomics.exchange(words, 0, 0) === 1) port.postMessage(stamp());
  }
} else {
  // Keeps the event loop alive.
  port.on("message", () => {});
  for (;;) {
    await Atomics.waitAsync(words, 0, 0).value;
    if (Atomics.exchange(words, 0, 0) === 1) port.postMessage(stamp());
  }
}
