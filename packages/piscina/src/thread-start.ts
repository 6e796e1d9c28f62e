/** What threads load first. The URL says by how much the thread lowers its priority. */
import { subscribe } from "node:diagnostics_channel";
import { URL } from "node:url";
import { parentPort } from "node:worker_threads";
import type { StrayErrorMessage } from "@skein/pool";
import { STRAY } from "./stray-message.ts";
import { markThread } from "./thread-mark.ts";

markThread();
// Errors after a task has returned: the program hears of them by the pool's `error` event.
subscribe("skein:job:stray", (message) => {
  parentPort?.postMessage({ [STRAY]: (message as StrayErrorMessage).error });
});
const niceIncrement = Number(new URL(import.meta.url).searchParams.get("nice") ?? 0);
if (niceIncrement !== 0) {
  // Not there on every platform.
  const nice = await import("@napi-rs/nice").catch(() => null);
  nice?.nice(niceIncrement);
}
