/**
 * The jobs of a process: runs them in the order in which they came, `jobsPerThread` at a time.
 *
 * A job     | waits    | in `#queue`                                                                              | add
 *           | told     | BEGAN is written, and not gone: the pipe is full                                          | begin
 *           | runs     | its function is called, or its module is loaded for that                                 | begin, flushed
 *           | over     | REPLY is written                                                                         | done
 * Invariants I1 A function is called only after its BEGAN and all earlier replies are in the kernel: a process that dies in it has told.
 *            I2 Before the process returns to its event loop, everything written is flushed, or is waiting for the pipe to drain.
 */
import { ItemQueue } from "@skein/scheduling/internal";
import { encodeValue } from "../adapter/encoded-value.ts";
import type { FrameWriter } from "../adapter/frame-writer.ts";
import type { JobReport, SentReply } from "../adapter/job-request.ts";
import { AHEAD, BEGAN, PROGRESS, REPLY, ReplyFlag, wordOf } from "../adapter/process-frames.ts";
import { startJob } from "../adapter/run-job.ts";
import { CallState } from "../shared/call-state.ts";
import { elapsedUs, timestampUs } from "../shared/clock.ts";
import { now, setImmediate } from "../shared/timers.ts";
import type { ReadRequest } from "./request-reader.ts";

/** How long short jobs run one after the other before timers and sockets have their turn. */
const QUANTUM_MS = 2;

export interface LocalJobsParts {
  readonly writer: FrameWriter;
  /** Whether all that was written is gone. */
  readonly isFlushed: () => boolean;
  /** Calls back once, when all that was written is gone. */
  readonly whenFlushed: (then: () => void) => void;
  /** Of its jobs: see adapter/process-frames.ts. */
  readonly words: Int32Array;
  readonly jobsPerThread: number;
  readonly asksToLeave: () => boolean;
  /** Whether a module has failed here for good. */
  readonly cannotLoad: () => boolean;
}

export class LocalJobs {
  readonly #parts: LocalJobsParts;
  readonly #queue = new ItemQueue<ReadRequest>();
  #running = 0;
  /** A later call of `run` is certain. */
  #willRun = false;

  constructor(parts: LocalJobsParts) {
    this.#parts = parts;
  }

  add(request: ReadRequest): void {
    new CallState(wordOf(this.#parts.words, request.number + AHEAD)).reuse();
    this.#queue.add(request);
  }

  /** Begins what can begin. */
  readonly run = (): void => {
    if (this.#willRun) return;
    this.#willRun = true;
    const { writer, isFlushed, whenFlushed, jobsPerThread } = this.#parts;
    const until = now() + QUANTUM_MS;
    while (this.#queue.size > 0 && this.#running < jobsPerThread) {
      if (now() > until) {
        writer.flush();
        setImmediate(this.#runAgain);
        return;
      }
      const request = this.#queue.take();
      this.#running++;
      writer.begin(BEGAN);
      writer.u32(request.number);
      writer.end();
      writer.flush();
      if (!isFlushed()) {
        whenFlushed(() => {
          this.#start(request);
          this.#runAgain();
        });
        return;
      }
      this.#start(request);
    }
    this.#willRun = false;
    writer.flush();
  };

  readonly #runAgain = (): void => {
    this.#willRun = false;
    this.run();
  };

  #start({ number, fn, args, context, attempt, hasListener }: ReadRequest): void {
    const state = wordOf(this.#parts.words, number);
    const beganUs = timestampUs();
    const reports = hasListener ? { postMessage: (report: JobReport) => this.#report(number, report) } : null;
    startJob(
      { fn, args, context, attempt, state, reports, bytesOnly: true },
      (sent) => this.#done(number, beganUs, sent),
      (call) => call(),
    );
  }

  #report(number: number, report: JobReport): void {
    // That it has begun is told of every job.
    if (report.kind !== "progress") return;
    const { bytes } = encodeValue(report.value, "progress", { bytesOnly: true }).value;
    const { writer } = this.#parts;
    writer.begin(PROGRESS);
    writer.u32(number);
    writer.end(bytes);
    writer.flush();
  }

  #done(number: number, beganUs: number, { reply }: SentReply): void {
    const { writer, asksToLeave, cannotLoad } = this.#parts;
    const ranUs = elapsedUs(beganUs);
    this.#running--;
    writer.begin(REPLY);
    writer.u32(number);
    writer.u8(
      (reply.kind === "error" ? ReplyFlag.failed : 0) |
        (reply.kind === "withdrawn" ? ReplyFlag.withdrawn : 0) |
        (asksToLeave() ? ReplyFlag.asksToLeave : 0) |
        (cannotLoad() ? ReplyFlag.cannotLoad : 0),
    );
    writer.f64(beganUs);
    writer.f64(ranUs);
    writer.end(reply.kind === "withdrawn" ? null : reply.value.bytes);
    // One that has awaited. Otherwise `run` is at work, and goes on.
    this.run();
  }
}
