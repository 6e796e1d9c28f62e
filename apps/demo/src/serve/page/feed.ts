/** What the server tells by itself. The browser opens the connection again when it breaks; the page says so until then. */
import type { LoopColumns, Scan, Settings, Threads } from "./wire.ts";

export type Connection = "connecting" | "live" | "lost";

export interface FeedEvents {
  readonly changed: (connection: Connection) => void;
  readonly scan: (scan: Scan) => void;
  readonly deleted: (scan: { readonly id: string }) => void;
  readonly settings: (settings: Settings) => void;
  readonly loop: (columns: LoopColumns) => void;
  readonly threads: (threads: Threads) => void;
}

const AGAIN_MS = 1000;

export function openFeed(events: FeedEvents): void {
  const source = new EventSource("/api/events");
  const on = (type: "scan" | "deleted" | "settings" | "loop" | "threads"): void =>
    source.addEventListener(type, ({ data }: MessageEvent<string>) =>
      events[type](JSON.parse(data) as never),
    );
  on("scan");
  on("deleted");
  on("settings");
  on("loop");
  on("threads");
  source.addEventListener("open", () => events.changed("live"));
  source.addEventListener("error", () => {
    events.changed("lost");
    // A refusal ends it for good, and a server that is just starting may refuse.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => openFeed(events), AGAIN_MS);
  });
}
