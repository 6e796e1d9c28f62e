/**
 * The caller's jobs in the store, from `carry` to what came of them.
 *
 * Stage      | COLLECTED | goes to the store at the end of this turn, with all others of the turn, in their order | carry
 *            | SENDING   | the store has not said that it has it                                                  | flush
 *            | SENT      | the store has it                                                                       | its answer
 *            | over      | not in `#remotes` any more; `ends` was told                                            | end
 * Moves      stop        COLLECTED → over (withdrawn, at the flush); SENDING: `isStopping`, as soon as it is SENT; SENT → removed from the
 *                        store → over (withdrawn), or if a worker has it: that worker is told, and its outcome comes as ever. With a key, any
 *                        → over (withdrawn): the job is also that of others who know the key, and goes on
 *            refused     SENDING → over (ClusterUnavailableError), and removed if the store takes it after all
 *            conflict    SENT → over (KeyConflictError): the store has another one under its key
 * Invariants I1 `ends` is told once: whoever takes a job out of `#remotes` tells it.
 *            I2 The job's state in the store is the truth. Events only say it sooner: a job whose event was lost is found by `#look`.
 *            I3 Calls with one key have one id, and the same outcome: each is told of it only when it is certain that the job in the store is its own
 *               (`isCompared`).
 *            I4 Of each job the store is asked one thing at a time: while it is away, no questions pile up.
 */
import type { CarriedJob, JobCarrier, JobEnds, JobReport } from "@skein/pool/engine";
import { decodeValue, encodeValue, fromWire, type ErrorWire } from "@skein/pool/engine";
import { QueueFullError, ThreadCrashedError } from "@skein/pool";
import { type IQueueBackend, QueueEventsProducer } from "bullmq";
import { randomUUID } from "node:crypto";
import type { ResolvedClusterOptions } from "./cluster-options.ts";
import { decodeText, encodeText } from "./codec/text.ts";
import { isConnectionError, within } from "./connection.ts";
import {
  ClusterUnavailableError,
  InvalidPayloadError,
  KeyConflictError,
  KeyNotFoundError,
  WorkerLostError,
} from "./errors.ts";
import type { EncodedChild } from "./flow.ts";
import { ModuleNames } from "./module-names.ts";
import { idsOf, type NewJob } from "./new-job.ts";
import { RemoteQueue } from "./remote-queue.ts";
import { defaultDelivery, type Delivery } from "./run-options.ts";
import type { StoreConnection } from "./store.ts";
import { checkSize, controlName, digestOf, keyedId, queueName, readOutcome, requestOf } from "./wire.ts";
import { clearInterval, now, setImmediate, setInterval, setTimeout } from "./timers.ts";

/** How many jobs one look asks for. */
const LOOK = 1000;

/** Until what broke on the way to the store is sent again. */
const AGAIN_MS = 100;

/** What `SubmitOptions.own` says of a job. */
export interface Submission extends Delivery {
  /** Whether the job is in the store already, under its key. */
  readonly isAttached?: boolean;
  /** What runs before it. */
  readonly children?: readonly EncodedChild[];
}

interface Remote {
  readonly id: string;
  readonly key: string | undefined;
  /** Null: it is there already. */
  readonly added: NewJob | null;
  readonly queue: RemoteQueue;
  readonly job: CarriedJob;
  readonly ends: JobEnds;
  stage: "collected" | "sending" | "sent";
  isStopping: boolean;
  /** The store is being asked to stop it. */
  isWithdrawing: boolean;
  /** False: perhaps the job in the store is another one under its key. */
  isCompared: boolean;
}

export class RemoteJobs implements JobCarrier {
  readonly isElsewhere = true;
  readonly reach = "wire";
  readonly retriesThere = true;
  readonly #options: ResolvedClusterOptions;
  readonly #names = new ModuleNames();
  readonly #queues = new Map<string, RemoteQueue>();
  readonly #connections: StoreConnection[] = [];
  /** In the order of their calls. */
  readonly #remotes = new Map<CarriedJob, Remote>();
  readonly #byId = new Map<string, Set<Remote>>();
  #collected: Remote[] = [];
  #commands: StoreConnection | null = null;
  #control: QueueEventsProducer<IQueueBackend, never> | null = null;
  #looks: NodeJS.Timeout | null = null;
  /** Where the next look begins. */
  #rest = this.#remotes.values();
  /** Of the last look, those that the store has not answered. */
  #unanswered = 0;
  #lastError: Error | null = null;
  /** What the store is still asked on behalf of jobs that are to stop. */
  readonly #withdrawals = new Set<Promise<void>>();

