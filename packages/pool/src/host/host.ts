/**
 * The host of a pool: the submitter on the thread that made it, and the keeper of the threads. Puts the parts together, is what engines call, and
 * takes the steps of the end of the pool. How threads are made: thread-maker.ts; what they say: thread-messages.ts; how they end: thread-ends.ts.
 */
import { AsyncScope } from "@skein/context";
import type { Task } from "@skein/scheduling";
import { PoolClosedError } from "../errors.ts";
import { type PoolStats, readStats } from "./pool-stats.ts";
import { Arena } from "../shared/arena.ts";
import { Arenas } from "../shared/arenas.ts";
import { createLayout, PRIORITIES } from "../shared/layout.ts";
import { HOST, HOST_SERIAL, PoolMemory } from "../shared/pool-memory.ts";
import { Payloads } from "../shared/payloads.ts";
import { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { CallbackJob } from "../submit/callback-job.ts";
import type { Below } from "../submit/caller.ts";
import type { FunctionEntry, FunctionRegistry } from "../submit/function-registry.ts";
import type { QueueLimits } from "../submit/job-holdings.ts";
import type { SubmitOptions } from "../submit/submit-options.ts";
import { TrimTimer } from "../shared/trim-timer.ts";
import { dropStream } from "../submit/open-stream.ts";
import { Submitter } from "../submit/submitter.ts";
import { setImmediate } from "../shared/timers.ts";
import { CarriedValues, numberedBy } from "../transfer/carried-values.ts";
import { ArenaMemories } from "./arena-memories.ts";
import { CarriedRelay } from "./carried-relay.ts";
import { CompletionPump } from "./completion-pump.ts";
import { JobHistogram, type JobHistograms } from "./job-histogram.ts";
import { KeepAlive } from "./keep-alive.ts";
import { OrphanedSlots } from "./orphaned-slots.ts";
import { newPoolId } from "./pool-id.ts";
import type { PoolThread } from "./pool-thread.ts";
import { QueueWatch } from "./queue-watch.ts";
import type { PoolRecording } from "../trace/pool-recording.ts";
import { PoolTrace, type ResolvedTraceOptions } from "../trace/pool-trace.ts";
import { Recordings } from "./recordings.ts";
import { Shutdown } from "./shutdown.ts";
import { ThreadEnds, type ThreadEndsOptions } from "./thread-ends.ts";
import type { ThreadHandle } from "./thread-handle.ts";
import { slotsOfHome, ThreadHomes } from "./thread-homes.ts";
import { ThreadMail } from "./thread-mail.ts";
import { ThreadMaker, type ThreadMakerOptions } from "./thread-maker.ts";
import { ThreadMessages } from "./thread-messages.ts";
import { ThreadRoster } from "./thread-roster.ts";
import { ThreadStarts } from "./thread-starts.ts";
import { EXTRA_PLACES, type ThreadCounts, ThreadSupply } from "./thread-supply.ts";

/** More moved memory than that is not attached to this thread in a turn, before those who wait for it have gone on: V8 would collect on its account. */
const MOVED_BYTES_AT_ONCE = 4 << 20;

export interface HostOptions extends ThreadCounts, ThreadMakerOptions, ThreadEndsOptions {
  readonly capacitySlots: number;
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
  readonly trace: ResolvedTraceOptions | null;
}

export class Host {
  readonly id: number = newPoolId();
  readonly #options: HostOptions;
  readonly #memory: PoolMemory;
  readonly #arenas: Arenas;
  readonly #payloads: Payloads;
  readonly #trimTimer: TrimTimer;
  readonly #relay: CarriedRelay;
  readonly #submitter: Submitter;
  readonly #roster: ThreadRoster;
  readonly #supply: ThreadSupply;
  readonly #starts: ThreadStarts;
  readonly #orphans: OrphanedSlots;
  readonly #pump: CompletionPump;
  readonly #queueWatch: QueueWatch;
  readonly #keepAlive: KeepAlive;
  readonly #recordings: Recordings;
  readonly #mail: ThreadMail;
  readonly #ends: ThreadEnds;
  readonly #shutdown: Shutdown;
  readonly histograms: JobHistograms = {
    waitMs: new JobHistogram(() => this.#memory.allStatistics.histogram("wait")),
    runMs: new JobHistogram(() => this.#memory.allStatistics.histogram("run")),
  };

  constructor(options: HostOptions) {
    this.#options = options;
    const { name } = options.thread;
    const places = options.mostThreads + EXTRA_PLACES;
    const layout = createLayout(options.capacitySlots, places);
    const control = new SharedArrayBuffer(layout.controlBytes);
    const slots = new SharedArrayBuffer(layout.slotsBytes);
    const trace = options.trace === null ? null : new PoolTrace(options.trace, name, layout);
    const memory = (this.#memory = new PoolMemory(control, slots, layout, HOST, trace?.own));
    this.#orphans = new OrphanedSlots(
      memory,
      (serial) => this.#roster.withSerial(serial) !== null,
      (arena, block) => {
        if (this.#arenas.has(arena)) this.#arenas.giveBack(arena, block);
      },
      (serial) => this.#roster.withSerial(serial)?.isLost === true,
      (serial) => this.#ends.terminate(serial),
      (slot) => {
        const arenas = this.#arenas;
        // What its items carry was for the dead: the relay has given it up.
        const carried = { dropWhenHere: () => {} };
        if (arenas.has(memory.slots.ringArena(slot))) dropStream(slot, { memory, arenas, carried });
      },
      (serial, id) => this.#mail.sendTo(serial, { type: "links-wanted", id }),
    );
    const limits: QueueLimits = { jobs: 0, bytes: options.maxQueueBytes, maxQueue: options.maxQueue };
    const roster = (this.#roster = new ThreadRoster(
      places,
      (index) => this.#orphans.isFree(index),
      (...thread) => maker.make(...thread),
    ));
    const mail = (this.#mail = new ThreadMail(roster, memory.parking));
    this.#supply = new ThreadSupply(memory, roster, options, limits, {
      outstanding: () => this.#outstanding,
      waiting: () => this.#waiting,
      started: () => this.#submitter.ledger.settleHomeless(),
      left: (thread) => this.#onLeft(thread),
      isHome: (thread, kind) => this.#submitter.ledger.isHome(thread.serial, kind),
      areOver: () => this.isClosing && (this.#isQuiet || this.#shutdown.isPastDeadline),
      cannotStart: (cause, wasAsked) => this.#ends.cannotStart(cause, wasAsked),
    });
    const takeKnowledge = (): void => this.#takeKnowledge();
    this.#arenas = new Arenas(takeKnowledge);
    const memories = new ArenaMemories(this.#arenas, {
      serials: () => roster.live().map((thread) => thread.serial),
      known: (to, arena) => roster.withSerial(to)?.post({ type: "arena", arena }),
      granted: (to, arena) => roster.withSerial(to)?.post({ type: "arena-granted", arena }),
      gone: (to, id) => mail.sendTo(to, { type: "arena-gone", id }),
    });
    const home = memories.create(HOST_SERIAL, true);
    const payloads = (this.#payloads = new Payloads(memories.create(HOST_SERIAL, false), {
      request: (blockBytes) => memories.request(blockBytes),
      gone: (id) => memories.gone(id),
      grown: () => this.#trimTimer.start(),
    }));
    this.#trimTimer = new TrimTimer(() => payloads.trim());
    const sharedBuffers = new SharedBuffers(HOST_SERIAL, takeKnowledge, {
      announce: (id, buffer) => roster.broadcast({ type: "shared-buffer", id, buffer }),
      gone: (id) => roster.broadcast({ type: "shared-buffer-gone", id }),
    });
    const starts = (this.#starts = new ThreadStarts(() => {
      if (starts.isAwaited) this.#keepAlive.hold();
      else if (this.#outstanding === 0) this.#keepAlive.release();
    }));
    this.#keepAlive = new KeepAlive(
      memory.parking,
      () => this.#isQuiet && !starts.isAwaited,
      () => this.#submitter.contexts.forget(),
    );
    const carried = new CarriedValues(HOST_SERIAL, (id) => this.#takeCarried(id, carried));
    this.#relay = new CarriedRelay(memory, roster, carried, {
      mayStart: () => roster.count < this.#supply.minThreads,
      jobIn: (slot) => this.#submitter.ledger.jobIn(slot),
      requeue: (slot, id) => this.#submitter.ledger.requeue(slot, id),
    });
    this.#submitter = new Submitter({
      memory,
      home: new Arena(home.memory),
      payloads,
      arenas: this.#arenas,
      sharedBuffers,
      carried,
      holder: this.#relay,
      limits,
      homes: new ThreadHomes(slotsOfHome(options.capacitySlots, places, options.jobsPerThread), {
        parking: memory.parking,
        taking: () => roster.taking(),
        mayStart: () => roster.count < this.#supply.minThreads && !roster.cannotStart,
        wanted: () => this.#supply.homeWanted(),
      }),
      thread: {
        active: () => this.#keepAlive.hold(),
        idle: () => this.#onIdle(),
        queued: (isExclusive) => this.#supply.queued(isExclusive),
        cancelRequested: (serial, slot) => mail.sendTo(serial, { type: "cancel", slot }),
        takeMessages: takeKnowledge,
        wantReports: () => {},
        terminate: (serial) => this.#ends.terminate(serial),
        awaited: () => this.#pump.submitted(),
      },
      carry: (to, values) => this.#relay.onResult({ to, ...values }),
      send: (message) => mail.sendTo(message.to, message),
    });
    const { ledger } = this.#submitter;
    let takenBefore = 0;
    this.#pump = new CompletionPump(
      memory.inbox,
      memory.parking,
      () => {
        const count = ledger.drain(takenBefore + MOVED_BYTES_AT_ONCE - carried.takenBytes);
        this.#queueWatch.resultsCame();
        return count;
      },
      () => ledger.outstanding,
      () => ledger.isAwaited,
      () => ledger.hasMore,
      () => {
        takenBefore = carried.takenBytes;
      },
    );
    this.#queueWatch = new QueueWatch({
      atMost: () => this.#queued + ledger.placedWaiting,
      hasWaiting: (count) => ledger.hasWaiting(count),
    });
    this.#shutdown = new Shutdown(options.disposeLimitMs, {
      refuse: () => ledger.close(),
      drop: () => this.#drop(),
      isOutstanding: () => ledger.outstanding > 0,
      isQuiet: () => this.#isQuiet,
      deadline: () => this.#onDeadline(),
      threads: () => roster.present(),
      over: () => this.#onOver(),
    });
    const submitter = this.#submitter;
    const recordings = (this.#recordings = new Recordings(trace, {
      memory,
      roster,
      mail,
      submitter,
      poolName: name,
    }));
    const parts = {
      pool: { name, id: this.id },
      memory,
      ledger,
      submitter,
      roster,
      supply: this.#supply,
      starts,
      arenas: this.#arenas,
      arenaMemories: memories,
      sharedBuffers,
      relay: this.#relay,
      pump: this.#pump,
      recordings,
      mail,
      orphans: this.#orphans,
    };
    const ends = (this.#ends = new ThreadEnds(options, {
      ...parts,
      shutdown: this.#shutdown,
      takeMessages: takeKnowledge,
    }));
    const messages = new ThreadMessages({ ...parts, ends, takeMessages: takeKnowledge });
    const maker = new ThreadMaker(options, {
      ...parts,
      control,
      slots,
      events: {
        message: (thread, message) => messages.take(thread, message),
        dismissed: (thread) => ends.dismiss(thread),
        exit: (thread, exitCode, cause) => ends.ended(thread, exitCode, cause),
      },
    });
  }

  get name(): string {
    return this.#options.thread.name;
  }

  get minThreads(): number {
    return this.#supply.minThreads;
  }

  get maxThreads(): number {
    return this.#supply.maxThreads;
  }

  setMinThreads(count: number): boolean {
    return this.#supply.setMinThreads(count);
  }

  setMaxThreads(count: number): boolean {
    return this.#supply.setMaxThreads(count);
  }

  /** Starts threads until there are `count`; those load `modules` first. */
  start(count: number, modules: readonly string[]): void {
    this.#starts.begin();
    for (const thread of this.#roster.staying()) if (!thread.isReady) this.#starts.add(thread);
    this.#supply.start(count, modules);
  }

  /** When all threads that were starting at the last `start`, or started by it, are ready. Keeps the process alive until then. */
  ready(): Promise<void> {
    return this.#starts.ready();
  }

  /** `ready({ below })` and the event `drain`. */
  get queueWatch(): QueueWatch {
    return this.#queueWatch;
  }

  /** Whether `close` was called: no job is taken any more. */
  get isClosing(): boolean {
    return this.#shutdown.hasBegun;
  }

  get functions(): FunctionRegistry {
    return this.#submitter.functions;
  }

  /** As JobMaker.submit. */
  submit(
    fn: FunctionEntry,
    args: readonly unknown[],
    options: SubmitOptions,
    below: (...args: never[]) => unknown,
  ): Task<unknown> {
    const { task } = this.#submitter.jobs.submit(fn, args, options, below);
    this.#onSubmitted();
    return task;
  }

  /** As JobMaker.send. */
  send(job: CallbackJob, args: readonly unknown[], below: Below): void {
    this.#submitter.jobs.send(job, args, below);
    this.#onSubmitted();
  }

  #onSubmitted(): void {
    this.#pump.submitted();
    this.#queueWatch.submitted();
  }

  /** As Ledger.cancel. */
  readonly cancel = (job: CallbackJob, reason: Error): void => this.#submitter.ledger.cancel(job, reason);

  get threads(): ThreadHandle[] {
    return this.#roster.present().map(({ handle }) => handle);
  }

  stats(): PoolStats {
    return readStats(this.#memory, this.#submitter, this.#roster.present(), this.#supply.recycling.replaced);
  }

  /** As Recordings.record. */
  record(locals: readonly string[], eventsPerThread: number): PoolRecording {
    return this.#recordings.record(locals, eventsPerThread);
  }

  /** Once on each live thread, or on none; starts one if there is none. */
  broadcast(
    fn: FunctionEntry,
    args: readonly unknown[],
    options: SubmitOptions,
    below: (...args: never[]) => unknown,
  ): Task<unknown>[] {
    const onAll: SubmitOptions = { ...options, placement: null };
    const jobs = this.#submitter.jobs.assign(
      fn,
      args,
      onAll,
      below,
      () => this.#roster.taking(),
      (thread, slot) => {
        this.#mail.send(thread, { type: "run", slot });
      },
    );
    // The first one, as soon as it can start.
    if (jobs.length === 0) return [this.submit(fn, args, onAll, below)];
    this.#pump.submitted();
    return jobs.map(({ task }) => task);
  }

  /** Ends the pool: see shutdown.ts. May be called again, to ask for more. */
  close(drain: boolean, timeoutMs: number | undefined): Promise<void> {
    const closing = this.#shutdown.begin(drain, timeoutMs);
    this.#starts.close(new PoolClosedError());
    this.#queueWatch.close(new PoolClosedError());
    return closing;
  }

  get #outstanding(): number {
    return this.#submitter.ledger.outstanding;
  }

  /** Whether no job is outstanding, whoever submitted it. */
  get #isQuiet(): boolean {
    return this.#outstanding === 0 && this.#memory.allStatistics.areSettled() && this.#orphans.areFree();
  }

  /** The thread was told to leave. Jobs that nobody else may run fail; their callers hear of it in a turn of their own. */
  #onLeft(thread: PoolThread): void {
    const { ledger } = this.#submitter;
    ledger.closeHome(thread.serial);
    if (ledger.hasUndelivered) AsyncScope.root.run(setImmediate, () => ledger.deliver());
  }

  #onIdle(): void {
    this.#keepAlive.release();
    this.#shutdown.wake();
  }

  /** Jobs that wait fail, those of jobs too, and running ones are asked to stop. */
  #drop(): void {
    const { ledger } = this.#submitter;
    ledger.drop(() => new PoolClosedError("The pool was closed before this job could run"));
    this.#mail.sendToAll({ type: "drop" });
    ledger.deliver();
  }

  #onDeadline(): void {
    const { ledger } = this.#submitter;
    // What has ended by now has its outcome.
    ledger.collect();
    const threads = this.#roster.present();
    ledger.failAll(() => new PoolClosedError("The pool was closed before this job ended"));
    for (const thread of threads) thread.terminate();
    ledger.deliver();
  }

  #onOver(): void {
    this.#supply.close();
    this.#recordings.close();
    this.#queueWatch.stop();
    this.#keepAlive.close();
    this.#trimTimer.stop();
    this.#payloads.close();
    this.#relay.close();
    this.#arenas.dropAll();
    this.#recordings.write();
  }

  /** Jobs that no thread has taken, those of jobs included. */
  get #waiting(): number {
    return this.#queued + this.#memory.queues.localSize;
  }

  /** The same without those that stay with the thread whose jobs have submitted them. */
  get #queued(): number {
    const { queues } = this.#memory;
    return PRIORITIES.reduce(
      (sum, _, i) => sum + queues.sizeOf(i) + this.#submitter.ledger.backlogSize(i),
      0,
    );
  }

  #takeKnowledge(): void {
    for (const thread of this.#roster.live()) thread.intake.takeKnowledge();
  }

  /** Memory lies in the lane of its thread, everything else comes with its messages: the first time, the lane does, too. */
  #takeCarried(id: number, carried: CarriedValues): void {
    const lane = this.#roster.withSerial(numberedBy(id))?.results;
    if (lane?.takeUpTo(id, carried) === true) return;
    this.#takeKnowledge();
    lane?.takeUpTo(id, carried);
  }
}
