import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import type { PoolTrace } from "./pool-trace.ts";
import type { Queued, RecordedBatch, Recording } from "./recording.ts";
import { Promise } from "../shared/intrinsics.ts";

/** What the host does for it. */
interface RecordedHost {
  queued(): Queued;
  cancel(key: number, reason: unknown): Promise<boolean>;
  stop(): void;
}

/** Of a pool that is recorded: see `recordJobs`. */
export class PoolRecording implements Disposable {
  readonly #trace: PoolTrace;
  readonly #recording: Recording;
  readonly #host: RecordedHost;
  #isStopped = false;

  /** @internal */
  constructor(trace: PoolTrace, recording: Recording, host: RecordedHost) {
    this.#trace = trace;
    this.#recording = recording;
    this.#host = host;
  }

  /**
   * What happened since the last look, from memory that the threads share: none of them is asked. Some hundred nanoseconds for each slice.
   *
   * @param oneIn Tells one job in so many, and all of that, on whatever thread it was, and above 1 not where threads rested; up to 2^31 - 1. Take a
   * power of two: from now on nothing else is recorded, unless the option `trace` of the pool or another recording wants it. @default 1, every job
   * @throws TypeError or RangeError for a bad argument, naming it.
   */
  read(oneIn = 1): RecordedBatch {
    const expected = "an integer from 1 to 2^31 - 1";
    if (typeof oneIn !== "number") throw argumentTypeError("oneIn", expected, oneIn);
    if (!Number.isInteger(oneIn) || oneIn < 1 || oneIn >= 2 ** 31)
      throw argumentRangeError("oneIn", expected, oneIn);
    if (this.#recording.oneIn !== oneIn) {
      this.#recording.oneIn = oneIn;
      if (!this.#isStopped) this.#trace.adjust();
    }
    return { ...this.#recording.read(), queued: this.#host.queued() };
  }

  /**
   * What is kept of the timeline, as the option `trace` would write it: text that ui.perfetto.dev opens. Takes no slice away from `read`.
   * @see https://ui.perfetto.dev
   */
  timeline(): Iterable<string> {
    return this.#trace.timeline();
  }

  /**
   * Cancels a job, as the signal of its caller would: its task is canceled; the job never runs if it waits, and is asked to stop if it runs. One that the
   * thread that made the pool has submitted, at once; one that another job has submitted, when the event loop of that thread turns.
   *
   * @param job As slices name it.
   * @param reason An Error, with which the task rejects; or the `reason` of its JobCanceledError. Copied, if another job has submitted this one.
   * @returns resolves, once that is known, to whether there was such a job without an outcome; rejects with NotCloneableError when `reason` cannot be
   * copied.
   * @throws TypeError when `job` is not a number.
   */
  cancel(job: number, reason?: unknown): Promise<boolean> {
    if (typeof job !== "number") throw argumentTypeError("job", "a number, as `job` of a slice", job);
    if (this.#isStopped || !(job > 0)) return Promise.resolve(false);
    return this.#host.cancel(job, reason);
  }

  /** The threads stop recording, unless somebody else reads along; `read` tells nothing any more. May be called again. */
  [Symbol.dispose](): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#host.stop();
  }
}