  constructor(options: ResolvedClusterOptions) {
    this.#options = options;
  }

  carry(job: CarriedJob, ends: JobEnds): void {
    const { maxInFlight } = this.#options;
    if (this.#remotes.size >= maxInFlight) throw new QueueFullError("maxInFlight", maxInFlight);
    const submission = (job.options.own as Submission | undefined) ?? defaultDelivery;
    const { fn } = job.request;
    if (fn.kind !== "export") throw new TypeError("Inline functions have no module");
    const { key } = submission;
    const queue = this.#queueOf(fn.url);
    const id = key === undefined ? randomUUID() : keyedId(fn.name, key);
    const { isAttached = false }: Partial<Submission> = submission;
    const remote: Remote = {
      id,
      key,
      added: isAttached ? null : this.#newJob(id, queue.name, job, submission),
      queue,
      job,
      ends,
      stage: "collected",
      isStopping: false,
      isWithdrawing: false,
      isCompared: key === undefined,
    };
    this.#remotes.set(job, remote);
    const sameId = this.#byId.get(id);
    if (sameId === undefined) this.#byId.set(id, new Set([remote]));
    else sameId.add(remote);
    if (this.#collected.push(remote) === 1) setImmediate(() => this.#flush());
    this.#looks ??= setInterval(() => this.#look(), this.#options.pollMs);
  }

  #newJob(id: string, queue: string, job: CarriedJob, submission: Submission): NewJob {
    const { fn, args, context, reports } = job.request;
    const { priority, timeoutMs, runTimeoutMs, retries } = job.options;
    const { key, attempts, backoffMs, lostRetries, children } = submission;
    const text = encodeText(decodeValue(args), "args");
    checkSize("argument list", text, this.#options.maxPayloadBytes);
    const isKeyed = key !== undefined;
    const added: NewJob = {
      id,
      queue,
      // Only exports come here.
      request: requestOf(fn as typeof fn & { kind: "export" }, {
        args: text,
        digest: isKeyed ? digestOf(text) : null,
        context,
        // Whoever attaches later may listen.
        reports: isKeyed || reports !== null,
        lostRetries,
        threadRetries: retries,
        leftMs: null,
        // It ends the wait of one caller, and the job is also that of others.
        runTimeoutMs: isKeyed ? null : (runTimeoutMs ?? null),
        children: null,
      }),
      priority: priority + 1,
      attempts,
      backoffMs,
      expiresAt: timeoutMs === undefined || isKeyed ? null : now() + timeoutMs,
      children: [],
    };
    return children === undefined ? added : this.#withChildren(added, children);
  }

  /** They run as it does, in its context, and are told of nothing else. */
  #withChildren(job: NewJob, encoded: readonly EncodedChild[]): NewJob {
    const { name, maxPayloadBytes } = this.#options;
    const children = encoded.map((child) => {
      checkSize("argument list", child.args, maxPayloadBytes);
      const { args, source } = child;
      const request = { ...job.request, fn: source.name, args, digest: null, reports: false, children: null };
      const queue = queueName(name, this.#names.of(source.url));
      const added: NewJob = { ...job, id: randomUUID(), queue, request, children: [] };
      return child.children === null ? added : this.#withChildren(added, child.children);
    });
    return { ...job, request: { ...job.request, children: children.map(({ id }) => id) }, children };
  }

  stop(job: CarriedJob): void {
    const remote = this.#remotes.get(job);
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
    const isConnected = this.#connections.every(({ isReady }) => isReady);
    const closed = Promise.all([
      this.#control?.close(),
      ...Array.from(this.#queues.values(), (queue) => queue.close()),
    ]);
    closed.catch(() => {});
    if (isConnected) await within(closed, connectTimeoutMs, () => this.#lastError).catch(() => {});
    for (const connection of this.#connections) connection.disconnect();
  }

  #connect(): StoreConnection {
    const connection = this.#options.store.connect(this.#onError);
    this.#connections.push(connection);
    return connection;
  }

  readonly #onError = (error: Error): void => {
    this.#lastError = error;
    this.#options.onError(error);
  };

  #queueOf(url: string): RemoteQueue {
    const { name, store, resultTtlMs } = this.#options;
    const queueOf = queueName(name, this.#names.of(url));
    let queue = this.#queues.get(queueOf);
    if (queue === undefined) {
      this.#commands ??= this.#connect();
      queue = new RemoteQueue(queueOf, store, this.#commands, this.#connect(), resultTtlMs, {
        completed: (id, outcome) => this.#completed(id, outcome),
        failed: (id, reason) => this.#failed(id, reason),
        reported: (id, report) => this.#reported(id, report),
        error: this.#onError,
      });
      this.#queues.set(queueOf, queue);
    }
    return queue;
  }

  #flush(): void {
    const alone = new Map<RemoteQueue, Remote[]>();
    // One that breaks on the way is not sent again, and takes no other job with it.
    const flows = new Map<RemoteQueue, Remote[]>();
    for (const remote of this.#collected.splice(0)) {
      if (remote.isStopping) {
        this.#endOne(remote)?.arrived({ kind: "withdrawn" });
        continue;
      }
      remote.stage = "sending";
      const batches = remote.added === null || remote.added.children.length === 0 ? alone : flows;
      const batch = batches.get(remote.queue);
      if (batch === undefined) batches.set(remote.queue, [remote]);
      else batch.push(remote);
    }
    for (const [queue, batch] of [...alone, ...flows]) void this.#send(queue, batch);
  }

  async #send(queue: RemoteQueue, batch: readonly Remote[]): Promise<void> {
    const added = this.#add(queue, batch);
    try {
      await within(added, this.#options.connectTimeoutMs, () => this.#lastError);
    } catch (cause) {
      const error =
        cause instanceof ClusterUnavailableError
          ? cause
          : new ClusterUnavailableError("The store refused a job", { cause });
      for (const remote of batch) this.#endOne(remote)?.failed(error);
      // It may take them after all. Those with a key are not only ours.
      const ours = batch.filter(({ key }) => key === undefined);
      added.then(
        () => {
          for (const { id } of ours) queue.remove(id).catch(this.#onError);
        },
        () => {},
      );
      return;
    }
    for (const remote of batch) {
      remote.stage = "sent";
      if (remote.isStopping) this.#withdraw(remote);
      else if (!remote.isCompared) this.#lookAt(remote).catch(this.#onError);
    }
  }

  async #add(queue: RemoteQueue, batch: readonly Remote[]): Promise<void> {
    const jobs = batch.flatMap((remote) => remote.added ?? []);
    const isFlow = jobs.some(({ children }) => children.length > 0);
    for (;;) {
      try {
        await queue.add(jobs);
        return;
      } catch (error) {
        // The connection broke on the way: the store may have taken them, and takes none twice.
        if (isFlow || !isConnectionError(error) || !batch.some(({ job }) => this.#remotes.has(job)))
          throw error;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  /** Whether the job that the store has under the key is the one that is meant. @returns false: it is not, and the remote is over. */
  async #compare(remote: Remote, key: string): Promise<boolean> {
    const stored = await remote.queue.requestOf(remote.id);
    if (stored === undefined) this.#endOne(remote)?.failed(new KeyNotFoundError(key));
    else if (remote.added !== null && stored.digest !== remote.added.request.digest)
      this.#endOne(remote)?.failed(new KeyConflictError(key));
    else remote.isCompared = true;
    return remote.isCompared;
  }

  #withdraw(remote: Remote): void {
    if (!this.#remotes.has(remote.job)) return;
    if (remote.key !== undefined) {
      // `stop` is over first.
      setImmediate(() => this.#endOne(remote)?.arrived({ kind: "withdrawn" }));
      return;
    }
    if (remote.isWithdrawing) return;
    remote.isWithdrawing = true;
    const withdrawal = this.#removeOrTell(remote)
      .catch(this.#onError)
      .finally(() => {
        remote.isWithdrawing = false;
        this.#withdrawals.delete(withdrawal);
      });
    this.#withdrawals.add(withdrawal);
  }

  async #removeOrTell(remote: Remote): Promise<void> {
    if (await remote.queue.remove(remote.id)) {
      this.#endOne(remote)?.arrived({ kind: "withdrawn" });
      return;
    }
    const { store, name } = this.#options;
    this.#control ??= new QueueEventsProducer(
      controlName(name),
      { connection: this.#commands!.client },
      store.backend,
    );
    for (const id of idsOf(remote.added!)) await this.#control.publishEvent({ eventName: "cancel", id });
  }

  /** The next ones in their order, from where the last look ended; after the last job, the first again. */
  #look(): void {
    if (this.#unanswered > 0) return;
    while (this.#unanswered < LOOK) {
      const { value: remote, done } = this.#rest.next();
      if (done === true) {
        this.#rest = this.#remotes.values();
        return;
      }
      if (remote.stage !== "sent") continue;
      this.#unanswered++;
      this.#lookAt(remote)
        .catch(this.#onError)
        .finally(() => this.#unanswered--);
    }
  }

  async #lookAt(remote: Remote): Promise<void> {
    const { id, queue, key, isCompared } = remote;
    // It may be over already: nothing else will tell.
    if (!isCompared && !(await this.#compare(remote, key!))) return;
    if (!this.#remotes.has(remote.job)) return;
    const state = await queue.look(id);
    if (state.kind === "completed") this.#completed(id, state.outcome);
    else if (state.kind === "failed") this.#failed(id, state.reason);
    else if (state.kind === "open") {
      // What was said to the workers may have been lost.
      if (remote.isStopping) this.#withdraw(remote);
    } else if (remote.isStopping) this.#endOne(remote)?.arrived({ kind: "withdrawn" });
    else
      this.#failed(id, "it is not there any more: somebody has removed it, or the store has lost its data");
  }

  #completed(id: string, data: unknown): void {
    for (const ends of this.#end(id)) {
      try {
        const outcome = readOutcome(data, this.#options.maxPayloadBytes);
        if (outcome.kind === "withdrawn") ends.arrived(outcome);
        else if (outcome.kind === "crashed")
          ends.failed(new ThreadCrashedError(outcome.exitCode ?? undefined));
        else if (outcome.kind === "lost") ends.failed(new WorkerLostError(outcome.starts));
        else ends.arrived({ kind: outcome.kind, value: encodeValue(valueOf(outcome), outcome.kind).value });
      } catch (error) {
        ends.failed(error as Error);
      }
    }
  }

  #failed(id: string, reason: string): void {
    for (const ends of this.#end(id))
      ends.failed(new ClusterUnavailableError(`The store has given the job up: ${reason}`));
  }

  #reported(id: string, data: unknown): void {
    for (const { job, isCompared } of Array.from(this.#byId.get(id) ?? [])) {
      if (!isCompared || job.isDecided) continue;
      try {
        for (const report of readReports(data, this.#options.maxPayloadBytes))
          job.request.reports?.postMessage(report);
      } catch (error) {
        this.#onError(error as Error);
      }
    }
  }

  /** Who is to be told. Nobody: it is another caller's, or over. */
  #end(id: string): readonly JobEnds[] {
    const compared = Array.from(this.#byId.get(id) ?? []).filter(({ isCompared }) => isCompared);
    return compared.map((remote) => this.#endOne(remote)!);
  }

  /** Undefined: it is over. */
  #endOne(remote: Remote): JobEnds | undefined {
    if (!this.#remotes.delete(remote.job)) return undefined;
    const sameId = this.#byId.get(remote.id)!;
    sameId.delete(remote);
    if (sameId.size === 0) this.#byId.delete(remote.id);
    return remote.ends;
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

/** @throws InvalidPayloadError, PayloadTooLargeError */
function* readReports(data: unknown, maxPayloadBytes: number): Generator<JobReport> {
  const { texts } = (data ?? {}) as { readonly texts?: unknown };
  if (!Array.isArray(texts)) throw new InvalidPayloadError("it is no list of reports");
  for (const text of texts) {
    checkSize("report", String(text), maxPayloadBytes);
    const report = decodeText(String(text)) as Partial<{ kind: unknown; value: unknown }> | null | undefined;
    if (report?.kind === "began") yield { kind: "began" };
    else if (report?.kind === "progress") yield { kind: "progress", value: report.value };
    else throw new InvalidPayloadError("it is no report of a job");
  }
}
