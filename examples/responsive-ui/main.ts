/**
 * A user interface freezes while its loop computes. Here the loop only handles messages: the search runs on the pool, and afterwards the
 * handler continues on the loop by itself.
 */
import { hash } from "node:crypto";
import { once } from "node:events";
import { ThreadPool } from "@skein/pool";
import { CancellationTokenSource, OperationCanceledError, Task } from "@skein/scheduling";
import type * as Pins from "./pin.jobs.ts";
import { Window } from "./window.ts";

const pool = new ThreadPool({ maxThreads: 1 });
const pins = pool.module<typeof Pins>(new URL("./pin.jobs.ts", import.meta.url));
const window = new Window();
let search = new CancellationTokenSource();

/** The button "search". A generator method remembers its loop: each `yield*` comes back to it, wherever the job ran. */
const onSearch = Task.asyncVoid(function* (digits: number) {
  search = new CancellationTokenSource();
  window.show(`searching ${digits} digits`);
  try {
    const pin = yield* pool.run(pins.findPin, [hash("sha256", "7351"), digits], {
      signal: search.token,
      // The pool calls this outside the loop, so it posts.
      onProgress: (done) => window.post(onProgress, done as number),
    });
    window.show(`found ${pin}`);
  } catch (error) {
    if (!(error instanceof OperationCanceledError)) throw error;
    window.show("cancelled");
  }
});

function onProgress(done: number): void {
  window.show(`${done * 100} %`);
}

function onKey(key: string): void {
  window.show(`typed ${key}`);
}

function onCancel(): void {
  search.cancel();
}

// From here on the user. The first search would take years, so all that follows happens while its job is running.
window.post(onSearch, 12);
await once(window, "0 %");
window.post(onKey, "a");
window.post(onKey, "b");
window.post(onCancel, undefined);
await once(window, "cancelled");

// The second one ends by itself.
window.post(onSearch, 4);
await once(window, "found 7351");
await pool.close();
