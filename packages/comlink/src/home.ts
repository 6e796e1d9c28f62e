/** The thread's side of `spawn`: a job that ends when its object does. */
import type { MessagePort } from "node:worker_threads";
import { JobNotFoundError } from "@skein/pool";
import { exportedFunction, loadJobModule, suppressTracing } from "@skein/pool/engine";
import { job } from "@skein/pool/worker";
import { abortOnce } from "@skein/scheduling/internal";
import { doors } from "./doors.ts";
import { Exposed } from "./exposed.ts";
import { PortLink } from "./link.ts";
import { Promise } from "./intrinsics.ts";

suppressTracing(import.meta.url);

/** Constructs the object when it is told to, over `port`, answers with the id of the thread, and lives until it is released there, or the pool wants the thread back. */
export async function home(port: MessagePort, url: string, name: string): Promise<void> {
  const over = Promise.withResolvers<void>();
  job.signal.addEventListener("abort", () => over.resolve(), abortOnce);
  // First: the other side may be gone before the class is loaded.
  const link = new PortLink(port, true);
  try {
    const Class = await classOf(url, name);
    let object: unknown;
    void new Exposed(Class, link, doors, {
      onConstructed: (made) => {
        object = made;
        return job.threadId;
      },
      onOver: () => over.resolve(),
    });
    await over.promise;
    await dispose(object);
  } finally {
    port.close();
  }
}

async function classOf(url: string, name: string): Promise<unknown> {
  const module = await loadJobModule(url);
  const found = exportedFunction(module, name);
  if (found !== undefined) return found;
  const known = Object.keys(module).filter((key) => exportedFunction(module, key) !== undefined);
  throw new JobNotFoundError(url, name, known);
}

async function dispose(object: unknown): Promise<void> {
  if (typeof object !== "object" || object === null) return;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it has turns out now
  const own = object as Partial<AsyncDisposable & Disposable>;
  const disposer = own[Symbol.asyncDispose] ?? own[Symbol.dispose];
  if (typeof disposer !== "function") return;
  const disposed: unknown = Reflect.apply(disposer, object, []);
  await disposed;
}
