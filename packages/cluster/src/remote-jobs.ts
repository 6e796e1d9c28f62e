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
 *            refused     SENDING → over (ClusterUnavailableError), and removed if the store has taken it all the same
 *            conflict    SENT → over (KeyConflictError): the store has another one under its key
 * Invariants I1 `ends` is told once: whoever takes a job out of `#remotes` tells it.
 *            I2 The job's state in the store is the truth. Events only say it sooner: a job whose event was lost is found by `#look`.
 *            I3 Calls with one key have one id, and the same outcome: each is told of it only when it is certain that the job in the store is its own
 *               (`isCompared`).
 *            I4 Of each job the store is asked one thing at a time: while it is away, no questions pile up.
 */
import { QueueFullError } from "@skein/pool";
import type { CarriedJob, JobCarrier, JobEnds } from "@skein/pool/engine";
import { randomUUID } from "node:crypto";
import type { ResolvedClusterOptions } from "./cluster-options.ts";
import { isConnectionError } from "./connection.ts";
import { ClusterUnavailableError, KeyConflictError, KeyNotFoundError } from "./errors.ts";
import { countOf } from "./flow.ts";
import { Promise } from "./native-promise.ts";
import { idsOf, type NewJob } from "./new-job.ts";
import { readReports, tellOutcome } from "./outcomes.ts";
import type { RemoteQueue } from "./remote-queue.ts";
import { RemoteStore } from "./remote-store.ts";
import { defaultDelivery } from "./run-options.ts";
import { newJobOf, type Submission } from "./submission.ts";
import { Sweep } from "./sweep.ts";
import { clearInterval, now, setImmediate, setInterval, setTimeout } from "./timers.ts";
import { keyedId } from "./wire.ts";

/** So long the reports of a job that is over may be on their way: events tell them in order, before its end. */
const REPORTS_MS = 2000;
/** So many messages of reports are kept until it is known whether they are of the caller's own job; of more the latest. */
const MOST_EARLY = 100;
/** Until what broke on the way to the store is sent again. */
const AGAIN_MS = 100;

interface Remote {
  readonly id: string;
  readonly key: string | undefined;
  /** Null: it is there already. */
  readonly added: NewJob | null;
  readonly queue: RemoteQueue;
  readonly job: CarriedJob;
  readonly ends: JobEnds;
  /** How many jobs it is, with those that run before it. */
  readonly count: number;
  stage: "collected" | "sending" | "sent";
  /** When it is not SENDING any more; null: it is COLLECTED. */
  sending: Promise<void> | null;
  /** When it is SENT; by `now()`. */
  sentAt: number;
  isStopping: boolean;
  /** The store is being asked to stop it. */
  isWithdrawing: boolean;
  /** False: perhaps the job in the store is another one under its key. */
  isCompared: boolean;
  /** Reports that came before that was known; null: none. */
  early: unknown[] | null;
  /** When it was seen that it is over, and no event had told it; by `now()`. */
  overAt: number | null;
}

export class RemoteJobs implements JobCarrier {
  readonly isElsewhere = true;
  readonly reach = "wire";
  readonly retriesThere = true;
  readonly #options: ResolvedClusterOptions;
  readonly #store: RemoteStore;
  /** In the order of their calls. */
  readonly #remotes = new Map<CarriedJob, Remote>();
  readonly #byId = new Map<string, Set<Remote>>();
  /** How many jobs all of them are. */
  #inFlight = 0;
  #collected: Remote[] = [];
  readonly #sweep = new Sweep(
    () => this.#remotes.values(),
    (remote) => (this.#isDue(remote) ? this.#lookAt(remote).catch(this.#store.onError) : null),
  );
  #looks: NodeJS.Timeout | null = null;
  /** What the store is still asked on behalf of jobs that are to stop. */
  readonly #withdrawals = new Set<Promise<void>>();

