/** The other end of SentSignals: a signal of this thread for each that has come. */
import { AsyncScope } from "@skein/context";
import { AbortController } from "./intrinsics.ts";
import { decodeThrown } from "./thrown.ts";
import type { SentSignal, SignalMessage } from "./wire.ts";

interface Arrived {
  readonly controller: AbortController;
  /** Of the call that brought it first: its listeners run there. */
  readonly scope: AsyncScope;
}

function newlyArrived(): Arrived {
  return { controller: new AbortController(), scope: AsyncScope.capture() };
}

export class ArrivedSignals {
  readonly #waiting = new Map<string, Arrived>();

  receive({ id, reason }: SentSignal): AbortSignal {
    const known = this.#waiting.get(id);
    if (reason !== undefined) {
      const aborted = known ?? newlyArrived();
      this.#abort(id, aborted, decodeThrown(reason));
      return aborted.controller.signal;
    }
    if (known !== undefined) return known.controller.signal;
    const arrived = newlyArrived();
    this.#waiting.set(id, arrived);
    return arrived.controller.signal;
  }

  hear({ skein, signal, reason }: SignalMessage): void {
    const known = this.#waiting.get(signal);
    if (known === undefined) return;
    if (skein === "abort" && reason !== undefined) this.#abort(signal, known, decodeThrown(reason));
    else this.#waiting.delete(signal);
  }

  /** Nothing comes any more. */
  close(): void {
    this.#waiting.clear();
  }

  #abort(id: string, { controller, scope }: Arrived, reason: unknown): void {
    this.#waiting.delete(id);
    scope.run(() => controller.abort(reason));
  }
}
