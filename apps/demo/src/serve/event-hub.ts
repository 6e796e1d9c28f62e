/**
 * What the page is told as it happens, as server-sent events. A reader that does not read is dropped. Without readers no timer runs.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import type { ServerResponse } from "node:http";
import { AsyncScope } from "@skein/context";
import { CensusError } from "./census-error.ts";
import { LoopColumns } from "./loop-columns.ts";
import type { Settings, Threads } from "./scan-pool.ts";
import type { ScanRecord } from "./scan-record.ts";

/** What a reader is told first, and now and then. */
export interface Sources {
  readonly scans: () => readonly ScanRecord[];
  readonly settings: () => Settings;
  readonly threads: () => Threads;
}

const COLUMN_MS = 100;
const COLUMNS_AT_ONCE = 5;
const RETRY_MS = 1000;
const MAX_READERS = 64;
/** So much may wait to be read. */
const UNREAD_BYTES = 1 << 20;

export class EventHub {
  readonly #sources: Sources;
  readonly #unreadBytes: number;
  readonly #readers = new Set<ServerResponse>();
  /** Whose progress is not told yet, by id. */
  readonly #progressed = new Map<string, ScanRecord>();
  readonly #loop = new LoopColumns();
  #timer: NodeJS.Timeout | undefined;
  #columns = 0;
  #isClosed = false;

  constructor(sources: Sources, unreadBytes: number = UNREAD_BYTES) {
    this.#sources = sources;
    this.#unreadBytes = unreadBytes;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** @throws CensusError when there are too many readers. */
  checkRoom(): void {
    if (this.#isClosed) throw new CensusError("ERR_CENSUS_CLOSING", "The server is closing.");
    if (this.#readers.size >= MAX_READERS)
      throw new CensusError("ERR_CENSUS_BUSY", `${MAX_READERS} pages are open already. Close one of them.`);
  }

  /** Tells what is there, and from now on what happens, until the connection ends. */
  add(response: ServerResponse): void {
    // Its connection has ended: "close" has been emitted.
    if (response.destroyed) return;
    const scans = this.#sources.scans().toReversed();
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
    });
    this.#readers.add(response);
    response.once("close", () => {
      this.#readers.delete(response);
      if (this.#readers.size === 0) this.#rest();
    });
    this.#send(
      [response],
      `retry: ${RETRY_MS}\n\n${eventOf("settings", this.#sources.settings())}${scans.map((scan) => eventOf("scan", scan)).join("")}`,
    );
    if (this.#readers.size > 0 && this.#timer === undefined) AsyncScope.root.run(() => this.#wake());
  }

  /** The state of a scan is another one: told at once. */
  changed(record: ScanRecord): void {
    this.#progressed.delete(record.id);
    this.#send(this.#readers, eventOf("scan", record));
  }

  deleted(id: string): void {
    this.#progressed.delete(id);
    this.#send(this.#readers, eventOf("deleted", { id }));
  }

  /** A scan has gone on: told ten times a second at most. */
  progressed(record: ScanRecord): void {
    if (this.#readers.size > 0) this.#progressed.set(record.id, record);
  }

  settingsChanged(settings: Settings): void {
    this.#send(this.#readers, eventOf("settings", settings));
  }

  close(): void {
    this.#isClosed = true;
    for (const reader of this.#readers) reader.end();
    this.#rest();
  }

  #wake(): void {
    this.#loop.start();
    this.#timer = setInterval(() => this.#tick(), COLUMN_MS);
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#loop.stop();
    this.#columns = 0;
    this.#progressed.clear();
  }

  #tick(): void {
    let text = "";
    for (const record of this.#progressed.values()) text += eventOf("scan", record);
    this.#progressed.clear();
    this.#loop.next();
    if (++this.#columns === COLUMNS_AT_ONCE) {
      this.#columns = 0;
      text += eventOf("loop", { at: new Date().toISOString(), columns: this.#loop.take() });
      text += eventOf("threads", this.#sources.threads());
    }
    if (text !== "") this.#send(this.#readers, text);
  }

  #send(readers: Iterable<ServerResponse>, text: string): void {
    for (const reader of readers) {
      if (reader.destroyed || reader.writableEnded) continue;
      reader.write(text);
      if (reader.writableLength > this.#unreadBytes) reader.destroy();
    }
  }
}

function eventOf(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
