/** All scans: begun, stopped, resumed, deleted. Every one that is begun ends, whatever happens to it. */
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { AsyncScope } from "@skein/context";
import { correlationId } from "@skein/context/http";
import { describeFileError, formatPlural } from "../wording.ts";
import { CensusError } from "./census-error.ts";
import type { ScanRoot } from "./scan-root.ts";
import { runScan } from "./scan-run.ts";
import type { ScanPlaces } from "./scan-run.ts";
import { isResumable } from "./scan-record.ts";
import type { EndState, ScanRecord, ScanSource } from "./scan-record.ts";
import type { Uploads } from "./uploads.ts";

export interface ServiceParts extends ScanPlaces {
  readonly root: ScanRoot;
  readonly uploads: Uploads;
  /** The state of a scan is another one. */
  readonly changed: (record: ScanRecord) => void;
  readonly deleted: (id: string) => void;
}

/** How a scan ends; as the reason of a signal, how it is told to. */
class Ending {
  readonly state: EndState;
  readonly message: string | undefined;

  constructor(state: EndState, message?: string) {
    this.state = state;
    this.message = message;
  }
}

/** A scan that has not ended. */
interface OpenScan {
  readonly record: ScanRecord;
  readonly root: string;
  readonly stop: AbortController;
  readonly ended: PromiseWithResolvers<void>;
}

const MAX_SCANNING = 8;
const MAX_WAITING = 100;
const CLOSED = "The server was closed while this scan was under way. It can be resumed.";

