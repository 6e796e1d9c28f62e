/** What one caller has of the store: the queues of the modules that it calls, its connections, and its word to the workers. */
import { type IQueueBackend, QueueEventsProducer } from "bullmq";
import type { ResolvedClusterOptions } from "./cluster-options.ts";
import { within } from "./connection.ts";
import { ModuleNames } from "./module-names.ts";
import { Promise } from "./native-promise.ts";
import { RemoteQueue, type RemoteQueueListener } from "./remote-queue.ts";
import type { StoreConnection } from "./store.ts";
import { controlName, queueName } from "./wire.ts";

export class RemoteStore {
  readonly #options: ResolvedClusterOptions;
  readonly #listener: RemoteQueueListener;
  readonly #names = new ModuleNames();
  /** By the URLs of their modules. */
  readonly #queues = new Map<string, RemoteQueue>();
  readonly #connections: StoreConnection[] = [];
  #commands: StoreConnection | null = null;
  #control: QueueEventsProducer<IQueueBackend, never> | null = null;
  #lastError: Error | null = null;
  /** Each ends a wait for the store. */
  readonly #waits = new Set<() => void>();
  #isClosed = false;

  /** Connects when the first queue is asked for. */
  constructor(options: ResolvedClusterOptions, listener: Omit<RemoteQueueListener, "error">) {
    this.#options = options;
    this.#listener = { ...listener, error: this.onError };
  }

  readonly onError = (error: Error): void => {
    // What is left behind has no connection: nobody need know.
    if (this.#isClosed) return;
    this.#lastError = error;
    this.#options.onError(error);
  };

  /** @throws ClusterUnavailableError when that takes longer than `connectTimeoutMs`, or it is closed. */
  async within<T>(answer: Promise<T>): Promise<T> {
    return await within(answer, this.#options.connectTimeoutMs, () => this.#lastError, this.#waits);
  }

  get isConnected(): boolean {
    return this.#connections.every(({ isReady }) => isReady);
  }

  /** @throws RangeError for a module whose file name cannot be used, or that another module has. */
  readonly nameOf = (url: string): string => queueName(this.#options.name, this.#names.of(url));

  /** @throws as `nameOf`. */
  queueOf(url: string): RemoteQueue {
    let queue = this.#queues.get(url);
    if (queue === undefined) {
      const name = this.nameOf(url);
      const { store, resultTtlMs } = this.#options;
      this.#commands ??= this.#connect();
      queue = new RemoteQueue(name, store, this.#commands, this.#connect(), resultTtlMs, this.#listener);
      this.#queues.set(url, queue);
    }
    return queue;
  }

  #connect(): StoreConnection {
    const connection = this.#options.store.connect(this.onError);
    this.#connections.push(connection);
    return connection;
  }

  /** Tells all workers that these jobs are to stop. A queue was asked for before. */
  async cancel(ids: Iterable<string>): Promise<void> {
    const { store, name } = this.#options;
    this.#control ??= new QueueEventsProducer(
      controlName(name),
      { connection: this.#commands!.client },
      store.backend,
    ).on("error", this.onError);
    for (const id of ids) await this.#control.publishEvent({ eventName: "cancel", id });
  }

  async close(): Promise<void> {
    const { isConnected } = this;
    const closed = Promise.all([
      this.#control?.close(),
      ...Array.from(this.#queues.values(), (queue) => queue.close()),
    ]);
    closed.catch(() => {});
    if (isConnected) await this.within(closed).catch(() => {});
    this.#isClosed = true;
    for (const connection of this.#connections) connection.disconnect();
    for (const giveUp of this.#waits) giveUp();
  }
}
