/** As much of a user interface as fits into a terminal: one window, whose loop handles one message after the other. */
import { EventEmitter } from "node:events";
import { MessageLoop, SynchronizationContext } from "@skein/scheduling";

export class Window extends EventEmitter {
  readonly #loop = new MessageLoop();

  /** Like widgets everywhere, it belongs to its loop: nothing else may touch it. */
  show(text: string): void {
    if (SynchronizationContext.current !== this.#loop) throw new Error("Only its loop may touch the window");
    console.log(text);
    this.emit(text);
  }

  /** Runs `handler` on the loop, after what is there already: what the user does, and what other code reports. */
  post<S>(handler: (value: S) => void, value: S): void {
    this.#loop.post(handler, value);
  }
}
