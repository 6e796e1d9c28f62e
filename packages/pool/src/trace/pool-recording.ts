import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import type { PoolTrace } from "./pool-trace.ts";
import type { RecordedBatch, Recording } from "./recording.ts";

/** Of a pool that is recorded: see `recordJobs`. */
export class PoolRecording implements Disposable {
  readonly #trace: PoolTrace;
  readonly #recording: Recording;
  readonly #stop: () => void;
  #isStopped = false;

  /** @internal */
  constructor(trace: PoolTrace, recording: Recording, stop: () => void) {
    this.#trace = trace;
    this.#recording = recording;
    this.#stop = stop;
  }

  /**
   * What happened since the last look, from memory that the threads share: none of them is asked. About a microsecond for each slice.
   *
   * @param oneIn Tells one job in so many, and all of that, on whatever thread it was. @default 1, every job
   * @throws TypeError or RangeError for a bad argument, naming it.
   */
  read(oneIn = 1): RecordedBatch {
    const expected = "an integer of 1 or more";
    if (typeof oneIn !== "number") throw argumentTypeError("oneIn", expected, oneIn);
    if (!Number.isSafeInteger(oneIn) || oneIn < 1) throw argumentRangeError("oneIn", expected, oneIn);
    return this.#recording.read(oneIn);
  }

  /**
   * What is kept of the timeline, as the option `trace` would write it: text that ui.perfetto.dev opens. Takes no slice away from `read`.
   * @see https://ui.perfetto.dev
   */
  timeline(): Iterable<string> {
    return this.#trace.timeline();
  }

  /** The threads stop recording, unless somebody else reads along; `read` tells nothing any more. May be called again. */
  [Symbol.dispose](): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#stop();
  }
}
