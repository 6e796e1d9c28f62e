/** Everything the page knows, from what the server has told. Draws nothing. */
import type { Batch, FeedMessage, Hello, Sample, Slice, ThreadBatch } from "../wire.ts";
import { NONE_QUEUED, QUEUES, SLICE_FIELDS, sliceAt } from "../wire.ts";
import { hasFailed, type Job, newJob, totalUs } from "./job.ts";
import { Lane } from "./lane.ts";
import { Series } from "./series.ts";

/** More are forgotten, the oldest first. */
const MAX_JOBS = 160_000;
const LISTED = 50;
/** Of the slowest jobs only those stay that have ended within this time. */
const SLOW_FOR_US = 120e6;
/** Lanes of threads that have ended stay, so many of them. */
const ENDED_LANES = 8;

/** Estimates while one job in several is told. */
export interface FunctionTimes {
  calls: number;
  /** Without what runs inside, in `join`. */
  selfUs: number;
  longestUs: number;
  failed: number;
}

export class Model {
  hello: Hello | null = null;
  isClosed = false;
  nowUs = 0;
  oneIn = 1;
  queued: Batch["queued"] = NONE_QUEUED;
  sample: Sample | null = null;
  readonly functions: Map<number, string> = new Map();
  readonly times: Map<number, FunctionTimes> = new Map();
  readonly jobs: Map<number, Job> = new Map();
  lanes: Lane[] = [];
  queueSeries: Series = new Series(QUEUES.length);
  rateSeries: Series = new Series(1);
  /** Of the event loops, in milliseconds: of the main thread, and the longest of all others. */
  delaySeries: Series = new Series(1);
  threadDelaySeries: Series = new Series(1);
  /** Jobs that have begun, and await something. */
  readonly awaiting: Set<Job> = new Set();
  /** Settled ones, the slowest first. */
  slowest: Job[] = [];
  /** The newest first. */
  failed: Job[] = [];
  dropped = 0;
  /** Raised whenever something changed. */
  version = 0;

  apply(message: FeedMessage): void {
    this.version++;
    switch (message.type) {
      case "hello":
        if (this.hello !== null && message.session !== this.hello.session) this.#forget();
        this.hello = message;
        this.isClosed = false;
        this.nowUs = message.nowUs;
        for (const [id, name] of message.functions) this.functions.set(id, name);
        break;
      case "batch":
        this.#batch(message);
        break;
      case "sample":
        this.#sample(message);
        break;
      case "closed":
        this.isClosed = true;
        for (const lane of this.lanes) lane.open = [];
    }
  }

  functionName(fn: number): string {
    return this.functions.get(fn) ?? (fn === 0 ? "(before you opened this page)" : "…");
  }

  /** Its own, or that of whose code has submitted it. */
  valuesOf(job: Job): Readonly<Record<string, string>> | null {
    const seen = new Set<number>();
    for (let each: Job | undefined = job; each !== undefined; each = this.jobs.get(each.parent)) {
      if (each.values !== null) return each.values;
      if (seen.has(each.id)) return null;
      seen.add(each.id);
    }
    return null;
  }

  laneOf(threadId: number): Lane | undefined {
    return this.lanes.find((lane) => lane.threadId === threadId);
  }

