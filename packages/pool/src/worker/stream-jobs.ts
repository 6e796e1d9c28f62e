/**
 * Jobs of this thread that give their results piece by piece. Each keeps its slot until its generator has ended.
 *
 * | state     | means                                                                | goes on                                            |
 * | --------- | -------------------------------------------------------------------- | -------------------------------------------------- |
 * | STEPPING  | a step is on the stack; or, of an async generator, is awaited, and   | to SUSPENDED, READY, OVER                          |
 * |           | the thread is the job's own meanwhile                                |                                                    |
 * | SUSPENDED | the reader has enough: the thread takes other jobs                   | to READY: granted by the reader, or asked to stop  |
 * | READY     | goes on when the thread has come to the end of what it is at; one    | to STEPPING                                        |
 * |           | that is alone on its thread holds it, so the thread is woken         |                                                    |
 * | OVER      | its outcome is written                                               |                                                    |
 *
 * Every step is called in the context of the call, with nothing else current, as a job is. Between two steps the job is asked to stop (by its
 * caller, its reader, `close`, or because its submitter has died): then the generator is ended with `return`, so its `finally` runs.
 */
import { AsyncScope } from "@skein/context";
import type { Carried } from "../codec/carried.ts";
import type { Encoder } from "../codec/encoder.ts";
import { NotSupportedError } from "../errors.ts";
import { type AnyGenerator, MAX_UNREAD } from "../jobs/generators.ts";
import { Promise, promiseThen } from "../shared/intrinsics.ts";
import { submitterOf } from "../shared/layout.ts";
import { DEAD } from "../shared/parking.ts";
import type { Payloads } from "../shared/payloads.ts";
import { HOST, HOST_SERIAL, type PoolMemory } from "../shared/pool-memory.ts";
import { ringBytes, STREAM_SHAPE, StreamWriter } from "../shared/stream-ring.ts";
import { now as clockNow, queueMicrotask } from "../shared/timers.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { CurrentJob, RunningJob } from "./current-job.ts";
import type { KnownFunction } from "./known-functions.ts";
import type { OutcomeWriter } from "./outcome-writer.ts";
import { Spinner } from "./spinner.ts";
import { OVER, READY, STEPPING, StreamJob, SUSPENDED } from "./stream-job.ts";
import { ItemWriter } from "../transfer/item-writer.ts";
import { TransientMap } from "../transfer/transient-map.ts";
import { leaveCurrent, nothingCurrent, restoreCurrent } from "./surroundings.ts";

export interface StreamJobsParts {
  readonly memory: PoolMemory;
  readonly encoder: Encoder;
  readonly payloads: Payloads;
  readonly sharedBuffers: SharedBuffers;
  readonly outcomes: OutcomeWriter;
  readonly current: CurrentJob;
  /** Posts carried values for the submitter with the serial `to`; throws what Node says when it refuses them. */
  readonly carry: (to: number, carried: Carried) => void;
  readonly spinLimitUs: number;
  /** After a step: whether the event loop has waited long enough. */
  readonly isTurnDue: () => boolean;
  /** A suspended stream can go on, and the thread may be in its event loop. */
  readonly wake: () => void;
}

interface Step {
  readonly done?: boolean;
  readonly value: unknown;
}

export class StreamJobs {
  readonly #parts: StreamJobsParts;
  readonly #memory: PoolMemory;
  /** All that are not over, by slot. */
  readonly #open = new TransientMap<number, StreamJob>();
  /** Those of async generators. */
  #asyncCount = 0;
  readonly #suspended: StreamJob[] = [];
  readonly #ready: StreamJob[] = [];
  readonly #spinner: Spinner;
  /** What the thread spins for. */
  #wanted: StreamJob | null = null;

