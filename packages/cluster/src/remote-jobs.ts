/**
 * The caller's jobs in the store, from `carry` to what came of them.
 *
 * Stage      | COLLECTED | goes to the store at the end of this turn, with all others of the turn, in their order | carry
 *            | SENDING   | the store has not said that it has it                                                  | flush
 *            | SENT      | the store has it                                                                       | its answer
 *            | over      | not in `#remotes` any more; `ends` was told                                            | end
 * Moves      stop        COLLECTED → over (withdrawn, at the flush); SENDING: `isStopping`, as soon as it is SENT; SENT → removed from the
 *                        store → over (withdrawn), or if a worker has it: that worker is told, and its outcome comes as ever
 *            refused     SENDING → over (ClusterUnavailableError), and removed if the store takes it after all
 * Invariants I1 `ends` is told once: whoever takes a job out of `#remotes` tells it.
 *            I2 The job's state in the store is the truth. Events only say it sooner: a job whose event was lost is found by `#look`.
 */
import type { CarriedJob, JobCarrier, JobEnds, JobReport } from "@skein/pool/engine";
import { decodeValue, encodeValue, fromWire, type ErrorWire } from "@skein/pool/engine";
import { QueueFullError, ThreadCrashedError } from "@skein/pool";
import { QueueEventsProducer } from "bullmq";
import type { Redis } from "ioredis";
import { randomUUID } from "node:crypto";
import type { ResolvedClusterOptions } from "./cluster-options.ts";
import { decodeText, encodeText } from "./codec/text.ts";
import { connect, within } from "./connection.ts";
import { ClusterUnavailableError, InvalidPayloadError, WorkerLostError } from "./errors.ts";
import { ModuleNames } from "./module-names.ts";
import { RemoteQueue } from "./remote-queue.ts";
import { checkSize, controlName, readOutcome, requestOf, type WireRequest } from "./wire.ts";
import { clearInterval, setImmediate, setInterval } from "./timers.ts";

/** How many jobs one look asks for. */
const LOOK = 1000;

interface Remote {
  readonly id: string;
  readonly request: WireRequest;
  readonly priority: number;
  readonly queue: RemoteQueue;
  readonly job: CarriedJob;
  readonly ends: JobEnds;
  stage: "collected" | "sending" | "sent";
  isStopping: boolean;
}

export class RemoteJobs implements JobCarrier {
  readonly isElsewhere = true;
  readonly reach = "wire";
  readonly #options: ResolvedClusterOptions;
  readonly #names = new ModuleNames();
  readonly #queues = new Map<string, RemoteQueue>();
  readonly #connections: Redis[] = [];
  readonly #remotes = new Map<string, Remote>();
  readonly #ids = new WeakMap<CarriedJob, string>();
  #collected: Remote[] = [];
  #commands: Redis | null = null;
  #control: QueueEventsProducer | null = null;
  #looks: NodeJS.Timeout | null = null;
  #lastError: Error | null = null;
  /** What the store is still asked on behalf of jobs that are to stop. */
  readonly #withdrawals = new Set<Promise<void>>();

  constructor(options: ResolvedClusterOptions) {
    this.#options = options;
  }

