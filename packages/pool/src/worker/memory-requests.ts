/** How a pool thread gets another memory: the host makes it, and posts it to all others first. */
import type { MemorySource, NumberedMemory } from "../shared/payloads.ts";

const NOTHING = -1;

export class MemoryRequests implements MemorySource {
  readonly gone: (id: number) => void;
  readonly grown: () => void;
  readonly #ask: (blockBytes: number) => void;
  /** What was asked for last and has not come. */
  #asked = NOTHING;

  /**
   * @param ask Asks the host.
   * @param gone Tells the host.
   * @param grown As MemorySource.grown.
   */
  constructor(ask: (blockBytes: number) => void, gone: (id: number) => void, grown: () => void) {
    this.#ask = ask;
    this.gone = gone;
    this.grown = grown;
  }

  /** The host may put a request for 0 bytes off, so one for more is made beside it. */
  request(blockBytes: number): NumberedMemory | null {
    if (blockBytes > this.#asked) {
      this.#asked = blockBytes;
      this.#ask(blockBytes);
    }
    return null;
  }

  /** It has come. */
  granted(): void {
    this.#asked = NOTHING;
  }
}