  /** Another program, or one that was not watched for a while: what is here has another clock. */
  #forget(): void {
    this.jobs.clear();
    this.functions.clear();
    this.times.clear();
    this.lanes = [];
    this.slowest = [];
    this.failed = [];
    this.sample = null;
    this.dropped = 0;
    this.queueSeries = new Series(QUEUES.length);
    this.rateSeries = new Series(1);
    this.delaySeries = new Series(1);
    this.threadDelaySeries = new Series(1);
    this.awaiting.clear();
  }

  #batch({ nowUs, oneIn, queued, threads, functions, contexts, details }: Batch): void {
    this.nowUs = nowUs;
    this.oneIn = oneIn;
    this.queued = queued;
    this.queueSeries.add(nowUs, ...queued);
    for (const [id, name] of functions) this.functions.set(id, name);
    for (const thread of threads) this.#thread(thread);
    const delays = threads.flatMap(({ loopDelayUs }) => loopDelayUs ?? []);
    if (delays.length > 0) this.threadDelaySeries.add(nowUs, Math.max(...delays) / 1000);
    for (const [id, values] of contexts) this.#job(id).values = values;
    for (const [id, error, frames] of details) {
      const job = this.#job(id);
      job.error = error;
      job.frames = frames;
    }
    this.#dropOldest();
  }

  #thread(batch: ThreadBatch): void {
    const lane = this.#lane(batch);
    lane.until = this.nowUs;
    lane.dropped += batch.dropped;
    this.dropped += batch.dropped;
    lane.exit = batch.exit;
    if (batch.loopDelayUs !== null) lane.delays.add(this.nowUs, batch.loopDelayUs / 1000);
    const open: Slice[] = [];
    for (let at = 0; at < batch.slices.length; at += SLICE_FIELDS) {
      const slice = sliceAt(batch.slices, at);
      if (slice.end < 0) open.push(slice);
      else this.#slice(lane, slice);
    }
    lane.open = open;
    for (const slice of open) if (slice.job !== 0) this.#goesOn(lane, slice);
  }

  #lane({ threadId, index }: ThreadBatch): Lane {
    let lane = this.laneOf(threadId);
    if (lane === undefined) {
      lane = new Lane(threadId, index, this.nowUs);
      this.lanes.push(lane);
      const ended = this.lanes.filter(({ exit }) => exit !== null);
      if (ended.length > ENDED_LANES) this.lanes.splice(this.lanes.indexOf(ended[0]!), 1);
      this.lanes.sort((a, b) => a.index - b.index || a.threadId - b.threadId);
    }
    return lane;
  }

  #slice(lane: Lane, slice: Slice): void {
    if (slice.kind === "parked") return;
    const policy = slice.kind === "settle" ? (this.jobs.get(slice.job)?.policy ?? null) : null;
    const insideUs = lane.slices.add(slice, policy);
    if (slice.kind === "run" || slice.kind === "resume") this.#count(slice, insideUs);
    if (slice.job !== 0) this.#ended(lane, slice);
  }

  #count({ fn, start, end, outcome, kind }: Slice, insideUs: number): void {
    let times = this.times.get(fn);
    if (times === undefined) this.times.set(fn, (times = { calls: 0, selfUs: 0, longestUs: 0, failed: 0 }));
    if (kind === "run") times.calls += this.oneIn;
    times.selfUs += this.oneIn * Math.max(0, end - start - insideUs);
    times.longestUs = Math.max(times.longestUs, end - start);
    if (outcome === "failed" || outcome === "crashed") times.failed += this.oneIn;
  }

  #ended(lane: Lane, { kind, start, end, job: id, fn, priority, policy, outcome, ref }: Slice): void {
    const job = this.#job(id);
    job.fn = fn;
    job.priority = priority;
    switch (kind) {
      case "submit":
        job.submitted = start;
        job.policy = policy;
        this.#adopt(job, ref);
        break;
      case "run":
      case "resume":
        this.#begins(job, lane, start, ref);
        this.#awaited(job, start);
        job.ranUs += end - start;
        job.runningSince = -1;
        job.awaitingSince = outcome === "awaiting" ? end : -1;
        if (outcome === "awaiting") this.awaiting.add(job);
        else job.finished = end;
        break;
      case "finish":
        job.finished = end;
        this.#awaited(job, start);
        break;
      case "cancel":
        job.canceled = start;
        break;
      case "settle":
        this.#settles(job, start, outcome);
        break;
      case "start":
      case "parked":
      case "joining":
      case "steal":
      default:
      // What else a thread does is no step of the job.
    }
  }

  #goesOn(lane: Lane, { kind, start, job: id, fn, priority, ref }: Slice): void {
    if (kind !== "run" && kind !== "resume") return;
    const job = this.#job(id);
    job.fn = fn;
    job.priority = priority;
    this.#begins(job, lane, start, ref);
    if (job.settled < 0) job.runningSince = start;
  }

  #begins(job: Job, lane: Lane, start: number, submitted: number): void {
    job.lane = lane.threadId;
    if (job.began < 0 || start < job.began) job.began = start;
    if (job.submitted < 0 && submitted > 0) job.submitted = submitted;
  }

  #settles(job: Job, at: number, outcome: Job["outcome"]): void {
    job.settled = at;
    job.outcome = outcome;
    job.runningSince = -1;
    this.#awaited(job, at);
    if (hasFailed(job)) {
      this.failed.unshift(job);
      this.failed.length = Math.min(this.failed.length, LISTED);
    }
    const total = totalUs(job, at);
    const last = this.slowest.at(-1);
    if (this.slowest.length >= LISTED && last !== undefined && totalUs(last, at) >= total) return;
    const place = this.slowest.findIndex((each) => totalUs(each, at) < total);
    this.slowest.splice(place < 0 ? this.slowest.length : place, 0, job);
    this.slowest.length = Math.min(this.slowest.length, LISTED);
  }

  /** If it did: until now. */
  #awaited(job: Job, until: number): void {
    if (!this.awaiting.delete(job) || job.awaitingSince < 0) return;
    this.laneOf(job.lane)?.awaits.add(job.awaitingSince, until, job.id, job.fn);
  }

  #adopt(job: Job, parentId: number): void {
    if (parentId === 0) return;
    job.parent = parentId;
    (this.#job(parentId).children ??= []).push(job.id);
  }

  #job(id: number): Job {
    let job = this.jobs.get(id);
    if (job === undefined) this.jobs.set(id, (job = newJob(id)));
    return job;
  }

  #dropOldest(): void {
    if (this.jobs.size <= MAX_JOBS) return;
    let surplus = this.jobs.size - MAX_JOBS;
    for (const [id, job] of this.jobs) {
      if (surplus-- <= 0) break;
      this.jobs.delete(id);
      // Its end would be told of another object: it would be shown as awaiting forever.
      this.awaiting.delete(job);
    }
  }

  #sample(sample: Sample): void {
    const before = this.sample;
    this.sample = sample;
    this.slowest = this.slowest.filter(({ settled }) => settled > sample.nowUs - SLOW_FOR_US);
    this.delaySeries.add(sample.nowUs, sample.main.delayMaxMs);
    const elapsedUs = before === null ? 0 : sample.nowUs - before.nowUs;
    if (before !== null && elapsedUs > 0)
      this.rateSeries.add(before.nowUs, (endedJobs(sample) - endedJobs(before)) / (elapsedUs / 1e6));
    for (const thread of sample.threads) {
      const lane = this.laneOf(thread.threadId);
      if (lane === undefined) continue;
      lane.before = lane.sample;
      lane.sample = thread;
      lane.sampledUs = elapsedUs;
    }
  }
}

export function endedJobs({ completed, failed, canceled, crashed }: Sample): number {
  return completed + failed + canceled + crashed;
}
