/**
 * The states of the calls that threads make. Their words lie in few buffers: a pool tells its threads of each new buffer by a message, and of each
 * that was collected by another one.
 *
 * State      | FREE  | in `#free`                                | construction, give back
 *            | TAKEN | of one call, and of the thread that makes it | take
 * Invariants I1 Only a call that its thread has answered gives its state back: one whose thread has died, or was left behind, may still end.
 *            I2 Whoever gives a state back has no use for it any more: it is another call's.
 */
import { CallState } from "@skein/pool/engine";

/** Words of one buffer. */
const BLOCK = 256;

export class CallStates {
  readonly #free: CallState[] = [];

  take(): CallState {
    if (this.#free.length === 0) this.#addBlock();
    return this.#free.pop()!;
  }

  giveBack(state: CallState): void {
    state.reuse();
    this.#free.push(state);
  }

  #addBlock(): void {
    const words = new Int32Array(new SharedArrayBuffer(4 * BLOCK));
    for (let i = 0; i < BLOCK; i++) this.#free.push(new CallState(words.subarray(i, i + 1)));
  }
}
