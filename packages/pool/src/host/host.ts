/** The host of a pool: the submitter on the thread that made it, and the keeper of the threads. */
import { AsyncScope } from "@skein/context";
import type { Task } from "@skein/scheduling";
import { channels, named, type ThreadMessage } from "../jobs/channels.ts";
import { fromWire, toWire } from "../codec/error-wire.ts";
import { PoolClosedError, ThreadCrashedError } from "../errors.ts";
import { type PoolStats, readQueued, readStats } from "./pool-stats.ts";
import type { ArgumentMessage, HostMessage, WorkerMessage } from "../messages/protocol.ts";
import type { RecycleLimits } from "../messages/recycle-limits.ts";
import { Arena } from "../shared/arena.ts";
import { Arenas } from "../shared/arenas.ts";
import { createLayout, type Layout, PRIORITIES } from "../shared/layout.ts";
import { DEAD } from "../shared/parking.ts";
import { HOST, HOST_SERIAL, PoolMemory } from "../shared/pool-memory.ts";
import { Payloads } from "../shared/payloads.ts";
import { serialOf } from "../shared/trace/trace-code.ts";
import { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { CallbackJob } from "../submit/callback-job.ts";
import type { FunctionEntry, FunctionRegistry } from "../submit/function-registry.ts";
import type { QueueLimits } from "../submit/job-holdings.ts";
import type { SubmitOptions } from "../submit/submit-options.ts";
import { TrimTimer } from "../transfer/trim-timer.ts";
import { cancelRecorded } from "../submit/cancel-recorded.ts";
import { JobNotes } from "../submit/job-notes.ts";
import { dropStream } from "../submit/open-stream.ts";
import { Submitter } from "../submit/submitter.ts";
import { promiseThen } from "../shared/intrinsics.ts";
import { clearTimeout, setImmediate, setTimeout } from "../shared/timers.ts";
import { CarriedValues, numberedBy } from "../transfer/carried-values.ts";
import { ArenaMemories } from "./arena-memories.ts";
import { AskedCancels } from "./asked-cancels.ts";
import { CarriedRelay } from "./carried-relay.ts";
import { CompletionPump } from "./completion-pump.ts";
import { JobHistogram, type JobHistograms } from "./job-histogram.ts";
import { KeepAlive } from "./keep-alive.ts";
import { OrphanedSlots } from "./orphaned-slots.ts";
import { newPoolId } from "./pool-id.ts";
import { PoolThread } from "./pool-thread.ts";
import type { ThreadOptions } from "./thread-flags.ts";
import { QueueWatch } from "./queue-watch.ts";
import { PoolRecording } from "../trace/pool-recording.ts";
import { PoolTrace, type ResolvedTraceOptions } from "../trace/pool-trace.ts";
import { Recording } from "../trace/recording.ts";
import { Shutdown } from "./shutdown.ts";
import type { ThreadHandle } from "./thread-handle.ts";
import { maxSlotsOfHome, ThreadHomes } from "./thread-homes.ts";
import { ThreadRoster } from "./thread-roster.ts";
import { ThreadStarts } from "./thread-starts.ts";
import { EXTRA_IDLE_TIMEOUT_MS, type ThreadCounts, ThreadSupply } from "./thread-supply.ts";

/** A thread that was terminated ends in milliseconds, on a busy machine a little later. One that has not by then is in a call that nothing interrupts. */
const STUCK_AFTER_MS = 2000;
/** More moved memory than that is not attached to this thread before those who wait for it have gone on: V8 would collect on its account. */
const MOVED_BYTES_AT_ONCE = 4 << 20;

export interface HostOptions extends ThreadCounts {
  /** How many threads there can be at once, `setMaxThreads` included. */
  readonly places: number;
  readonly idleTimeoutMs: number;
  readonly capacitySlots: number;
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
  readonly spinLimitUs: number;
  readonly initialize: string | null;
  /** How long `dispose` of the initialize module may take. */
  readonly disposeLimitMs: number;
  /** Null: no thread is replaced because of a limit. */
  readonly recycle: RecycleLimits | null;
  readonly thread: ThreadOptions;
  readonly trace: ResolvedTraceOptions | null;
}

export class Host {
  readonly id: number = newPoolId();
  readonly #options: HostOptions;
  readonly #layout: Layout;
  readonly #controlBuffer: SharedArrayBuffer;
  readonly #slotsBuffer: SharedArrayBuffer;
  readonly #memory: PoolMemory;
  readonly #arenas: Arenas;
  readonly #arenaMemories: ArenaMemories;
  readonly #payloads: Payloads;
  readonly #trimTimer: TrimTimer;
  readonly #sharedBuffers: SharedBuffers;
  readonly #relay: CarriedRelay;
  readonly #submitter: Submitter;
  readonly #roster: ThreadRoster;
  readonly #supply: ThreadSupply;
  readonly #starts: ThreadStarts;
  readonly #orphans: OrphanedSlots;
  readonly #cancels = new AskedCancels();
  readonly #pump: CompletionPump;
  readonly #queueWatch: QueueWatch;
  readonly #keepAlive: KeepAlive;
  /** Of the option `trace`, or for recordings. */
  #trace: PoolTrace | null;
  readonly #shutdown: Shutdown;
  readonly histograms: JobHistograms = {
    waitMs: new JobHistogram(() => this.#memory.allStatistics.histogram("wait")),
    runMs: new JobHistogram(() => this.#memory.allStatistics.histogram("run")),
  };

  constructor(options: HostOptions) {
    this.#options = options;
    this.#layout = createLayout(options.capacitySlots, options.places);
    this.#controlBuffer = new SharedArrayBuffer(this.#layout.controlBytes);
    this.#slotsBuffer = new SharedArrayBuffer(this.#layout.slotsBytes);
    this.#trace =
      options.trace === null ? null : new PoolTrace(options.trace, options.thread.name, this.#layout);
    const memory = (this.#memory = new PoolMemory(
      this.#controlBuffer,
      this.#slotsBuffer,
      this.#layout,
      HOST,
      this.#trace?.own,
    ));
    this.#orphans = new OrphanedSlots(
      memory,
      (serial) => this.#roster.withSerial(serial) !== null,
      (arena, block) => {
        if (this.#arenas.has(arena)) this.#arenas.giveBack(arena, block);
      },
      (serial) => this.#roster.withSerial(serial)?.isLost === true,
      (serial) => this.#terminate(serial),
      (slot) => {
        const arenas = this.#arenas;
        // What its items carry was for the dead: the relay has given it up.
        const carried = { dropWhenHere: () => {} };
        if (arenas.has(memory.slots.ringArena(slot))) dropStream(slot, { memory, arenas, carried });
      },
    );
    const limits: QueueLimits = { jobs: 0, bytes: options.maxQueueBytes, maxQueue: options.maxQueue };
    const roster = (this.#roster = new ThreadRoster(
      options.places,
      (index) => this.#orphans.isFree(index),
      (...thread) => this.#startThread(...thread),
    ));
    this.#supply = new ThreadSupply(memory, roster, options, limits, {
      outstanding: () => this.#outstanding,
      waiting: () => this.#waiting,
      started: () => this.#submitter.ledger.settleHomeless(),
      left: (thread) => this.#onLeft(thread),
      isHome: (thread, kind) => this.#submitter.ledger.isHome(thread.serial, kind),
      areOver: () => this.isClosing && (this.#isQuiet || this.#shutdown.isPastDeadline),
      cannotStart: (cause, wasAsked) => {
        if (wasAsked) this.#starts.fail(this.#notReady(undefined, cause));
        this.#giveUp(undefined, cause);
      },
    });
    const takeKnowledge = (): void => this.#takeKnowledge();
    this.#arenas = new Arenas(takeKnowledge);
    const memories = (this.#arenaMemories = new ArenaMemories(this.#arenas, {
      serials: () => roster.live().map((thread) => thread.serial),
      known: (to, arena) => roster.withSerial(to)?.post({ type: "arena", arena }),
      granted: (to, arena) => roster.withSerial(to)?.post({ type: "arena-granted", arena }),
      gone: (to, id) => this.#tell(to, { type: "arena-gone", id }),
    }));
    const home = memories.create(HOST_SERIAL, true);
    const payloads = (this.#payloads = new Payloads(memories.create(HOST_SERIAL, false), {
      request: (blockBytes) => memories.request(blockBytes),
      gone: (id) => memories.gone(id),
      grown: () => this.#trimTimer.start(),
    }));
    this.#trimTimer = new TrimTimer(() => payloads.trim());
    this.#sharedBuffers = new SharedBuffers(HOST_SERIAL, takeKnowledge, {
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
      sharedBuffers: this.#sharedBuffers,
      carried,
      holder: this.#relay,
      limits,
      homes: new ThreadHomes(maxSlotsOfHome(options.capacitySlots, options.places, options.jobsPerThread), {
        parking: memory.parking,
        staying: () => roster.staying(),
        mayStart: () => roster.count < this.#supply.minThreads && !roster.cannotStart,
        wanted: () => this.#supply.homeWanted(),
      }),
      thread: {
        active: () => this.#keepAlive.hold(),
        idle: () => this.#onIdle(),
        queued: (isExclusive) => this.#supply.queued(isExclusive),
        cancelRequested: (serial, slot) => this.#tell(serial, { type: "cancel", slot }),
        takeMessages: takeKnowledge,
        terminate: (serial) => this.#terminate(serial),
        awaited: () => this.#pump.submitted(),
      },
      carry: (to, values) => this.#relay.onResult({ to, ...values }),
      send: (message) => this.#tell(message.to, message),
    });
    const { ledger } = this.#submitter;
    this.#pump = new CompletionPump(
      memory.inbox,
      memory.parking,
      () => {
        const count = ledger.drain(MOVED_BYTES_AT_ONCE);
        this.#queueWatch.resultsCame();
        return count;
      },
      () => ledger.outstanding,
      () => ledger.isAwaited,
      () => ledger.hasMore,
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
  send(job: CallbackJob, args: readonly unknown[], below: (...args: never[]) => unknown): void {
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

  /** Records what the threads do from now on, until it is disposed. @param eventsPerThread If nothing is traced yet: a power of two. */
  record(locals: readonly string[], eventsPerThread: number): PoolRecording {
    const trace = (this.#trace ??= new PoolTrace(
      { file: null, eventsPerThread },
      this.#options.thread.name,
      this.#layout,
    ));
    const recording = new Recording(locals, () => trace.own.now());
    trace.record(recording, this.#roster.live());
    this.#followTrace(trace);
    return new PoolRecording(trace, recording, {
      queued: () => readQueued(this.#memory, this.#submitter),
      cancel: (key, reason) => this.#cancelRecorded(key, reason),
      stop: () => {
        trace.unrecord(recording);
        if (this.#trace !== trace) return;
        if (trace.isOver) this.#trace = null;
        this.#followTrace(trace.isOver ? null : trace);
      },
    });
  }

  /** The job with this key in the trace: with the thread that has submitted it. @returns whether it was there, and undecided. */
  async #cancelRecorded(key: number, reason: unknown): Promise<boolean> {
    const serial = serialOf(key);
    if (serial === HOST_SERIAL)
      return cancelRecorded(this.#submitter.ledger, this.#memory.trace, key, reason);
    const thread = this.#roster.withSerial(serial);
    return thread !== null && (await this.#cancels.ask(thread, key, reason));
  }

  #followTrace(trace: PoolTrace | null): void {
    this.#memory.trace = trace?.own ?? null;
    const notes = trace?.dataFor(HOST - 1).notes ?? null;
    if (trace !== null) trace.own.notes = notes === null ? null : new JobNotes(notes.buffer, notes.locals);
    for (const thread of this.#roster.live()) {
      this.#post(thread, { type: "trace", data: trace?.dataFor(thread.index) ?? null });
    }
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
      () => this.#roster.staying(),
      (thread, slot) => {
        this.#post(thread, { type: "run", slot });
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
    ledger.failWaiting(() => new PoolClosedError("The pool was closed before this job could run"));
    ledger.requestStop();
    this.#tellThreads({ type: "drop" });
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
    this.#cancels.close();
    this.#queueWatch.stop();
    this.#keepAlive.close();
    this.#trimTimer.stop();
    this.#payloads.close();
    this.#relay.close();
    this.#arenas.dropAll();
    this.#trace?.write();
  }

  /** Ends the thread with this serial, and everything on it. */
  #terminate(serial: number): void {
    const thread = this.#roster.withSerial(serial);
    if (thread === null || thread.wasTerminated) return;
    thread.wasTerminated = true;
    thread.terminate();
    // Not before the messages of this turn are read: that it has ended may be among them.
    const onTime = (): void => void setImmediate(() => this.#lose(thread));
    AsyncScope.root.run(setTimeout, onTime, STUCK_AFTER_MS).unref();
  }

  /** A user ends it: it takes no more jobs, and another may start at once. */
  #dismiss(thread: PoolThread): void {
    if (thread.hasEnded || thread.wasTerminated) return;
    this.#supply.dismiss(thread);
    this.#terminate(thread.serial);
  }

  #onDisposing(thread: PoolThread): void {
    thread.isDisposing = true;
    const { disposeLimitMs } = this.#options;
    const timer = AsyncScope.root.run(setTimeout, () => this.#terminate(thread.serial), disposeLimitMs);
    timer.unref();
    promiseThen(thread.ended, () => clearTimeout(timer));
  }

  /** It has not ended: it is in a call that cannot be interrupted. Nobody waits for what it has, and another thread takes its part. */
  #lose(thread: PoolThread): void {
    if (thread.hasEnded || thread.isLost) return;
    const { ledger } = this.#submitter;
    const error = new ThreadCrashedError(undefined, {
      detail: "it is in a native call, which nothing can interrupt",
      wasTerminated: true,
    });
    const counted = !thread.isLeaving && !thread.isSpare;
    this.#roster.lose(thread);
    this.#supply.recycling.ended(thread, counted);
    this.#memory.parking.setDead(thread.index);
    ledger.closeHome(thread.serial);
    ledger.lose(thread.serial, error);
    this.#orphans.adopt(thread.index);
    this.#cancels.ended(thread.serial);
    this.#memory.statisticsOf(thread.index + 1).closeBooks();
    this.#tellThreads({ type: "thread-lost", serial: thread.serial, error: toWire(error) });
    this.#supply.ended();
    ledger.deliver();
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

  #startThread(
    index: number,
    serial: number,
    isExtra: boolean,
    modules: readonly string[] | null,
    isSpare: boolean,
  ): PoolThread {
    this.#memory.prepareThread(index, serial);
    // Before it can submit anything.
    this.#arenaMemories.create(serial, true);
    this.#arenaMemories.create(serial, false);
    try {
      // Its promises belong to nobody: on Node 22 each keeps the context in which it was made.
      const thread = AsyncScope.root.run(() => this.#createThread(index, serial, isExtra, modules ?? []));
      if (modules !== null && !isSpare) this.#starts.add(thread);
      this.#trace?.threadStarted(index, thread.threadId);
      for (const [id, buffer] of this.#sharedBuffers.entries())
        thread.post({ type: "shared-buffer", id, buffer });
      return thread;
    } catch (error) {
      this.#tellThreads({ type: "thread-ended", serial, error: toWire(error) });
      this.#arenaMemories.ended(serial);
      throw error;
    }
  }

  #createThread(index: number, serial: number, isExtra: boolean, modules: readonly string[]): PoolThread {
    const { spinLimitUs, initialize, jobsPerThread, idleTimeoutMs } = this.#options;
    return new PoolThread(
      {
        control: this.#controlBuffer,
        slots: this.#slotsBuffer,
        layout: this.#layout,
        index,
        serial,
        arenas: [...this.#arenas.entries()],
        spinLimitUs,
        jobsPerThread,
        idleTimeoutMs: isExtra ? EXTRA_IDLE_TIMEOUT_MS : idleTimeoutMs,
        initialize,
        modules,
        trace: this.#trace?.prepareThread(index) ?? null,
        recycle: this.#options.recycle,
      },
      this.#options.thread,
      {
        message: (from, message) => this.#onMessage(from, message),
        dismissed: (from) => this.#dismiss(from),
        exit: (from, exitCode, cause) => this.#onExit(from, exitCode, cause),
      },
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

  #onMessage(thread: PoolThread, message: WorkerMessage): void {
    switch (message.type) {
      case "lane":
        thread.results.opened(message.port);
        break;
      case "bell":
        this.#pump.onBell();
        break;
      case "ready":
        thread.isReady = true;
        this.#roster.forgetFailedStarts();
        this.#supply.recycling.ready(thread);
        this.#starts.remove(thread, message.failure === null ? null : { error: fromWire(message.failure) });
        this.#publishThread("threadStart", thread, {});
        thread.opened();
        break;
      case "shared-buffer":
        this.#sharedBuffers.add(message.id, message.buffer);
        // A job may pass it on to a third thread.
        this.#roster.broadcast(message, thread);
        break;
      case "shared-buffer-gone":
        this.#sharedBuffers.gone(message.id);
        this.#roster.broadcast(message, thread);
        // What came before is read, then it is dropped.
        AsyncScope.root.run(setImmediate, () => this.#pump.onBell());
        break;
      case "arena-wanted":
        this.#arenaMemories.onWanted(thread.serial, message.blockBytes);
        break;
      case "arena-gone":
        this.#arenaMemories.gone(message.id);
        break;
      case "arena-dropped":
        this.#arenaMemories.onDropped(thread.serial);
        break;
      case "carried":
        this.#relay.onResult(message);
        break;
      case "hold":
        this.#relay.onHold(message);
        break;
      case "carried-wanted":
        this.#relay.onWanted(thread, message.id);
        break;
      case "returned":
        this.#relay.onReturned(thread, message.jobs);
        break;
      case "carried-gone":
        this.#relay.drop(message.id);
        break;
      case "cancel":
        this.#tell(message.serial, { type: "cancel", slot: message.slot });
        break;
      case "argument-wanted":
      case "argument-opened":
      case "argument-left":
      case "argument-dropped":
        this.#onArgument(message);
        break;
      case "progress":
        if (message.submitter === HOST) this.#submitter.progress.report(message.id, message.value);
        else
          this.#roster
            .at(message.submitter - 1)
            ?.post({ type: "progress", id: message.id, value: message.value });
        break;
      case "began":
        if (message.submitter === HOST) this.#submitter.progress.began(message.id);
        else this.#roster.at(message.submitter - 1)?.post({ type: "began", id: message.id });
        break;
      case "cancel-answered":
        this.#cancels.answered(message.id, message.isCanceled);
        break;
      case "terminate":
        this.#terminate(message.serial);
        break;
      case "threads-wanted":
        if (!this.#memory.queues.isEmpty()) this.#supply.wanted();
        break;
      case "retire":
        this.#supply.retire(thread, message.url);
        break;
      case "recycle":
        this.#supply.recycling.asked(thread);
        break;
      case "disposing":
        this.#onDisposing(thread);
        break;
      case "idle":
        this.#supply.idle(thread);
        break;
    }
  }

  /** The host itself only submits: it is asked, or told that a job has left. */
  #onArgument(message: ArgumentMessage): void {
    if (message.to !== HOST_SERIAL) this.#tell(message.to, message);
    else if ("number" in message) this.#submitter.pumps.heard(message);
  }

  /** A thread has ended, wherever it was: settle what it had, find what it had in its hands, replace it; then tell. */
  #onExit(thread: PoolThread, exitCode: number, cause: unknown): void {
    const { parking, joins } = this.#memory;
    const { ledger } = this.#submitter;
    const isTerminating = this.#shutdown.isPastDeadline;
    const isExpected = isTerminating || (this.isClosing && this.#outstanding === 0);
    this.#trace?.threadEnded(thread.index, exitCode, cause, isExpected);
    const wasReady = thread.isReady || parking.state(thread.index) !== DEAD;
    const error = isTerminating
      ? new PoolClosedError("The pool was closed while this job ran")
      : new ThreadCrashedError(exitCode, { cause, wasTerminated: thread.wasTerminated });
    this.#takeKnowledge();
    // From here on nothing is given to it.
    thread.hasEnded = true;
    ledger.collect();
    const lostJobs = ledger.recover(thread.serial, error, !isTerminating);
    parking.setDead(thread.index);
    joins.end(thread.index);
    const counted = !thread.isLeaving && !thread.isSpare;
    this.#roster.remove(thread, wasReady);
    this.#supply.recycling.ended(thread, counted);
    this.#starts.remove(thread, wasReady ? null : { error: this.#notReady(exitCode, cause) });
    this.#orphans.adopt(thread.index);
    this.#memory.statisticsOf(thread.index + 1).closeBooks();
    this.#tellThreads({ type: "thread-ended", serial: thread.serial, error: toWire(error) });
    this.#arenaMemories.ended(thread.serial);
    this.#sharedBuffers.dropOf(thread.serial);
    this.#relay.onExit(thread);
    this.#cancels.ended(thread.serial);
    this.#replace(thread, exitCode, cause);
    // It may also have taken the bell in its hand and not rung it: look again, then sleep anew.
    this.#pump.onBell();
    ledger.deliver();
    this.#publishThread("threadExit", thread, {
      exitCode,
      cause,
      lostJobs: lostJobs.map(({ fn, task }) => named(fn.source, task)),
    });
    thread.opened();
  }

  /** A thread less: jobs that wait need another, or will never run. */
  #replace(thread: PoolThread, exitCode: number, cause: unknown): void {
    if (this.#outstanding === 0) {
      if (this.#roster.count === 0) this.#roster.forgetFailedStarts();
      return;
    }
    if (!thread.isReplaced) this.#supply.ended();
    if (!this.#supply.isStarting) this.#giveUp(exitCode, cause);
    // The dead thread may have swallowed a wake-up.
    const { queues, parking } = this.#memory;
    if (!queues.isSharedEmpty()) parking.wakeOne();
    if (!queues.isExclusiveEmpty()) parking.wakeOne(-1, true);
  }

  /** When there is no thread, and none will start: whoever submits next may try again. */
  #giveUp(exitCode: number | undefined, cause: unknown): void {
    if (this.#roster.count > 0) return;
    const { ledger } = this.#submitter;
    ledger.failWaiting(() => this.#notReady(exitCode, cause));
    this.#roster.forgetFailedStarts();
    ledger.deliver();
  }

  #notReady(exitCode: number | undefined, cause: unknown): ThreadCrashedError {
    const { initialize } = this.#options;
    const first = initialize === null ? "" : ` (\`initialize\` is ${initialize})`;
    return new ThreadCrashedError(exitCode, {
      cause,
      detail: `before it was ready for its first job${first}`,
    });
  }

  #publishThread(
    event: "threadStart" | "threadExit",
    thread: PoolThread,
    details: Pick<ThreadMessage, "exitCode" | "cause" | "lostJobs">,
  ): void {
    const target = channels[event];
    if (!target.hasSubscribers) return;
    const { name } = this.#options.thread;
    const message: ThreadMessage = { pool: name, poolId: this.id, threadId: thread.threadId, ...details };
    target.publish(message);
  }

  /** A thread that hears of it at once, though it sleeps. */
  #tell(serial: number, message: HostMessage): void {
    const thread = this.#roster.withSerial(serial);
    if (thread !== null) this.#post(thread, message);
  }

  #tellThreads(message: HostMessage): void {
    for (const thread of this.#roster.live()) this.#post(thread, message);
  }

  #post(thread: PoolThread, message: HostMessage): void {
    thread.post(message);
    this.#memory.parking.announceMail(thread.index);
  }
}
