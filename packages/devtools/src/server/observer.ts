/**
 * Watches a pool while there are clients, for all of them together; nothing is recorded, asked or timed before the first and after the last.
 *
 * | state   | means                  | goes on                                                            |
 * | ------- | ---------------------- | ------------------------------------------------------------------ |
 * | IDLE    | there are no clients   | to WATCHED by `add`                                                |
 * | WATCHED | there are clients      | to IDLE when the last has gone; to CLOSED when the pool has closed |
 * | CLOSED  | the pool has closed    | stays: whoever comes is told, and that is all                      |
 */
import { AsyncScope } from "@skein/context";
import type { ThreadPool } from "@skein/pool";
import { type PoolRecording, recordJobs } from "@skein/pool/engine";
import { type Batch, CORRELATION, FEED_VERSION, type FeedMessage, type Hello } from "../wire.ts";
import type { Client } from "./client.ts";
import { encodeBatch, hasNews } from "./encode-batch.ts";
import { eventBytes } from "./event-bytes.ts";
import { Sampler } from "./sampler.ts";
import { clearInterval, setInterval } from "./timers.ts";

const BATCH_MS = 100;
/** Every fifth batch. */
const SAMPLE_EVERY = 5;
/** Nothing has happened: so many batches are left out. */
const QUIET_BATCHES = 10;
const MAX_INTERVAL = 2 ** 20;
/** Of the JobCanceledError of a job that a viewer has canceled. */
const REASON = "canceled in the devtools";

export interface ObserverOptions {
  readonly controls: boolean;
  /** Besides the correlation id. */
  readonly locals: readonly string[];
  /** So many slices are told in each batch, about: beyond that only one job in several is. */
  readonly slicesPerBatch: number;
}

/** While there are clients. */
interface Watch {
  readonly recording: PoolRecording;
  readonly sampler: Sampler;
  readonly timer: NodeJS.Timeout;
  readonly hello: Omit<Hello, "nowUs" | "functions">;
  readonly functions: Map<number, string>;
  nowUs: number;
  oneIn: number;
  ticks: number;
  quiet: number;
  lastQueued: string;
  isAskingWhetherOpen: boolean;
}

export class Observer {
  readonly #pool: ThreadPool;
  readonly #options: ObserverOptions;
  readonly #clients = new Set<Client>();
  #watch: Watch | null = null;
  #isClosed = false;

