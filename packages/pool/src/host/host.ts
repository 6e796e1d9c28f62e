/** The submitting side of a pool: puts the parts together, keeps the threads, ends them. */
import type { Task } from "@skein/scheduling";
import { Decoder } from "../codec/decoder.ts";
import { Encoder } from "../codec/encoder.ts";
import { JobCanceledError, JobTimeoutError, PoolClosedError, ThreadCrashedError } from "../errors.ts";
import type { WorkerMessage } from "../protocol.ts";
import { Arena } from "../shared/arena.ts";
import { DEAD } from "../shared/parking.ts";
import { SegmentDirectory } from "../shared/segments.ts";
import { SharedBuffers } from "../shared/shared-buffers.ts";
import { CompletionPump } from "./completion-pump.ts";
import { ContextTable } from "./context-table.ts";
import { FunctionRegistry } from "./function-registry.ts";
import { JobTable } from "./job-table.ts";
import { JobWatch } from "./job-watch.ts";
import { KeepAlive } from "./keep-alive.ts";
import { HostMemory } from "./memory.ts";
import { PoolThread, type ThreadOptions } from "./pool-thread.ts";
import { Settlement } from "./settlement.ts";
import { Submission, type SubmitOptions } from "./submission.ts";
import { ThreadRoster } from "./thread-roster.ts";

/** Arenas and shared buffers carry the serial of their thread; threads count from 1. */
const HOST_SERIAL = 0;
/** For a thread that is busy with a job its caller gave up, or with code of its own, when the pool closes. */
const CLOSE_GRACE_MS = 500;

export interface HostOptions {
  readonly maxThreads: number;
  readonly capacitySlots: number;
  readonly spinLimitUs: number;
  readonly initialize: string | null;
  readonly thread: ThreadOptions;
}

export class Host {
  readonly functions: FunctionRegistry;
  readonly #options: HostOptions;
  readonly #memory: HostMemory;
  readonly #roster: ThreadRoster;
  readonly #arena: Arena;
  readonly #segments: SegmentDirectory;
  readonly #sharedBuffers: SharedBuffers;
  readonly #submission: Submission;
  readonly #settlement: Settlement;
  readonly #pump: CompletionPump;
  readonly #keepAlive: KeepAlive;
  readonly #watch: JobWatch;
  #terminating = false;
  #whenIdle: (() => void) | null = null;

