/**
 * The jobs of a ProcessPool, and which process they go to. See journey.ts for the stages of one of them.
 *
 * Jobs that are submitted in one turn of the event loop are sent together at its end, and when replies have come in the next ones are: each
 * process has some ahead of it (lead.ts), so that none waits for the pool. One that turns out to be in a long job gives those back while
 * another has nothing to do (`#look`).
 *
 * An exclusive job has a process reserved that gets nothing more, and is sent to it when that has nothing left. Of one priority exclusive jobs
 * and others take turns; those of a lower one wait for those of a higher one, but have their turn after `LOW_FIRST_EVERY` of them.
 *
 * Whatever `ends` are told runs code of the user's, which may submit, cancel and close: everything is moved before.
 */
import { AsyncScope } from "@skein/context";
import type { CarriedJob } from "../adapter/engine-job.ts";
import type { JobCarrier, JobEnds } from "../adapter/job-carrier.ts";
import type { JobReply } from "../adapter/job-request.ts";
import { QueueFullError, ThreadCrashedError } from "../errors.ts";
import { QueueWatch } from "../host/queue-watch.ts";
import { type LostJob, named } from "../jobs/channels.ts";
import { CallState } from "../shared/call-state.ts";
import { LOW_FIRST_EVERY } from "../shared/job-queues.ts";
import { PRIORITIES } from "../shared/layout.ts";
import { clearInterval, queueMicrotask, setInterval } from "../shared/timers.ts";
import type { SubmitOptions } from "../submit/submit-options.ts";
import { JobQueue } from "./job-queue.ts";
import { BEGUN, Journey, OVER, QUEUED } from "./journey.ts";
import { isSilent, Lead } from "./lead.ts";
import type { PoolProcess, ProcessEnd, RunTimes } from "./pool-process.ts";
import type { ProcessPoolSettings } from "./process-options.ts";
import { ProcessSupply, type SupplyEvents } from "./process-supply.ts";
import { JobTimes } from "./job-times.ts";

const LOOK_MS = 5;

export interface ProcessJobsEvents {
  started(process: PoolProcess): void;
  /** After the jobs that ended with it were told. */
  ended(process: PoolProcess, end: ProcessEnd, lostJobs: readonly LostJob[]): void;
  /** Whether the process has to stay alive for the pool may have changed. */
  changed(): void;
}

export class ProcessJobs implements JobCarrier, SupplyEvents {
  readonly isElsewhere = true;
  readonly bytesOnly = true;
  readonly supply: ProcessSupply;
  readonly times: JobTimes = new JobTimes();
  readonly watch: QueueWatch;
  /** Jobs that are not OVER. */
  outstanding = 0;
  #bytes = 0;
  readonly #settings: ProcessPoolSettings;
  readonly #events: ProcessJobsEvents;
  readonly #lead = new Lead();
  readonly #journeys = new WeakMap<CarriedJob, Journey>();
  readonly #queue = new JobQueue();
  readonly #exclusive = new JobQueue();
  /** For one process each, by the options that they were submitted with. */
  readonly #targets = new WeakMap<SubmitOptions, PoolProcess>();
  #targeted: Journey[] = [];
  /** Jobs that are not exclusive, sent since an exclusive one was, or while one waited. */
  #othersSent = 0;
  #willPump = false;
  #looks: NodeJS.Timeout | null = null;

  constructor(settings: ProcessPoolSettings, events: ProcessJobsEvents) {
    this.#settings = settings;
    this.#events = events;
    this.watch = new QueueWatch({
      atMost: () => this.waiting,
      hasWaiting: (count) => this.waiting >= count,
    });
    this.supply = new ProcessSupply(settings, this);
  }

  /** Jobs that no process has begun. */
  get waiting(): number {
    let count = this.#queue.size + this.#exclusive.size + this.#targeted.length;
    for (const { unbegun } of this.supply.all) count += unbegun;
    return count;
  }