  constructor(pool: ThreadPool, options: ObserverOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Tells it what there is, and from then on what happens, until it goes. */
  add(client: Client): void {
    if (this.#isClosed) {
      client.send(eventBytes({ type: "closed" }));
      client.end();
      return;
    }
    this.#clients.add(client);
    client.onGone(() => this.#remove(client));
    this.#watch ??= AsyncScope.root.run(() => this.#begin());
    const { hello, functions, nowUs } = this.#watch;
    const now = { ...hello, nowUs, functions: [...functions] };
    client.send(eventBytes(now, this.#watch.sampler.take(nowUs)));
  }

  /** What is kept of the timeline; null: there are no clients. */
  timeline(): Iterable<string> | null {
    return this.#watch === null ? null : this.#watch.recording.timeline();
  }

  /**
   * @returns why it was not canceled; null: it was. Resolves when the thread that has submitted it has a turn of its event loop; rejects
   * with a TypeError when it is no number.
   */
  async cancel(job: number | undefined): Promise<string | null> {
    if (this.#watch === null) return "Open the page first: nothing is recorded without viewers.";
    if (await this.#watch.recording.cancel(job as number, REASON)) return null;
    return "It has its outcome already, or was submitted before there were viewers.";
  }

  /** Nobody is told anything any more. */
  close(): void {
    for (const client of this.#clients) client.end();
    this.#clients.clear();
    this.#end();
  }

  #begin(): Watch {
    const { locals, controls } = this.#options;
    const recording = recordJobs(this.#pool, { locals: [CORRELATION, ...locals] });
    const { nowUs, functions } = recording.read();
    const timer = setInterval(() => this.#tick(), BATCH_MS);
    timer.unref();
    return {
      recording,
      sampler: new Sampler(this.#pool),
      timer,
      hello: {
        type: "hello",
        version: FEED_VERSION,
        session: crypto.randomUUID(),
        pool: { id: this.#pool.id, name: this.#pool.name },
        program: { pid: process.pid, node: process.version, title: process.argv[1] ?? process.title },
        epochMs: Date.now() - nowUs / 1000,
        controls,
      },
      functions: new Map(functions.map(({ id, name }) => [id, name])),
      nowUs,
      oneIn: 1,
      ticks: 0,
      quiet: 0,
      lastQueued: "",
      isAskingWhetherOpen: false,
    };
  }

  #remove(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#end();
  }

  #end(): void {
    const watch = this.#watch;
    if (watch === null) return;
    this.#watch = null;
    clearInterval(watch.timer);
    watch.recording[Symbol.dispose]();
    watch.sampler[Symbol.dispose]();
  }

  #tick(): void {
    const watch = this.#watch!;
    const batch = this.#batch(watch);
    const isSampled = ++watch.ticks % SAMPLE_EVERY === 0;
    this.#tell(batch, isSampled ? watch.sampler.take(watch.nowUs) : null);
    if (isSampled && !watch.isAskingWhetherOpen) void this.#askWhetherOpen(watch);
  }

  #batch(watch: Watch): Batch | null {
    const recorded = watch.recording.read(watch.oneIn);
    const { high, normal, low, local, placed } = recorded.queued;
    const batch = encodeBatch(recorded, watch.oneIn, [high, normal, low, local, placed]);
    watch.nowUs = batch.nowUs;
    for (const [id, name] of batch.functions) watch.functions.set(id, name);
    let ended = 0;
    // Dropped is what was recorded; of that, one in several would have been told.
    for (const thread of recorded.threads) ended += thread.ended + thread.dropped / watch.oneIn;
    watch.oneIn = intervalAfter(watch.oneIn, ended, this.#options.slicesPerBatch);
    const newQueued = batch.queued.join();
    const isQuiet = ended === 0 && newQueued === watch.lastQueued && !hasNews(batch);
    watch.lastQueued = newQueued;
    watch.quiet = isQuiet ? watch.quiet + 1 : 0;
    return watch.quiet % QUIET_BATCHES === 0 ? batch : null;
  }

  /** A pool tells nobody that it closes, but refuses to be waited for then. */
  async #askWhetherOpen(watch: Watch): Promise<void> {
    watch.isAskingWhetherOpen = true;
    try {
      await this.#pool.ready();
    } catch (error) {
      if ((error as { readonly code?: unknown }).code === "ERR_SKEIN_POOL_CLOSED") this.#poolClosed(watch);
    }
    watch.isAskingWhetherOpen = false;
  }

  /** Its threads have yet to end: their last jobs, and that. */
  #poolClosed(watch: Watch): void {
    if (this.#watch !== watch || this.#pool.threads.length > 0) return;
    this.#isClosed = true;
    this.#tell(this.#batch(watch), { type: "closed" });
    this.close();
  }

  /** @param messages All of this turn, in their order. */
  #tell(...messages: readonly (FeedMessage | null)[]): void {
    const present = messages.filter((message) => message !== null);
    if (present.length === 0) return;
    const events = eventBytes(...present);
    for (const client of this.#clients) client.send(events);
  }
}

/** Too many slices: as many times fewer jobs, at once. So few that twice as many would do: twice as many. Powers of two, up to MAX_INTERVAL. */
function intervalAfter(oneIn: number, ended: number, wanted: number): number {
  if (ended > wanted) return Math.min(MAX_INTERVAL, oneIn * 2 ** Math.ceil(Math.log2(ended / wanted)));
  return oneIn > 1 && ended < wanted / 4 ? oneIn / 2 : oneIn;
}