export class ScanService {
  readonly #parts: ServiceParts;
  /** By id: those that wait, in their order, and those under way. */
  readonly #open = new Map<string, OpenScan>();
  readonly #waiting: OpenScan[] = [];
  #isClosing = false;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    parts.uploads.clean(parts.store.resumableIds());
  }

  /** Scans that have not ended. */
  get openCount(): number {
    return this.#open.size;
  }

  /** @param path below the root. @throws CensusError */
  scanPath(path: string, correlation: string): ScanRecord {
    const { name, directory } = this.#parts.root.resolve(path);
    return this.begin(randomUUID(), { kind: "path", name }, directory, correlation);
  }

  /** @param root absolute, links resolved. @throws CensusError when there are too many, or the server is closing. */
  begin(id: string, source: ScanSource, root: string, correlation: string): ScanRecord {
    this.#refuseWhenFull();
    const record: ScanRecord = {
      id,
      source,
      state: "queued",
      correlationId: correlation,
      startedAt: new Date().toISOString(),
      files: { total: 0, done: 0 },
      bytes: 0,
      functions: 0,
      errors: 0,
    };
    this.#parts.store.add(record, root);
    this.#enqueue(record, root);
    return record;
  }

  /** @throws CensusError when there is none. */
  find(id: string): ScanRecord {
    const open = this.#open.get(id);
    if (open !== undefined) return open.record;
    const stored = this.#parts.store.find(id);
    if (stored === undefined)
      throw new CensusError("ERR_CENSUS_NOT_FOUND", "There is no such scan. It may have been deleted.");
    return withEnd(stored);
  }

  /** Newest first. */
  list(limit: number, correlation?: string): ScanRecord[] {
    const stored = this.#parts.store.list(limit, correlation);
    // Those that are open have gone further than what is stored of them.
    return stored.map((record) => this.#open.get(record.id)?.record ?? withEnd(record));
  }

  /** @returns once it has stopped. @throws CensusError when it has ended already. */
  async cancel(id: string): Promise<ScanRecord> {
    const record = this.find(id);
    const open = this.#open.get(id);
    if (open === undefined)
      throw new CensusError("ERR_CENSUS_STATE", `The scan has ended already: it is ${record.state}.`);
    await this.#stop(open, new Ending("cancelled"));
    return record;
  }

  /** Goes on with what is stored. @throws CensusError when it is not resumable, or its files are gone. */
  resume(id: string): ScanRecord {
    const record = this.find(id);
    if (!isResumable(record)) {
      throw new CensusError(
        "ERR_CENSUS_STATE",
        `Only a scan that was cancelled or interrupted can be resumed. This one is ${record.state}.`,
      );
    }
    this.#refuseWhenFull();
    const { root, store } = this.#parts;
    const directory = store.rootOf(id);
    if (record.source.kind === "path") root.check(directory);
    record.state = "queued";
    record.endedAt = undefined;
    record.message = undefined;
    store.update(record);
    this.#enqueue(record, directory);
    return record;
  }

  /** Stops it, and deletes all that is stored of it. @throws CensusError when there is none. */
  async delete(id: string): Promise<void> {
    this.find(id);
    for (let open = this.#open.get(id); open !== undefined; open = this.#open.get(id))
      await this.#stop(open, new Ending("cancelled"));
    this.#parts.store.remove(id);
    this.#parts.deleted(id);
    await this.#parts.uploads.remove(id);
  }

  /**
   * Takes no more scans. Those under way may go on until `patience` resolves; the others are interrupted then, those that wait at once.
   * @returns how many were interrupted, when all have ended.
   */
  async close(patience: Promise<unknown>): Promise<number> {
    this.#isClosing = true;
    const ending = new Ending("interrupted", CLOSED);
    const all = [...this.#open.values()];
    while (this.#waiting.length > 0) void this.#stop(this.#waiting[0]!, ending);
    await Promise.race([patience, Promise.all(all.map(({ ended }) => ended.promise))]);
    await Promise.all([...this.#open.values()].map((open) => this.#stop(open, ending)));
    return all.filter(({ record }) => record.state === "interrupted").length;
  }

  #refuseWhenFull(): void {
    if (this.#isClosing)
      throw new CensusError("ERR_CENSUS_CLOSING", "The server is closing. Start the scan again later.");
    if (this.#waiting.length >= MAX_WAITING) {
      throw new CensusError(
        "ERR_CENSUS_BUSY",
        `${formatPlural(MAX_WAITING, "scan")} wait already. Try again when some are done.`,
      );
    }
  }

  #enqueue(record: ScanRecord, root: string): void {
    const open = { record, root, stop: new AbortController(), ended: Promise.withResolvers<void>() };
    // Every file under way listens.
    setMaxListeners(0, open.stop.signal);
    this.#open.set(record.id, open);
    this.#waiting.push(open);
    this.#parts.changed(record);
    this.#startNext();
  }

  #startNext(): void {
    while (this.#open.size - this.#waiting.length < MAX_SCANNING) {
      const open = this.#waiting.shift();
      if (open === undefined) return;
      // A scan outlives the request that began it, and has nothing of it but the id.
      void AsyncScope.root.run(() => correlationId.run(open.record.correlationId, () => this.#run(open)));
    }
  }

  async #run(open: OpenScan): Promise<void> {
    const { record, root, stop } = open;
    try {
      record.state = "scanning";
      this.#parts.store.update(record);
      this.#parts.changed(record);
      await runScan(record, root, this.#parts, stop);
      this.#end(open, new Ending("done"));
    } catch (error) {
      const { reason } = stop.signal as { reason: unknown };
      const why = `The scan could not go on: ${describeFileError(reason ?? error)}.`;
      this.#end(open, reason instanceof Ending ? reason : new Ending("failed", why));
    }
  }

  /** Writes down how it ended. Whoever waits for it goes on in any case. */
  #end(open: OpenScan, { state, message }: Ending): void {
    const { record, ended } = open;
    const { store, uploads, changed } = this.#parts;
    record.state = state;
    record.message = message;
    record.endedAt = new Date().toISOString();
    try {
      if (isResumable(record)) store.update(record);
      else store.finish(record);
    } catch (error) {
      record.state = "interrupted";
      record.message = `The end of this scan could not be stored: ${describeFileError(error)}. It can be resumed.`;
      record.digest = undefined;
    }
    this.#open.delete(record.id);
    ended.resolve();
    changed(record);
    // What is done needs its files no more; the next start deletes what cannot be deleted now.
    if (!isResumable(record)) uploads.remove(record.id).catch(() => {});
    this.#startNext();
  }

  async #stop(open: OpenScan, ending: Ending): Promise<void> {
    open.stop.abort(ending);
    const place = this.#waiting.indexOf(open);
    if (place >= 0) {
      this.#waiting.splice(place, 1);
      this.#end(open, ending);
    }
    await open.ended.promise;
  }
}

/** What is stored of a scan that is not open. If it says that the scan is under way, its end could not be stored: as after a crash. */
function withEnd(stored: ScanRecord): ScanRecord {
  if (stored.state === "queued" || stored.state === "scanning") {
    stored.state = "interrupted";
    stored.message = "The end of this scan could not be stored. It can be resumed.";
  }
  return stored;
}
