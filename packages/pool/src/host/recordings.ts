/**
 * Who looks at what the threads do: the option `trace`, and recordings that come and go (`recordJobs`). One PoolTrace serves all of them; without any
 * there is none, and nothing is recorded. Threads hear of each change, and each thread that starts is told.
 */
import { HOST, HOST_SERIAL, type PoolMemory } from "../shared/pool-memory.ts";
import { serialOf } from "../shared/trace/trace-code.ts";
import type { TraceData } from "../shared/trace/thread-trace.ts";
import { cancelRecorded } from "../submit/cancel-recorded.ts";
import { JobNotes } from "../submit/job-notes.ts";
import type { Submitter } from "../submit/submitter.ts";
import { PoolRecording } from "../trace/pool-recording.ts";
import { PoolTrace } from "../trace/pool-trace.ts";
import { Recording } from "../trace/recording.ts";
import { AskedCancels } from "./asked-cancels.ts";
import { readQueued } from "./pool-stats.ts";
import type { ThreadMail } from "./thread-mail.ts";
import type { ThreadRoster } from "./thread-roster.ts";

export interface RecordingsParts {
  readonly memory: PoolMemory;
  readonly roster: ThreadRoster;
  readonly mail: ThreadMail;
  readonly submitter: Submitter;
  readonly poolName: string;
}

export class Recordings {
  readonly #parts: RecordingsParts;
  #trace: PoolTrace | null;
  /** Jobs that a recorder cancels, and that threads have submitted. */
  readonly cancels: AskedCancels = new AskedCancels();

  /** @param trace Of the option `trace`; the memory has its own part already. */
  constructor(trace: PoolTrace | null, parts: RecordingsParts) {
    this.#trace = trace;
    this.#parts = parts;
  }

  /** Records what the threads do from now on, until it is disposed. @param eventsPerThread If nothing is traced yet: a power of two. */
  record(locals: readonly string[], eventsPerThread: number): PoolRecording {
    const { memory, roster, submitter, poolName } = this.#parts;
    const trace = (this.#trace ??= new PoolTrace({ file: null, eventsPerThread }, poolName, memory.layout));
    const recording = new Recording(locals, () => trace.own.now());
    trace.record(recording, roster.live());
    this.#follow(trace);
    return new PoolRecording(trace, recording, {
      queued: () => readQueued(memory, submitter),
      cancel: (key, reason) => this.#cancel(key, reason),
      stop: () => {
        trace.unrecord(recording);
        if (this.#trace !== trace) return;
        if (trace.isOver) this.#trace = null;
        this.#follow(trace.isOver ? null : trace);
      },
    });
  }

  /** For a thread that is about to start. */
  prepareThread(index: number): TraceData | null {
    return this.#trace?.prepareThread(index) ?? null;
  }

  threadStarted(index: number, threadId: number): void {
    this.#trace?.threadStarted(index, threadId);
  }

  threadEnded(index: number, exitCode: number, cause: unknown, isExpected: boolean): void {
    this.#trace?.threadEnded(index, exitCode, cause, isExpected);
  }

  /** The pool is over. */
  close(): void {
    this.cancels.close();
  }

  /** The file of the option `trace`. */
  write(): void {
    this.#trace?.write();
  }

  /** The job with this key in the trace: with the thread that has submitted it. @returns whether it was there, and undecided. */
  async #cancel(key: number, reason: unknown): Promise<boolean> {
    const { memory, roster, submitter } = this.#parts;
    const serial = serialOf(key);
    if (serial === HOST_SERIAL) return cancelRecorded(submitter.ledger, memory.trace, key, reason);
    const thread = roster.withSerial(serial);
    return thread !== null && (await this.cancels.ask(thread, key, reason));
  }

  #follow(trace: PoolTrace | null): void {
    const { memory, roster, mail } = this.#parts;
    memory.trace = trace?.own ?? null;
    const notes = trace?.dataFor(HOST - 1).notes ?? null;
    if (trace !== null) trace.own.notes = notes === null ? null : new JobNotes(notes.buffer, notes.locals);
    for (const thread of roster.live()) {
      mail.send(thread, { type: "trace", data: trace?.dataFor(thread.index) ?? null });
    }
  }
}
