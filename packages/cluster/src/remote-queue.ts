/** The jobs of one module in the store, as their caller sees them. */
import { Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import { queueName, type WireRequest } from "./wire.ts";

/** What the store says of a job; nothing is asked of it when it says so. */
export interface RemoteQueueListener {
  completed(id: string, outcome: unknown): void;
  failed(id: string, reason: string): void;
  reported(id: string, report: unknown): void;
  error(error: Error): void;
}

export interface RemoteQueueOptions {
  readonly name: string;
  readonly resultTtlMs: number;
}

export class RemoteQueue {
  readonly #commands: Redis;
  readonly #queue: Queue<WireRequest>;
  readonly #events: QueueEvents;
  readonly #resultAge: { readonly age: number };
  readonly #ready: Promise<unknown>;

  /** @param commands Shared by all queues. @param blocking This queue's own. */
  constructor(
    commands: Redis,
    blocking: Redis,
    module: string,
    { name, resultTtlMs }: RemoteQueueOptions,
    listener: RemoteQueueListener,
  ) {
    const queue = queueName(name, module);
    this.#commands = commands;
    this.#queue = new Queue(queue, { connection: commands });
    this.#events = new QueueEvents(queue, { connection: blocking });
    // Without an age, jobs would stay for ever. A count would cost more with each.
    this.#resultAge = { age: Math.ceil(resultTtlMs / 1000) };
    this.#queue.on("error", (error) => listener.error(error));
    this.#events.on("error", (error) => listener.error(error));
    this.#events.on("completed", ({ jobId, returnvalue }) => listener.completed(jobId, returnvalue));
    this.#events.on("failed", ({ jobId, failedReason }) => listener.failed(jobId, failedReason));
    this.#events.on("progress", ({ jobId, data }) => listener.reported(jobId, data));
    this.#ready = this.#events.waitUntilReady();
    this.#ready.catch(() => {});
  }

  /** @param priority From 1: BullMQ takes jobs that have none before all others. */
  async add(
    jobs: readonly { readonly id: string; readonly request: WireRequest; readonly priority: number }[],
  ): Promise<void> {
    await this.#ready;
    await this.#queue.addBulk(
      jobs.map(({ id, request, priority }) => ({
        name: request.fn,
        data: request,
        opts: { jobId: id, priority, removeOnComplete: this.#resultAge, removeOnFail: this.#resultAge },
      })),
    );
  }

  /** @returns false for one that a worker has, or that is over. */
  async remove(id: string): Promise<boolean> {
    return (await this.#queue.remove(id)) === 1;
  }

  /** How a job stands. The hash of a job, as BullMQ 6 keeps it. */
  async look(id: string): Promise<RemoteState> {
    const [timestamp, finishedOn, outcome, reason] = await this.#commands.hmget(
      this.#queue.toKey(id),
      "timestamp",
      "finishedOn",
      "returnvalue",
      "failedReason",
    );
    if (timestamp === null) return { kind: "gone" };
    if (finishedOn === null) return { kind: "open" };
    if (typeof outcome === "string") return { kind: "completed", outcome: parse(outcome) };
    return { kind: "failed", reason: reason ?? "it does not say why" };
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#queue.close(), this.#events.close()]);
  }
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