  constructor(options: HostOptions) {
    this.#options = options;
    const memory = (this.#memory = new HostMemory(options.capacitySlots, options.maxThreads));
    const roster = (this.#roster = new ThreadRoster(options.maxThreads, (index, serial) =>
      this.#startThread(index, serial),
    ));
    const takeMessages = (): void => this.#takeMessages();
    this.functions = new FunctionRegistry((id, source) => roster.broadcast({ type: "function", id, source }));
    this.#segments = new SegmentDirectory(takeMessages);
    this.#sharedBuffers = new SharedBuffers(HOST_SERIAL, takeMessages, {
      announce: (id, buffer) => roster.broadcast({ type: "shared-buffer", id, buffer }),
      gone: (id) => roster.broadcast({ type: "shared-buffer-gone", id }),
    });
    this.#arena = new Arena(
      HOST_SERIAL,
      {
        announce: (id, buffer) => roster.broadcast({ type: "segment", id, buffer }),
        retire: (id) => roster.broadcast({ type: "retire", id }),
      },
      null,
    );
    const jobs = new JobTable(options.capacitySlots);
    const contexts = new ContextTable(this.#arena);
    this.#submission = new Submission(
      memory,
      jobs,
      this.#arena,
      contexts,
      this.#sharedBuffers,
      new Encoder(this.#sharedBuffers),
      () => this.#callThread(),
    );
    this.#settlement = new Settlement(
      memory,
      jobs,
      this.#arena,
      contexts,
      this.#segments,
      new Decoder(this.#sharedBuffers),
      {
        slotsFreed: () => this.#submission.refill(),
        idle: () => this.#onIdle(),
        cancelRequested: (index, slot) => roster.at(index)?.post({ type: "cancel", slot }),
      },
    );
    this.#keepAlive = new KeepAlive(memory.parking);
    this.#pump = new CompletionPump(
      memory.inbox,
      () => this.#settlement.drain(),
      () => this.#settlement.outstanding === 0,
    );
    this.#watch = new JobWatch(
      (job, signal) => this.#settlement.cancel(job, cancellation(signal)),
      (job, timeoutMs) => this.#settlement.fail(job, new JobTimeoutError(timeoutMs)),
    );
  }

  /**
   * @param below The function of ours that the caller called: its frames and those above are not the caller's.
   * @throws what encoding the arguments or the context throws. Nothing was claimed then.
   */
  submit(
    functionId: number,
    args: readonly unknown[],
    options: SubmitOptions,
    below: (...args: never[]) => unknown,
  ): Task<unknown> {
    const job = this.#submission.create(functionId, args, options, below);
    if (this.#settlement.expect() === 1) this.#keepAlive.hold();
    if (options.signal !== undefined || options.timeoutMs !== undefined) {
      this.#watch.watch(job, options.signal, options.timeoutMs);
    }
    this.#submission.enqueue(job);
    this.#pump.submitted();
    return job.task;
  }

  /** Ends the pool: resolves when every job has settled and every thread has ended. To be called once; no `submit` after it. */
  async close(drain: boolean, timeoutMs: number | undefined): Promise<void> {
    if (!drain) {
      this.#failWaiting(() => new PoolClosedError("The pool was closed before this job could run"));
      this.#settlement.requestStop();
    }
    if (this.#settlement.outstanding > 0) {
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.#terminate(), timeoutMs);
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
      clearTimeout(timer);
    }
    await this.#endThreads();
    this.#keepAlive.close();
  }

  #onIdle(): void {
    this.#keepAlive.release();
    this.#whenIdle?.();
  }

  #callThread(): void {
    if (this.#memory.parking.wakeOne() !== "none") return;
    this.#startThreadIfUseful();
  }

  #startThreadIfUseful(): void {
    if (this.#roster.mayStart && this.#settlement.outstanding > this.#roster.count) this.#roster.add();
  }

  #startThread(index: number, serial: number): PoolThread {
    const { controlBuffer, slotsBuffer, layout, parking } = this.#memory;
    parking.setDead(index);
    const { spinLimitUs, initialize } = this.#options;
    const thread = new PoolThread(
      { control: controlBuffer, slots: slotsBuffer, layout, index, serial, spinLimitUs, initialize },
      this.#options.thread,
      {
        message: (from, message) => this.#onMessage(from, message),
        exit: (from, exitCode, cause) => this.#onExit(from, exitCode, cause),
      },
    );
    for (const [id, source] of this.functions.entries()) thread.post({ type: "function", id, source });
    for (const [id, buffer] of this.#arena.segments()) thread.post({ type: "segment", id, buffer });
    for (const [id, buffer] of this.#sharedBuffers.entries())
      thread.post({ type: "shared-buffer", id, buffer });
    return thread;
  }

  #takeMessages(): void {
    for (const thread of this.#roster.live()) {
      for (let message = thread.receive(); message !== null; message = thread.receive())
        this.#onMessage(thread, message);
    }
  }

  #onMessage(thread: PoolThread, message: WorkerMessage): void {
    switch (message.type) {
      case "bell":
        this.#pump.onBell();
        break;
      case "segment":
        this.#segments.add(message.id, message.buffer);
        break;
      case "retire":
        this.#segments.drop(message.id);
        break;
      case "shared-buffer":
        this.#sharedBuffers.add(message.id, message.buffer);
        // A job may pass it on to a third thread.
        this.#roster.broadcast(message, thread);
        break;
    }
  }

  /** A thread has ended, wherever it was: settle what it had, find what it had in its hands, replace it. */
  #onExit(thread: PoolThread, exitCode: number, cause: unknown): void {
    const { parking, queues, returned } = this.#memory;
    const wasReady = parking.state(thread.index) !== DEAD;
    this.#takeMessages();
    this.#settlement.drain();
    this.#settlement.recover(
      thread.index,
      this.#terminating
        ? new PoolClosedError("The pool was closed while this job ran")
        : new ThreadCrashedError(exitCode, { cause }),
    );
    parking.setDead(thread.index);
    returned[thread.index]!.clear();
    this.#segments.dropOwner(thread.serial);
    this.#roster.remove(thread, wasReady);
    // It may also have taken the bell in its hand and not rung it: look again, then sleep anew.
    this.#pump.onBell();
    if (this.#settlement.outstanding === 0) return;
    this.#startThreadIfUseful();
    if (this.#roster.count === 0) {
      this.#failWaiting(
        () => new ThreadCrashedError(exitCode, { cause, detail: "before it was ready for its first job" }),
      );
      this.#roster.forgetFailedStarts();
    }
    // The dead thread may have swallowed a wake-up.
    if (!queues.isEmpty()) parking.wakeOne();
  }

  #failWaiting(error: () => Error): void {
    for (const job of this.#submission.takeBacklog()) this.#settlement.fail(job, error());
    this.#settlement.failQueued(error);
  }

  #terminate(): void {
    this.#terminating = true;
    this.#failWaiting(() => new PoolClosedError("The pool was closed before this job could run"));
    for (const thread of this.#roster.live()) thread.terminate();
  }

  async #endThreads(): Promise<void> {
    const threads = this.#roster.live();
    for (const thread of threads) {
      thread.ref();
      thread.post({ type: "close" });
    }
    const timer = setTimeout(() => {
      for (const thread of threads) thread.terminate();
    }, CLOSE_GRACE_MS);
    await Promise.all(threads.map((thread) => thread.ended));
    clearTimeout(timer);
  }
}

function cancellation(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new JobCanceledError(reason);
}