  constructor(options: ResolvedClusterOptions) {
    this.#options = options;
    this.#store = new RemoteStore(options, {
      completed: (id, outcome) => this.#completed(id, outcome),
      failed: (id, reason) => this.#failed(id, reason),
      reported: (id, report) => this.#reported(id, report),
      underWay: () => this.#remotes.size,
    });
  }

  carry(job: CarriedJob, ends: JobEnds): void {
    const { maxInFlight, maxPayloadBytes, pollMs } = this.#options;
    const submission: Submission = (job.options.own as Submission | undefined) ?? defaultDelivery;
    const count = 1 + countOf(submission.children ?? []);
    if (this.#inFlight + count > maxInFlight) throw new QueueFullError("maxInFlight", maxInFlight);
    const { fn } = job.request;
    if (fn.kind !== "export") throw new TypeError("Inline functions have no module");
    const { key, isAttached = false } = submission;
    const queue = this.#store.queueOf(fn.url);
    const id = key === undefined ? randomUUID() : keyedId(fn.name, key);
    const call = {
      source: fn,
      submission,
      id,
      queue: queue.name,
      maxPayloadBytes,
      queueOf: this.#store.nameOf,
    };
    const remote: Remote = {
      id,
      key,
      added: isAttached ? null : newJobOf(job, call),
      queue,
      job,
      ends,
      count,
      stage: "collected",
      sending: null,
      sentAt: Infinity,
      isStopping: false,
      isWithdrawing: false,
      isCompared: key === undefined,
      early: null,
      overAt: null,
    };
    this.#remotes.set(job, remote);
    this.#inFlight += count;
    const sameId = this.#byId.get(id);
    if (sameId === undefined) this.#byId.set(id, new Set([remote]));
    else sameId.add(remote);
    if (this.#collected.push(remote) === 1) setImmediate(() => this.#flush());
    this.#looks ??= setInterval(() => this.#sweep.round(), pollMs);
  }

  stop(job: CarriedJob): void {
    const remote = this.#remotes.get(job);
    if (remote === undefined) return;
    remote.isStopping = true;
    if (remote.stage === "sent") this.#withdraw(remote);
  }

  /** When all jobs are over, or left behind: what is asked on their behalf is still said, unless the store is away. */
  async close(): Promise<void> {
    if (this.#looks !== null) clearInterval(this.#looks);
    if (this.#store.isConnected) await this.#store.within(this.#allWithdrawn()).catch(this.#store.onError);
    for (const remote of this.#remotes.values()) this.#endOne(remote);
    await this.#store.close();
  }

  async #allWithdrawn(): Promise<void> {
    for (const { sending } of Array.from(this.#remotes.values())) await sending;
    await Promise.all(this.#withdrawals);
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
    for (const [queue, batch] of [...alone, ...flows]) {
      const sending = this.#send(queue, batch);
      for (const remote of batch) remote.sending = sending;
    }
  }

  async #send(queue: RemoteQueue, batch: readonly Remote[]): Promise<void> {
    const added = this.#add(queue, batch);
    try {
      await this.#store.within(added);
    } catch (cause) {
      const error =
        cause instanceof ClusterUnavailableError
          ? cause
          : new ClusterUnavailableError("The store refused a job", { cause });
      for (const remote of batch) this.#endOne(remote)?.failed(error);
      // It may have taken some of them, or take them after all. Those with a key are not only ours.
      const ours = batch.filter(({ key }) => key === undefined);
      const remove = (): void => {
        for (const { id } of ours) queue.remove(id).catch(this.#store.onError);
      };
      added.then(remove, remove);
      return;
    }
    for (const remote of batch) {
      remote.stage = "sent";
      remote.sentAt = now();
      if (remote.isStopping) this.#withdraw(remote);
      else if (!remote.isCompared) this.#lookAt(remote).catch(this.#store.onError);
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
    let stored = await remote.queue.stored(remote.id);
    while (stored === undefined && this.#isOnItsWay(remote)) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      stored = await remote.queue.stored(remote.id);
    }
    if (stored === undefined) this.#endOne(remote)?.failed(new KeyNotFoundError(key));
    else if (remote.added !== null && stored.request.digest !== remote.added.request.digest)
      this.#endOne(remote)?.failed(new KeyConflictError(key));
    else {
      remote.isCompared = true;
      this.#tellEarly(remote, stored.hasReported);
    }
    return remote.isCompared;
  }

  /** Whether a call of this caller has the same key, and was made before: on Postgres the question may overtake it. */
  #isOnItsWay(remote: Remote): boolean {
    if (remote.added !== null || !this.#remotes.has(remote.job)) return false;
    const sameId = Array.from(this.#byId.get(remote.id) ?? []);
    return sameId.some(
      ({ added, stage, sentAt }) => added !== null && (stage !== "sent" || now() - sentAt < AGAIN_MS),
    );
  }

  /** @param hasBegun It runs already: the event that said so may be older than this caller. */
  #tellEarly(remote: Remote, hasBegun: boolean): void {
    const { job, early } = remote;
    remote.early = null;
    if (job.isDecided) return;
    if (hasBegun) job.request.reports?.postMessage({ kind: "began" });
    for (const data of early ?? []) this.#tellReports(remote, data);
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
      .catch(this.#store.onError)
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
    await this.#store.cancel(idsOf(remote.added!));
  }

  /** Whether its end should have been heard of, if there was one when it was asked for last. */
  #isDue({ stage, sentAt }: Remote): boolean {
    return stage === "sent" && now() - sentAt >= this.#options.pollMs;
  }

  async #lookAt(remote: Remote): Promise<void> {
    const { id, queue, key, isCompared } = remote;
    // It may be over already: nothing else will tell.
    if (!isCompared && !(await this.#compare(remote, key!))) return;
    if (!this.#remotes.has(remote.job)) return;
    const state = await queue.look(id);
    const isOver = state.kind === "completed" || state.kind === "failed";
    if (isOver && this.#awaitsReports(remote)) return;
    if (state.kind === "completed") this.#completed(id, state.outcome);
    else if (state.kind === "failed") this.#failed(id, state.reason);
    else if (state.kind === "open") {
      // What was said to the workers may have been lost.
      if (remote.isStopping) this.#withdraw(remote);
    } else if (remote.isStopping) this.#endOne(remote)?.arrived({ kind: "withdrawn" });
    else
      this.#failed(id, "it is not there any more: somebody has removed it, or the store has lost its data");
  }

  /** Whether events may yet tell what the job has reported, and then that it is over. Of one with a key they may have done so long ago. */
  #awaitsReports(remote: Remote): boolean {
    if (remote.job.request.reports === null || remote.key !== undefined) return false;
    remote.overAt ??= now();
    const isInTime = now() - remote.overAt < REPORTS_MS;
    if (isInTime) remote.queue.wakeReaders().catch(this.#store.onError);
    return isInTime;
  }

  #completed(id: string, data: unknown): void {
    for (const ends of this.#end(id)) tellOutcome(ends, data, this.#options.maxPayloadBytes);
  }

  #failed(id: string, reason: string): void {
    for (const ends of this.#end(id))
      ends.failed(new ClusterUnavailableError(`The store has given the job up: ${reason}`));
  }

  #reported(id: string, data: unknown): void {
    for (const remote of Array.from(this.#byId.get(id) ?? [])) {
      if (remote.job.isDecided) continue;
      if (remote.isCompared) this.#tellReports(remote, data);
      else if (remote.job.request.reports !== null) {
        remote.early ??= [];
        if (remote.early.push(data) > MOST_EARLY) remote.early.shift();
      }
    }
  }

  #tellReports({ job }: Remote, data: unknown): void {
    try {
      for (const report of readReports(data, this.#options.maxPayloadBytes))
        job.request.reports?.postMessage(report);
    } catch (error) {
      this.#store.onError(error as Error);
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
    this.#inFlight -= remote.count;
    const sameId = this.#byId.get(remote.id)!;
    sameId.delete(remote);
    if (sameId.size === 0) this.#byId.delete(remote.id);
    return remote.ends;
  }
}