  /** The same, by priority. */
  waitingByPriority(): number[] {
    const waiting = PRIORITIES.map((_, i) => this.#queue.sizeOf(i) + this.#exclusive.sizeOf(i));
    for (const { job } of this.#targeted) waiting[job.options.priority]!++;
    for (const process of this.supply.all)
      for (const { job } of process.unbegunJourneys()) waiting[job.options.priority]!++;
    return waiting;
  }

  /** A job that is submitted with these options runs in this process, unless that ends before. */
  target(options: SubmitOptions, process: PoolProcess): void {
    this.#targets.set(options, process);
  }

  // For EngineJobs.

  carry(job: CarriedJob, ends: JobEnds): void {
    const target = this.#targets.get(job.options) ?? null;
    const journey = new Journey(job, ends, target?.hasEnded === true ? null : target);
    if (journey.request.attempt === 1) this.#admit(journey);
    this.#journeys.set(job, journey);
    this.#bytes += journey.bytes;
    this.outstanding++;
    if (journey.target !== null) this.#targeted.push(journey);
    else this.#queueOf(journey).add(journey);
    this.#events.changed();
    this.watch.submitted();
    this.#pumpSoon();
  }

  #admit({ bytes, target }: Journey): void {
    const { maxThreads, jobsPerThread, maxQueue, maxQueueBytes } = this.#settings;
    if (target !== null) return;
    if (this.outstanding >= maxThreads * jobsPerThread + maxQueue)
      throw new QueueFullError("maxQueue", maxQueue);
    if (this.#bytes + bytes > maxQueueBytes) throw new QueueFullError("maxQueueBytes", maxQueueBytes);
  }

  stop(job: CarriedJob): void {
    const journey = this.#journeys.get(job);
    if (journey === undefined || journey.stage === OVER) return;
    journey.isStopping = true;
    if (journey.stage !== QUEUED) {
      journey.process!.stop(journey);
      return;
    }
    this.#over(journey);
    if (journey.target === null) this.#queueOf(journey).removed(journey);
    else this.#targeted = this.#targeted.filter((each) => each !== journey);
    queueMicrotask(() => journey.ends.arrived({ kind: "withdrawn" }));
  }

  terminate(job: CarriedJob): void {
    const journey = this.#journeys.get(job);
    if (journey !== undefined && journey.stage !== OVER) journey.process?.kill();
  }

  // For its processes.

  ready(process: PoolProcess, failure: { readonly error: unknown } | null): void {
    this.supply.ready(process, failure);
    this.#events.started(process);
  }

  replied(process: PoolProcess, journey: Journey, reply: JobReply, times: RunTimes): void {
    this.times.add(journey, times);
    this.#lead.ran(times.ranUs);
    this.#release(process, journey);
    this.#over(journey);
    journey.ends.arrived(reply);
  }

  returned(journey: Journey): void {
    this.#release(journey.process!, journey);
    if (!journey.isStopping) {
      this.#again(journey);
      return;
    }
    this.#over(journey);
    journey.ends.arrived({ kind: "withdrawn" });
  }

  heard(process: PoolProcess): void {
    this.supply.checkLimits(process);
    if (process.load === 0 && process.isReady) this.supply.idle(process);
    this.#pump();
    this.watch.resultsCame();
  }

  ended(process: PoolProcess, end: ProcessEnd): void {
    const { exitCode, signal, cause, journeys } = end;
    const { initialize } = this.#settings;
    const error = new ThreadCrashedError(exitCode, {
      pid: process.pid,
      signal,
      wasTerminated: process.wasTerminated,
      ...(cause !== undefined && { cause }),
      ...(!process.isReady && {
        detail: `before it was ready for its first job${initialize === null ? "" : ` (\`initialize\` is ${initialize})`}`,
      }),
    });
    const crashed: Journey[] = [];
    const withdrawn: Journey[] = [];
    for (const journey of journeys) {
      if (journey.target === process) journey.target = null;
      if (journey.stage !== BEGUN && !journey.isStopping) this.#again(journey);
      else {
        (journey.stage === BEGUN ? crashed : withdrawn).push(journey);
        this.#over(journey);
      }
    }
    for (const journey of this.#targeted) if (journey.target === process) journey.target = null;
    const lostJobs = crashed
      .filter(({ job }) => !job.isDecided && job.retriesLeft === 0)
      .map(({ job, request }) => named(request.fn, job.task));
    const isHopeless = this.supply.ended(process, error);
    this.#pumpSoon();
    this.#events.changed();
    for (const { ends } of withdrawn) ends.arrived({ kind: "withdrawn" });
    for (const { ends } of crashed) ends.failed(error);
    if (isHopeless) this.#failWaiting(error);
    this.#events.ended(process, end, lostJobs);
  }

  startFailed(error: ThreadCrashedError): void {
    this.#failWaiting(error);
  }

  readonly wantAgain = (): void => this.#pumpSoon();

  changed(): void {
    this.#events.changed();
  }

  /** The pool is over: what is still here was left behind. */
  close(): void {
    this.supply.isClosed = true;
    this.watch.stop();
    this.#stopLooking();
    for (const process of this.supply.all) {
      if (process.load > 0) process.kill();
      else if (!process.isLeaving) this.supply.leave(process);
    }
  }

  // Journeys.

  #queueOf({ job }: Journey): JobQueue {
    return job.options.isExclusive ? this.#exclusive : this.#queue;
  }

  #again(journey: Journey): void {
    journey.stage = QUEUED;
    if (journey.target !== null) this.#targeted.push(journey);
    else this.#queueOf(journey).addAgain(journey);
  }

  #over(journey: Journey): void {
    journey.stage = OVER;
    this.outstanding--;
    this.#bytes -= journey.bytes;
    this.#events.changed();
  }

  #release(process: PoolProcess, { job }: Journey): void {
    if (job.options.isExclusive) process.reserved = "no";
  }

  /** No process will come to them. */
  #failWaiting(error: ThreadCrashedError): void {
    const journeys = [...this.#targeted.splice(0), ...this.#exclusive.takeAll(), ...this.#queue.takeAll()];
    for (const journey of journeys) this.#over(journey);
    for (const { ends } of journeys) ends.failed(error);
  }

  // Which process a job goes to.

  #pumpSoon(): void {
    if (this.#willPump) return;
    AsyncScope.root.run(queueMicrotask, this.#pump);
    this.#willPump = true;
  }

  readonly #pump = (): void => {
    this.#willPump = false;
    // One that was kept, and has had no job since.
    for (const process of this.supply.all) if (process.executed > 0) this.supply.checkLimits(process);
    this.#sendTargeted();
    if (this.#isExclusiveDue()) this.#sendExclusive();
    else this.#openReserved();
    for (let process = this.#freest(); process !== null && this.#queue.size > 0; process = this.#freest()) {
      this.#send(process, this.#queue.take()!);
      this.#othersSent++;
    }
    if (this.#queue.size === 0) this.#sendExclusive();
    for (const process of this.supply.all) process.flush();
    this.supply.want(this.#queue.size + this.#exclusive.size);
  };

  #send(process: PoolProcess, journey: Journey): void {
    this.supply.busy(process);
    process.send(journey);
    if (process.load > 1) this.#startLooking();
  }

  /** The one with the fewest jobs of those that may have one more. */
  #freest(): PoolProcess | null {
    const { jobsPerThread } = this.#settings;
    let freest: PoolProcess | null = null;
    for (const process of this.supply.all) {
      if (!this.#mayHave(process) || (freest !== null && process.load >= freest.load)) continue;
      if (process.load < jobsPerThread || process.load < jobsPerThread + this.#lead.of(process))
        freest = process;
    }
    return freest;
  }

  #mayHave(process: PoolProcess): boolean {
    const { isReady, isLeaving, reserved, isSpare, isStuck, hasRoom } = process;
    const isFree = isReady && !isLeaving && reserved === "no" && !isSpare && !isStuck && hasRoom;
    return isFree && this.supply.hasJobsLeft(process);
  }

  #sendTargeted(): void {
    for (const journey of this.#targeted.splice(0)) {
      const { target } = journey;
      if (target === null || (target.isReady && target.isLeaving)) {
        journey.target = null;
        this.#queueOf(journey).add(journey);
      } else if (this.#takesTargeted(target, journey)) this.#sendTo(target, journey);
      else {
        if (journey.job.options.isExclusive && target.reserved === "no") target.reserved = "next";
        this.#targeted.push(journey);
      }
    }
  }

  #takesTargeted({ isReady, hasRoom, reserved, load }: PoolProcess, { job }: Journey): boolean {
    return isReady && hasRoom && reserved !== "now" && (load === 0 || !job.options.isExclusive);
  }

  #isExclusiveDue(): boolean {
    if (this.#exclusive.size === 0) this.#othersSent = 0;
    const { highest } = this.#exclusive;
    if (highest > this.#queue.highest) return this.#othersSent >= LOW_FIRST_EVERY;
    return highest < this.#queue.highest || this.#othersSent > 0;
  }

  /** Processes that wait for an exclusive job, which may go to any. */
  #reserved(): PoolProcess[] {
    const targets = new Set(
      this.#targeted.map(({ job, target }) => (job.options.isExclusive ? target : null)),
    );
    return Array.from(this.supply.all).filter(
      (process) => process.reserved === "next" && !process.isLeaving && !targets.has(process),
    );
  }

  #openReserved(): void {
    for (const process of this.#reserved()) process.reserved = "no";
  }

  #sendExclusive(): void {
    const reserved = this.#reserved();
    for (const process of reserved) {
      if (process.load > 0) continue;
      const journey = this.#exclusive.take();
      if (journey !== null) this.#sendTo(process, journey);
    }
    let left = this.#exclusive.size;
    for (const process of reserved) {
      if (process.reserved !== "next") continue;
      // More than jobs wait: some were given up.
      if (left === 0 || process.load === 0) process.reserved = "no";
      else left--;
    }
    for (; left > 0; left--) {
      const process = this.#leastBusy();
      if (process === null) return;
      if (process.load === 0) this.#sendTo(process, this.#exclusive.take()!);
      else process.reserved = "next";
    }
  }

  /** The process has no other job, if this is an exclusive one. */
  #sendTo(process: PoolProcess, journey: Journey): void {
    if (journey.job.options.isExclusive) {
      // Whoever cancels it before it is known to have begun ends its process all the same.
      new CallState(journey.request.state).begin();
      process.reserved = "now";
      this.#othersSent = 0;
    }
    this.#send(process, journey);
  }

  #leastBusy(): PoolProcess | null {
    let found: PoolProcess | null = null;
    for (const process of this.supply.all)
      if (this.#mayHave(process) && (found === null || process.load < found.load)) found = process;
    return found;
  }

  // Jobs that are stuck behind a long one.

  #startLooking(): void {
    if (this.#looks !== null) return;
    this.#looks = AsyncScope.root.run(setInterval, this.#look, LOOK_MS);
    this.#looks.unref();
  }

  #stopLooking(): void {
    if (this.#looks !== null) clearInterval(this.#looks);
    this.#looks = null;
  }

  readonly #look = (): void => {
    let stuck = 0;
    let unbegun = 0;
    let hasIdle = false;
    for (const process of this.supply.all) {
      unbegun += process.unbegun;
      if (isSilent(process)) stuck += process.unbegun;
      else if (process.load === 0 && this.#mayHave(process)) hasIdle = true;
    }
    if (unbegun === 0) this.#stopLooking();
    if (stuck === 0) return;
    if (!hasIdle) {
      this.supply.want(stuck);
      return;
    }
    for (const process of this.supply.all) {
      if (isSilent(process)) process.recall(({ job, target }) => target === null && !job.options.isExclusive);
    }
  };
}
