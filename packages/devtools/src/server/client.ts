/** A viewer: a response that stays open. A viewer that stops reading is dropped: no more is kept for it than the limit and one send. */
import type { ServerResponse } from "node:http";

export class Client {
  readonly #response: ServerResponse;
  readonly #limitBytes: number;

  /** @param limitBytes So much may be unread when there is more to send. What is sent at once may be larger. */
  constructor(response: ServerResponse, limitBytes: number) {
    this.#response = response;
    this.#limitBytes = limitBytes;
    // The program may end while there are viewers.
    response.socket?.unref();
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  }

  /** @param events All of this turn: what the viewer had no time to read does not count against it. Not changed any more: others get them, too. */
  send(events: Buffer): void {
    if (this.#response.destroyed) return;
    if (this.#response.writableLength > this.#limitBytes) this.#response.destroy();
    else this.#response.write(events);
  }

  end(): void {
    this.#response.end();
  }

  /** Once, whoever has ended it. */
  onGone(listener: () => void): void {
    this.#response.once("close", listener);
  }
}