  carry(job: CarriedJob, ends: JobEnds): void {
    const { fn, args, context, attempt, reports } = job.request;
    if (fn.kind !== "export") throw new TypeError("Inline functions have no module");
    const { maxInFlight, maxPayloadBytes } = this.#options;
    if (this.#remotes.size >= maxInFlight) throw new QueueFullError("maxInFlight", maxInFlight);
    const text = encodeText(decodeValue(args), "args");
    checkSize("argument list", text, maxPayloadBytes);
    const remote: Remote = {
      id: randomUUID(),
      request: requestOf(fn, {
        args: text,
        context,
        attempt,
        reports: reports !== null,
        retries: job.retriesLeft,
      }),
      priority: job.options.priority + 1,
      queue: this.#queueOf(fn.url),
      job,
      ends,
      stage: "collected",
      isStopping: false,
    };
    this.#remotes.set(remote.id, remote);
    this.#ids.set(job, remote.id);
    if (this.#collected.push(remote) === 1) setImmediate(() => this.#flush());
    this.#looks ??= setInterval(() => this.#look(), this.#options.pollMs);
  }

  stop(job: CarriedJob): void {
    const remote = this.#remotes.get(this.#ids.get(job)!);
    if (remote === undefined) return;
    remote.isStopping = true;
    if (remote.stage === "sent") this.#withdraw(remote);
  }

  /** When all jobs are over, or left behind: what was asked on their behalf is still said. */
  async close(): Promise<void> {
    if (this.#looks !== null) clearInterval(this.#looks);
    const { connectTimeoutMs } = this.#options;
    const quiet = Promise.all(this.#withdrawals);
    await within(quiet, connectTimeoutMs, () => this.#lastError).catch(this.#options.onError);
    const isConnected = this.#connections.every(({ status }) => status === "ready");
    const closed = Promise.all([
      this.#control?.close(),
      ...Array.from(this.#queues.values(), (queue) => queue.close()),
    ]);
    closed.catch(() => {});
    if (isConnected) await within(closed, connectTimeoutMs, () => this.#lastError).catch(() => {});
    for (const redis of this.#connections) redis.disconnect();
  }

  #connect(): Redis {
    const redis = connect(this.#options.connection, this.#onError);
    this.#connections.push(redis);
    return redis;
  }

  readonly #onError = (error: Error): void => {
    this.#lastError = error;
    this.#options.onError(error);
  };

  #queueOf(url: string): RemoteQueue {
    const name = this.#names.of(url);
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      this.#commands ??= this.#connect();
      queue = new RemoteQueue(this.#commands, this.#connect(), name, this.#options, {
        completed: (id, outcome) => this.#completed(id, outcome),
        failed: (id, reason) => this.#failed(id, reason),
        reported: (id, report) => this.#reported(id, report),
        error: this.#onError,
      });
      this.#queues.set(name, queue);
    }
    return queue;
  }

  #flush(): void {
    const batches = new Map<RemoteQueue, Remote[]>();
    for (const remote of this.#collected.splice(0)) {
      if (remote.isStopping) {
        this.#end(remote.id)?.arrived({ kind: "withdrawn" });
        continue;
      }
      remote.stage = "sending";
      const batch = batches.get(remote.queue);
      if (batch === undefined) batches.set(remote.queue, [remote]);
      else batch.push(remote);
    }
    for (const [queue, batch] of batches) void this.#send(queue, batch);
  }

  async #send(queue: RemoteQueue, batch: readonly Remote[]): Promise<void> {
    const added = queue.add(batch);
    try {
      await within(added, this.#options.connectTimeoutMs, () => this.#lastError);
    } catch (cause) {
      const error =
        cause instanceof ClusterUnavailableError
          ? cause
          : new ClusterUnavailableError("The store refused a job", { cause });
      for (const { id } of batch) this.#end(id)?.failed(error);
      // It may take them after all.
      added.then(
        () => {
          for (const { id } of batch) queue.remove(id).catch(this.#onError);
        },
        () => {},
      );
      return;
    }
    for (const remote of batch) {
      remote.stage = "sent";
      if (remote.isStopping) this.#withdraw(remote);
    }
  }

  #withdraw(remote: Remote): void {
    if (!this.#remotes.has(remote.id)) return;
    const withdrawal = this.#removeOrTell(remote)
      .catch(this.#onError)
      .finally(() => this.#withdrawals.delete(withdrawal));
    this.#withdrawals.add(withdrawal);
  }

  async #removeOrTell({ id, queue }: Remote): Promise<void> {
    if (await queue.remove(id)) {
      this.#end(id)?.arrived({ kind: "withdrawn" });
      return;
    }
    this.#control ??= new QueueEventsProducer(controlName(this.#options.name), {
      connection: this.#commands!,
    });
    await this.#control.publishEvent({ eventName: "cancel", id });
  }

  #look(): void {
    let left = LOOK;
    for (const remote of this.#remotes.values()) {
      if (remote.stage !== "sent") continue;
      if (left-- === 0) return;
      this.#lookAt(remote).catch(this.#onError);
    }
  }

  async #lookAt(remote: Remote): Promise<void> {
    const { id, queue, isStopping } = remote;
    const state = await queue.look(id);
    if (state.kind === "completed") this.#completed(id, state.outcome);
    else if (state.kind === "failed") this.#failed(id, state.reason);
    else if (state.kind === "open") {
      // What was said to the workers may have been lost.
      if (isStopping) this.#withdraw(remote);
    } else if (isStopping) this.#end(id)?.arrived({ kind: "withdrawn" });
    else
      this.#failed(id, "it is not there any more: somebody has removed it, or the store has lost its data");
  }

  #completed(id: string, data: unknown): void {
    const ends = this.#end(id);
    if (ends === undefined) return;
    try {
      const outcome = readOutcome(data);
      if (outcome.kind === "withdrawn") ends.arrived(outcome);
      else if (outcome.kind === "crashed") ends.failed(new ThreadCrashedError(outcome.exitCode ?? undefined));
      else if (outcome.kind === "lost") ends.failed(new WorkerLostError(outcome.starts));
      else ends.arrived({ kind: outcome.kind, value: encodeValue(valueOf(outcome), outcome.kind).value });
    } catch (error) {
      ends.failed(error as Error);
    }
  }

  #failed(id: string, reason: string): void {
    this.#end(id)?.failed(new ClusterUnavailableError(`The store has given the job up: ${reason}`));
  }

  #reported(id: string, data: unknown): void {
    const remote = this.#remotes.get(id);
    if (remote === undefined || remote.job.isDecided) return;
    try {
      remote.job.request.reports?.postMessage(readReport(data));
    } catch (error) {
      this.#onError(error as Error);
    }
  }

  /** Who is to be told. Undefined: it is another caller's, or over. */
  #end(id: string): JobEnds | undefined {
    const remote = this.#remotes.get(id);
    this.#remotes.delete(id);
    return remote?.ends;
  }
}

/** @throws InvalidPayloadError */
function valueOf({ kind, text }: { readonly kind: "result" | "error"; readonly text: string }): unknown {
  const value = decodeText(text);
  if (kind === "result") return value;
  try {
    if (typeof value !== "object" || value === null) throw new TypeError("it is no record");
    fromWire(value as ErrorWire);
  } catch (cause) {
    throw new InvalidPayloadError("it is no error that a job threw", { cause });
  }
  return value;
}

/** @throws InvalidPayloadError */
function readReport(data: unknown): JobReport {
  const { text } = (data ?? {}) as { readonly text?: unknown };
  const report = decodeText(String(text)) as Partial<{ kind: unknown; value: unknown }> | null | undefined;
  if (report?.kind === "began") return { kind: "began" };
  if (report?.kind === "progress") return { kind: "progress", value: report.value };
  throw new InvalidPayloadError("it is no report of a job");
}
