/**
 * `node --import @skein/devtools/register program.js`: a window on each pool of the program, if SKEIN_DEVTOOLS says so: `1`, or the port of
 * the first pool. Where it is not set, or `0`, nothing is loaded and nothing listens: the flag may stay in the script that starts the program.
 *
 * Why not the pool by itself: a variable of the environment is inherited by every process below, and a package that happens to be installed
 * next to the pool is code that nobody has asked for.
 */
import { subscribe } from "node:diagnostics_channel";
import { isMainThread } from "node:worker_threads";
import type { PoolMessage, ThreadPool } from "@skein/pool";
import type { Devtools } from "./index.ts";
import { clearInterval, setInterval } from "./server/timers.ts";

const wanted = process.env["SKEIN_DEVTOOLS"] ?? "";
const port = wanted === "1" ? undefined : Number(wanted);

// Threads inherit the flag: their pools are the main thread's affair.
if (isMainThread && wanted !== "" && wanted !== "0") {
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= 65_535))
    subscribe("skein:pool:open", (message) => void open((message as PoolMessage).pool));
  else say(`SKEIN_DEVTOOLS is ${JSON.stringify(wanted)}; set it to 1, or to a port`);
}

async function open(pool: ThreadPool): Promise<void> {
  try {
    const devtools = await serveSomewhere(pool);
    say(`pool ${JSON.stringify(pool.name)}: ${devtools.url}`);
    await closeWith(pool, devtools);
  } catch (error) {
    say(String(error));
  }
}

/** The port may be that of another program, or of the pool before. */
async function serveSomewhere(pool: ThreadPool): Promise<Devtools> {
  const { serveDevtools } = await import("./index.ts");
  try {
    return await serveDevtools(pool, { port });
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "ERR_SKEIN_DEVTOOLS_LISTEN") throw error;
    return await serveDevtools(pool, { port: 0 });
  }
}

/** Takes its window away when the pool has closed, and viewers have been told so. */
async function closeWith(pool: ThreadPool, devtools: Devtools): Promise<void> {
  const { AsyncScope } = await import("@skein/context");
  const { onClosing } = await import("@skein/pool/engine");
  const close = async (): Promise<void> => {
    await pool.close().then(null, () => {});
    const timer = setInterval(() => {
      if (devtools.clients > 0) return;
      clearInterval(timer);
      void devtools.close();
    }, 100).unref();
  };
  AsyncScope.root.run(() => {
    onClosing(pool, () => void AsyncScope.root.run(close));
    // It may have begun to close already.
    pool.ready().then(null, (error: unknown) => {
      if ((error as { readonly code?: unknown }).code === "ERR_SKEIN_POOL_CLOSED") void close();
    });
  });
}

function say(sentence: string): void {
  process.stderr.write(`skein devtools: ${sentence}\n`);
}
