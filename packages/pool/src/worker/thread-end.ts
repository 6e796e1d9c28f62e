/**
 * How a thread ends by itself: it was told to leave and has nothing left to do, or the pool closes.
 *
 * | state     | means                                                           | moves to                                          |
 * | --------- | --------------------------------------------------------------- | ------------------------------------------------- |
 * | up        | runs jobs, or is about to                                       | disposing; ended, when there is nothing to dispose of |
 * | disposing | `dispose` of the initialize module runs: no job begins here, and | ended, when it has settled; or the host ends the  |
 * |           | none can be submitted from here                                 | thread, which it was told before                  |
 * | ended     | exit handlers run, output is flushed                            | -                                                 |
 *
 * The host keeps the time, so that a `dispose` that never returns is ended like one that never settles (host/shutdown.ts).
 */
import { AsyncScope } from "@skein/context";
import { argumentTypeError } from "@skein/context/errors";
import { exportedFunction, type JobFunction } from "../jobs/exported-function.ts";
import { setImmediate } from "../shared/timers.ts";
import { process } from "../shared/intrinsics.ts";

/** Jobs may replace it, as tests of command lines do. */
const exit: () => never = process.exit.bind(process);

export interface ThreadEndParts {
  /** Called once, before `dispose` is: no job may be submitted from here on, and the host is told. */
  readonly disposing: () => void;
}

export class ThreadEnd {
  readonly #parts: ThreadEndParts;
  #dispose: JobFunction | null = null;
  #isDisposing = false;

  constructor(parts: ThreadEndParts) {
    this.#parts = parts;
  }

  /**
   * @param module The initialize module, loaded.
   * @throws TypeError when its export `dispose` is no function.
   */
  disposeBy(module: object): void {
    this.#dispose = exportedFunction(module, "dispose") ?? null;
    if (this.#dispose === null && Object.hasOwn(module, "dispose"))
      throw argumentTypeError(
        "initialize",
        "a module whose export `dispose` is a function",
        (module as { readonly dispose: unknown }).dispose,
      );
  }

  /** Ends the thread, now or when `dispose` has settled. May be called again. */
  begin(): void {
    if (this.#isDisposing) return;
    if (this.#dispose === null) exit();
    this.#isDisposing = true;
    this.#parts.disposing();
    void AsyncScope.root.run(disposeAndExit, this.#dispose);
  }
}

async function disposeAndExit(dispose: JobFunction): Promise<void> {
  try {
    await dispose();
  } catch (error) {
    // An uncaught error like any other that comes between two jobs (stray-errors.ts). Thrown outside of the promise, it is one whatever
    // this thread does with unhandled rejections.
    setImmediate(() => {
      setImmediate(() => exit());
      throw error;
    });
    return;
  }
  exit();
}
