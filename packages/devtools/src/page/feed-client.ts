/**
 * The connection to the server. The browser opens it again when it breaks; until then the page says so. What the server has not told
 * meanwhile is a gap.
 */
import { FEED_VERSION, type FeedMessage, parseMessage } from "../wire.ts";

export type Connection = "connecting" | "live" | "lost" | "closed";

export interface FeedEvents {
  message(message: FeedMessage): void;
  changed(connection: Connection): void;
}

const AGAIN_MS = 1000;

export class FeedClient {
  readonly #events: FeedEvents;
  #source: EventSource | null = null;

  constructor(events: FeedEvents) {
    this.#events = events;
  }

  open(): void {
    const source = new EventSource(`feed${location.search}`);
    this.#source = source;
    for (const type of ["hello", "batch", "sample", "closed"])
      source.addEventListener(type, (event) => this.#arrived((event as MessageEvent<string>).data));
    source.addEventListener("error", () => {
      if (this.#source !== source) return;
      this.#events.changed("lost");
      // A refusal ends it for good, as the browser has it: a server that starts again may refuse for a moment.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), AGAIN_MS);
    });
  }

  #arrived(data: string): void {
    const message = parseMessage(data);
    if (message.type === "hello" && message.version !== FEED_VERSION) {
      // The program was started again with another version, which brings a page of its own.
      this.#source?.close();
      this.#source = null;
      location.reload();
      return;
    }
    this.#events.message(message);
    if (message.type === "hello") this.#events.changed("live");
    if (message.type !== "closed") return;
    this.#source?.close();
    this.#source = null;
    this.#events.changed("closed");
  }
}
