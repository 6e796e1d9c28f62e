/** A viewer: a response that stays open. A viewer that stops reading is dropped, so that nothing is kept for it for ever. */
import type { ServerResponse } from "node:http";

export class Client {
  readonly #response: ServerResponse;
  readonly #limitBytes: number;

  /** @param limitBytes So much may wait to be read. */
  constructor(response: ServerResponse, limitBytes: number) {
    this.#response = response;
    this.#limitBytes = limitBytes;
    // The program may end while there are viewers.
    response.socket?.unref();
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  }

  /** @param event Is not changed any more: others get it, too. */
  send(event: Buffer): void {
    if (this.#response.destroyed) return;
    this.#response.write(event);
    if (this.#response.writableLength > this.#limitBytes) this.#response.destroy();
  }

  end(): void {
    this.#response.end();
  }

  /** Once, whoever has ended it. */
  onGone(listener: () => void): void {
    this.#response.once("close", listener);
  }
}