  constructor(parts: StreamJobsParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#spinner = new Spinner(
      () => this.#wanted!.items.ring.canWrite || this.#isAskedToStop(this.#wanted!),
      parts.memory.parking,
      parts.spinLimitUs,
    );
  }

  /** While it is not, the thread is not idle, and begins no job that has to be alone on it. */
  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  get asyncCount(): number {
    return this.#asyncCount;
  }

  /** Whether one can go on now. Looks at shared memory while any is suspended. */
  get hasReady(): boolean {
    if (this.#suspended.length > 0) this.#poll();
    return this.#ready.length > 0;
  }

  /**
   * The function of a job has returned a generator. May be called on the stack of a job that waits in `join`.
   * @returns null when it is over, or suspended; a promise while the thread is its own.
   * @throws NotSupportedError for a job that was forked, SkeinError ERR_SKEIN_ARENA_FULL. The generator was not begun then.
   */
  begin(
    job: RunningJob,
    known: KnownFunction,
    scope: AsyncScope,
    generator: AnyGenerator,
  ): Promise<void> | null {
    const { memory, payloads } = this.#parts;
    const { slots } = memory;
    const { slot } = job;
    const highWaterMark = slots.highWaterMark(slot);
    if (highWaterMark === 0) {
      const how = memory.submitterSerial(slot) === HOST_SERIAL ? "JobSender" : "fork";
      throw new NotSupportedError("streams", how, "a generator");
    }
    const block = payloads.allocate(ringBytes(STREAM_SHAPE));
    const bytes = payloads.bytes(block);
    const at = payloads.offset(block);
    const ring = new StreamWriter(bytes, at, STREAM_SHAPE, highWaterMark, memory.submitter - 1);
    slots.setStream(slot, payloads.arenaOf(block), payloads.blockOf(block));
    const submitterSerial = memory.submitterSerial(slot);
    const carry = (carried: Carried): void => this.#parts.carry(submitterSerial, carried);
    const items = new ItemWriter({ ...this.#parts, carry }, ring, bytes, at);
    const submitter = submitterOf(memory.layout, slot);
    const stream = new StreamJob(job, known, scope, generator, items, submitter, submitterSerial);
    this.#open.set(slot, stream);
    if (stream.isAsync) this.#asyncCount++;
    this.#tell(stream);
    const isExclusive = slots.isExclusive(slot);
    const pending = this.#advance(stream);
    if (!isExclusive || this.#isOver(stream)) return pending;
    // The thread is held until the end of the job, and is not told when its first steps are done.
    AsyncScope.root.run(() => {
      if (pending === null) queueMicrotask(this.#wakeIfReady);
      else promiseThen(pending, this.#wakeIfReady);
    });
    return new Promise((resolve) => {
      stream.ended = resolve;
    });
  }

  /** Goes on with the first one that is ready. @returns as `begin`. */
  resume(): Promise<void> | null {
    return this.#advance(this.#ready.shift()!);
  }

  /** The slot of the one that `resume` takes. */
  get nextSlot(): number {
    return this.#ready[0]!.job.slot;
  }

  /** The job in this slot was asked to stop. @returns whether it is a stream that waits for something else. */
  stop(slot: number): boolean {
    const stream = this.#open.get(slot);
    return stream !== undefined && this.#call(stream);
  }

  /** The thread with this serial has ended: nobody reads the streams of its jobs. */
  stopOf(serial: number): void {
    for (const [, stream] of this.#open.entries()) if (stream.serial === serial) this.#call(stream);
  }

  /** @returns whether it was suspended. */
  #call(stream: StreamJob): boolean {
    if (stream.state !== SUSPENDED) return false;
    stream.items.ring.resume();
    this.#makeReady(stream);
    return true;
  }

  #poll(): void {
    for (let i = this.#suspended.length - 1; i >= 0; i--) {
      const stream = this.#suspended[i]!;
      if (stream.items.ring.isGranted) this.#granted(stream);
    }
  }

  /** If the reader takes less time for an item than a spin does, the next spin finds one. */
  #granted(stream: StreamJob): void {
    const { ring } = stream.items;
    ring.refresh();
    const now = clockNow();
    const perItem = (now - stream.suspendedAt) / Math.max(1, ring.readCount - stream.readBefore);
    this.#spinner.sleeping(now - perItem);
    this.#spinner.wokeUp(now);
    this.#makeReady(stream);
  }

  #makeReady(stream: StreamJob): void {
    this.#suspended.splice(this.#suspended.indexOf(stream), 1);
    stream.state = READY;
    this.#ready.push(stream);
  }

  #advance(stream: StreamJob): Promise<void> | null {
    stream.state = STEPPING;
    if (stream.isAsync) return this.#advanceAsync(stream);
    try {
      while (this.#mayStep(stream))
        if (!this.#took(stream, this.#step(stream, stream.next) as Step)) return null;
      if (stream.state === SUSPENDED) return null;
      stream.isEnding = true;
      let step = this.#step(stream, stream.return) as Step;
      // What it still yields nobody reads.
      for (let left = MAX_UNREAD; step.done !== true && left > 0; left--)
        step = this.#step(stream, stream.next) as Step;
      this.#stopped(stream, step);
    } catch (error) {
      this.#fail(stream, error);
    }
    return null;
  }

  /** The same, step by step. What a step has made current is left when it has come to its end, whatever that is. */
  async #advanceAsync(stream: StreamJob): Promise<void> {
    try {
      while (this.#mayStep(stream)) {
        const step = (await this.#step(stream, stream.next)) as Step;
        restoreCurrent(nothingCurrent);
        if (!this.#took(stream, step)) return;
      }
      if (stream.state === SUSPENDED) return;
      stream.isEnding = true;
      for (let call = stream.return, left = MAX_UNREAD; ; call = stream.next, left--) {
        const step = (await this.#step(stream, call)) as Step;
        restoreCurrent(nothingCurrent);
        if (step.done !== true && left > 0) continue;
        this.#stopped(stream, step);
        return;
      }
    } catch (error) {
      restoreCurrent(nothingCurrent);
      this.#fail(stream, error);
    }
  }

  /** The generator has come to a `yield`, or to its end. @returns whether it may go on at once. */
  #took(stream: StreamJob, { done, value }: Step): boolean {
    if (done === true) {
      this.#end(stream, () => this.#parts.outcomes.result(stream.job.slot, value));
      return false;
    }
    try {
      if (stream.items.write(value)) this.#tell(stream);
    } catch (error) {
      stream.unsent = { error };
      return true;
    }
    if (!this.#parts.isTurnDue()) return true;
    stream.state = READY;
    this.#ready.push(stream);
    return false;
  }

  /** Calls into the generator. */
  #step(stream: StreamJob, call: () => unknown): unknown {
    const { current } = this.#parts;
    const outer = current.synchronous;
    const outside = leaveCurrent();
    current.synchronous = stream.job;
    try {
      return stream.isAsync
        ? stream.scope.run(() => current.storage.run(stream.job, call))
        : stream.scope.run(call);
    } finally {
      current.synchronous = outer;
      restoreCurrent(outside);
    }
  }

  /** @returns false when it was suspended, or is to stop. */
  #mayStep(stream: StreamJob): boolean {
    if (stream.unsent !== null || this.#isAskedToStop(stream)) return false;
    if (stream.items.ring.canWrite) return true;
    if (stream.submitter !== this.#memory.submitter) {
      this.#wanted = stream;
      this.#spinner.spin();
      this.#wanted = null;
    }
    while (!stream.items.ring.canWrite && !this.#isAskedToStop(stream))
      if (this.#suspend(stream)) return false;
    return !this.#isAskedToStop(stream);
  }

  #isAskedToStop({ job, submitter }: StreamJob): boolean {
    const { slots, parking } = this.#memory;
    if (slots.isCancelRequested(job.slot)) return true;
    // Its end is told once: perhaps before this job had begun.
    return submitter !== HOST && parking.state(submitter - 1) === DEAD;
  }

  /** @returns false when there is room already. */
  #suspend(stream: StreamJob): boolean {
    const { ring } = stream.items;
    if (!ring.suspend()) return false;
    const granted = AsyncScope.root.run(() => {
      const promise = ring.whenGranted();
      if (promise !== null) promiseThen(promise, () => this.#onGranted(stream));
      return promise;
    });
    if (granted === null) return false;
    stream.state = SUSPENDED;
    stream.suspendedAt = clockNow();
    stream.readBefore = ring.readCount;
    this.#suspended.push(stream);
    return true;
  }

  /** It may have gone on before, and be suspended anew. */
  #onGranted(stream: StreamJob): void {
    if (stream.state === SUSPENDED && stream.items.ring.isGranted) this.#granted(stream);
    this.#wakeIfReady();
  }

  readonly #wakeIfReady = (): void => {
    if (this.#ready.length > 0) this.#parts.wake();
  };

  /** Its submitter has to look. */
  #tell({ job, submitter }: StreamJob): void {
    if (this.#memory.slots.wantLink(job.slot, false)) this.#parts.outcomes.put(job.slot, submitter);
  }

  #end(stream: StreamJob, write: () => void): void {
    stream.state = OVER;
    if (this.#open.delete(stream.job.slot) && stream.isAsync) this.#asyncCount--;
    write();
    stream.job.end();
    stream.ended?.();
  }

  /** It was ended before its end. */
  #stopped(stream: StreamJob, { done, value: last }: Step): void {
    const value = done === true ? last : undefined;
    if (stream.unsent !== null) this.#write(stream, stream.unsent.error, false);
    else this.#end(stream, () => this.#parts.outcomes.stopped(stream.job.slot, value));
  }

  /** A step has thrown. One that was awaited when the job was asked to stop has heard of that by its signal, perhaps. */
  #fail(stream: StreamJob, error: unknown): void {
    const hears = this.#parts.current.withSignal.has(stream.job.slot);
    this.#write(stream, error, stream.isEnding || (hears && this.#isAskedToStop(stream)));
  }

  #write(stream: StreamJob, error: unknown, isOfEnd: boolean): void {
    const { outcomes } = this.#parts;
    const { job, known } = stream;
    this.#end(stream, () => {
      const explained = known.explain(error);
      if (isOfEnd) outcomes.error(job.slot, explained);
      else outcomes.errorAhead(job.slot, explained);
    });
  }

  #isOver(stream: StreamJob): boolean {
    return stream.state === OVER;
  }
}
