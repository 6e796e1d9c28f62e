/** The jobs of one module in the store, as their caller sees them. */
import { FlowProducer, type IQueueBackend, Queue, QueueEvents, QueueEventsProducer } from "bullmq";
import { readingEvents } from "./event-reader.ts";
import { Promise } from "./native-promise.ts";
import { dataOf, flowOf, type NewJob, optionsOf, type ResultAge } from "./new-job.ts";
import type { Store, StoreConnection } from "./store.ts";
import { now } from "./timers.ts";
import type { WireRequest } from "./wire.ts";

/** What the store says of a job; nothing is asked of it when it says so. */
export interface RemoteQueueListener {
  completed(id: string, outcome: unknown): void;
  failed(id: string, reason: string): void;
  reported(id: string, report: unknown): void;
  error(error: Error): void;
  /** How many jobs are. */
  underWay(): number;
}

type AnyQueue = Queue<WireRequest, unknown, string, WireRequest, unknown, string, IQueueBackend, never>;

/** So many jobs go at once: with more the first would wait for the last. */
const TRANSACTION = 100;
/** Readers are not woken more often than that. */
const WAKE_MS = 250;

export class RemoteQueue {
  readonly name: string;
  readonly #queue: AnyQueue;
  readonly #events: QueueEvents<unknown, IQueueBackend, never>;
  readonly #flows: () => FlowProducer<IQueueBackend, never>;
  readonly #resultAge: ResultAge;
  readonly #ready: Promise<unknown>;
  readonly #lastEvent: () => Promise<string>;
  readonly #makeProducer: () => QueueEventsProducer<IQueueBackend, never>;
  #producer: QueueEventsProducer<IQueueBackend, never> | null = null;
  #wokenAt = -Infinity;
  /** Null: it has to be asked for. */
  #begun: Promise<string> | null = null;

  /** @param commands Shared by all queues. @param blocking This queue's own. */
  constructor(
    name: string,
    store: Store,
    commands: StoreConnection,
    blocking: StoreConnection,
    resultTtlMs: number,
    listener: RemoteQueueListener,
  ) {
    this.name = name;
    const { backend } = store;
    this.#queue = new Queue(name, { connection: commands.client }, backend);
    this.#lastEvent = () => store.lastEvent(commands.client, this.#queue);
    const onError = (error: Error): void => listener.error(error);
    // What nobody listens to BullMQ prints.
    this.#makeProducer = () =>
      new QueueEventsProducer(name, { connection: commands.client }, backend).on("error", onError);
    this.#events = new QueueEvents(
      name,
      { connection: blocking.client },
      readingEvents(backend, {
        underWay: () => listener.underWay(),
        begin: () => this.#begin(),
        waitMs: store.eventsMs,
      }),
    );
    let flows: FlowProducer<IQueueBackend, never> | undefined;
    this.#flows = () => (flows ??= new FlowProducer({ connection: commands.client }, backend));
    this.#resultAge = { age: Math.ceil(resultTtlMs / 1000) };
    this.#queue.on("error", onError);
    this.#events.on("error", onError);
    this.#events.on("completed", ({ jobId, returnvalue }) => listener.completed(jobId, returnvalue));
    this.#events.on("failed", ({ jobId, failedReason }) => listener.failed(jobId, failedReason));
    this.#events.on("progress", ({ jobId, data }) => listener.reported(jobId, data));
    this.#ready = this.#events.waitUntilReady();
    this.#ready.catch(() => {});
  }

  /** One that is there already stays as it is. */
  async add(jobs: readonly NewJob[]): Promise<void> {
    await this.#ready;
    await this.#begin();
    const alone = jobs.filter(({ children }) => children.length === 0);
    const withChildren = jobs.filter(({ children }) => children.length > 0);
    const entries = alone.map((job) => ({
      name: job.request.fn,
      data: dataOf(job),
      opts: optionsOf(job, this.#resultAge),
    }));
    for (let i = 0; i < entries.length; i += TRANSACTION) {
      const part = entries.slice(i, i + TRANSACTION);
      const [first] = part;
      // One alone goes without a transaction around it.
      if (part.length === 1) await this.#queue.add(first!.name, first!.data, first!.opts);
      else await this.#queue.addBulk(part);
    }
    if (withChildren.length > 0)
      await this.#flows().addBulk(withChildren.map((job) => flowOf(job, this.#resultAge)));
  }

  /** The last event before all jobs of this caller: those after it are read. */
  #begin(): Promise<string> {
    this.#begun ??= this.#lastEvent().catch((error: unknown) => {
      this.#begun = null;
      throw error;
    });
    return this.#begun;
  }

  /** @returns false for one that a worker has, or that is over. */
  async remove(id: string): Promise<boolean> {
    // On Postgres it is how many were removed, those below it among them.
    return (await this.#queue.remove(id)) > 0;
  }

  /**
   * Whoever waits for events of this queue looks for them. On Postgres some may have come between his last look and the wait, which is a long one
   * if no job was under way then.
   */
  async wakeReaders(): Promise<void> {
    if (now() - this.#wokenAt < WAKE_MS) return;
    this.#wokenAt = now();
    this.#producer ??= this.#makeProducer();
    await this.#producer.publishEvent({ eventName: "look" });
  }

  /** How a job stands. */
  async look(id: string): Promise<RemoteState> {
    const seen = await this.#queue.backend.isFinished(id, true);
    const [status, text] = typeof seen === "number" ? [seen, ""] : seen;
    if (status === 1) return { kind: "completed", outcome: parse(text) };
    if (status === 2) return { kind: "failed", reason: text || "it does not say why" };
    return { kind: status === -1 ? "gone" : "open" };
  }

  /** What the store has of the job; undefined: it has no such job. */
  async stored(id: string): Promise<StoredRequest | undefined> {
    const stored = await this.#queue.backend.getJobData(id);
    if (stored === undefined) return undefined;
    const data = parse(stored.data);
    const request = typeof data === "object" && data !== null ? data : {};
    // Before the first report it is 0.
    return { request, hasReported: typeof stored.progress === "object" };
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#queue.close(), this.#events.close(), this.#producer?.close()]);
  }
}

export interface StoredRequest {
  readonly request: Partial<WireRequest>;
  /** Whether it has said that it has begun, at least. */
  readonly hasReported: boolean;
}

export type RemoteState =
  | { readonly kind: "gone" | "open" }
  | { readonly kind: "completed"; readonly outcome: unknown }
  | { readonly kind: "failed"; readonly reason: string };

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
