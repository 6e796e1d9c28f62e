import type { ServeOptions } from "@skein/cluster";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const PROGRAM = join(import.meta.dirname, "cluster-worker.ts");

/** A process that runs `serveJobs` on the built packages. */
export class WorkerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  /** When it takes jobs. */
  readonly ready: Promise<unknown>;

  constructor(options: Omit<ServeOptions, "pool" | "onError"> & { readonly threads?: number }) {
    // Long enough for no machine to be too busy: whoever means to lose a worker says less.
    const { lockMs = 60_000, threads = 1, skewMs = 0, ...rest } = options;
    const its = JSON.stringify({ lockMs, threads, skewMs, ...rest });
    this.#child = spawn(process.execPath, [PROGRAM, its], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#exit = once(this.#child, "exit");
    this.ready = once(this.#child.stdout!, "data");
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** When it has ended, in whatever way. */
  get ended(): Promise<unknown> {
    return this.#exit;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }

  /** Asks it to close, and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#exit;
  }
}
