/**
 * A stream of an engine whose jobs run on the thread that calls: each `next` runs the generator up to its `yield`, and not before. Items cross by
 * value, as everywhere.
 */
import { isError } from "@skein/context/errors";
import type { Task } from "@skein/scheduling";
import { JobCanceledError } from "../errors.ts";
import { MAX_UNREAD } from "../jobs/generators.ts";
import { isThenable } from "../jobs/thenable.ts";
import { OpenedStream, type StreamSource } from "../submit/job-stream.ts";
import { NO_ITEM, StreamReaders, type Waiting } from "../submit/stream-readers.ts";
import { endOf, waitingBy } from "../submit/task-readers.ts";
import { forgetMoves, moveListOf } from "../transfer/move.ts";
import { decodeValue, encodeValue } from "./encoded-value.ts";
import type { EngineJob } from "./engine-job.ts";
import type { GeneratorCalls } from "./job-request.ts";

interface Step {
  readonly done?: boolean;
  readonly value: unknown;
}

export class InlineStream implements StreamSource {
  readonly job: EngineJob;
  readonly #calls: GeneratorCalls;
  readonly #cancel: (reason: Error) => void;
  readonly #readers: StreamReaders;
  /** What was yielded and nobody has taken: an item that came when its reader had its own already. */
  readonly #items: unknown[] = [];
  /** A step was asked for, and has not come to its end. */
  #isStepping = false;
  #isStopping = false;
  /** Its `return` was called. */
  #isEnding = false;
  /** What it has yielded since. */
  #unread = 0;
  hasFailedAhead = false;
  #unsent: { readonly error: unknown } | null = null;
  #hasLeft = false;
  #isOver = false;

  /** @param cancel Settles the job as cancelled. */
  constructor(job: EngineJob, calls: GeneratorCalls, cancel: (reason: Error) => void) {
    this.job = job;
    this.#calls = calls;
    this.#cancel = cancel;
    this.#readers = new StreamReaders(
      () => (this.#items.length === 0 ? NO_ITEM : this.#items.shift()),
      waitingBy(job.options.continuations),
    );
  }

  get completion(): Task<unknown> {
    return this.job.task;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** For the task of the call. */
  get opened(): OpenedStream {
    return OpenedStream.of(this);
  }

  next(by: object): PromiseLike<IteratorResult<unknown, unknown>> {
    const next = this.#readers.tryNext();
    if (next !== null) return next;
    const waiting = this.#readers.wait(by);
    this.#goOn();
    return waiting;
  }

  join(waiting: Waiting): void {
    this.#readers.join(waiting);
    if (this.#readers.areWaiting) this.#goOn();
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#items.length = 0;
    if (!this.#isOver) {
      this.job.state.giveUp();
      this.stop();
    }
    this.#readers.leave();
    this.job.endArguments();
  }

  cancel(reason: unknown): void {
    this.#cancel(isError(reason) ? reason : new JobCanceledError(reason));
  }

  /** The generator is to end: at its present `yield`, or at the next. */
  stop(): void {
    this.#isStopping = true;
    this.#goOn();
  }

  /** The job has settled. User code runs here. */
  end(): void {
    this.#isOver = true;
    this.completion.then(undefined, () => {});
    this.#readers.end(endOf(this.completion));
  }

  /** Where jobs are called. */
  #goOn(): void {
    if (this.#isStepping || this.#isOver) return;
    this.#isStepping = true;
    this.#calls.place(() => {
      if (this.#isStopping) this.#endGenerator();
      else this.#step(this.#calls.next);
    });
  }

  #endGenerator(): void {
    this.#isEnding = true;
    this.#step(this.#calls.return);
  }

  #step(call: () => unknown): void {
    try {
      const returned = call();
      if (isThenable(returned)) void this.#stepLater(returned as PromiseLike<Step>);
      else this.#took(returned as Step);
    } catch (error) {
      this.#fail(error, this.#isEnding);
    }
  }

  async #stepLater(returned: PromiseLike<Step>): Promise<void> {
    try {
      this.#took(await returned);
    } catch (error) {
      this.#fail(error, this.#isStopping);
    }
  }

  /** @param isOfEnd Whether it may have been thrown because the generator was to end. */
  #fail(error: unknown, isOfEnd: boolean): void {
    this.hasFailedAhead = !isOfEnd;
    this.#calls.failed(error);
  }

  /** The generator has come to a `yield`, or to its end. */
  #took({ done, value }: Step): void {
    if (done === true) {
      this.#settle(value);
    } else if (this.#isEnding) {
      // Nobody reads what it still yields.
      if (this.#unread++ < MAX_UNREAD) this.#step(this.#calls.next);
      else this.#settle(undefined);
    } else if (this.#isStopping || !this.#send(value)) {
      this.#endGenerator();
    } else {
      this.#isStepping = false;
      this.#readers.serve();
      if (this.#readers.areWaiting) this.#goOn();
    }
  }

  /** @returns false when it cannot be sent: the job ends with that. */
  #send(value: unknown): boolean {
    try {
      const transfer = moveListOf(value);
      const sent = encodeValue(value, "item", { transfer });
      if (transfer !== null) forgetMoves([value]);
      this.#items.push(decodeValue(sent.value));
      return true;
    } catch (error) {
      this.#unsent = { error };
      return false;
    }
  }

  #settle(value: unknown): void {
    if (this.#unsent !== null) this.#fail(this.#unsent.error, false);
    else if (this.#isEnding && !this.#hasLeft)
      this.#calls.failed(new JobCanceledError(undefined, "The stream was asked to stop before its end"));
    else this.#calls.returned(value);
  }
}
