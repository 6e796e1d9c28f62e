/**
 * An argument that comes piece by piece, in an engine whose jobs run on the thread that calls: each `next` of the job reads one item of the source,
 * and not before, in the context of the call. Items cross by value, as everywhere.
 */
import type { Transferable } from "node:worker_threads";
import { AsyncScope } from "@skein/context";
import { fromWire, toWire } from "../codec/error-wire.ts";
import type { FoundStream, MarkedStream } from "../codec/marked-streams.ts";
import { JobCanceledError } from "../errors.ts";
import { queueMicrotask } from "../shared/timers.ts";
import { ArgumentSource } from "../submit/argument-source.ts";
import { ReceivedStream } from "../submit/received-stream.ts";
import { NO_ITEM } from "../submit/stream-readers.ts";
import { forgetMoves, moveListOf } from "../transfer/move.ts";
import { checkedTransferList } from "../transfer/transfer-list.ts";
import { decodeValue, encodeValue } from "./encoded-value.ts";

export class InlineArgument extends ReceivedStream {
  readonly #source: ArgumentSource;
  readonly #path: string;
  #move: MarkedStream["move"];
  readonly #items: unknown[] = [];
  #count = 0;
  #isReading = false;

  /** Made in the context of the call. */
  constructor({ marked, path }: FoundStream) {
    super();
    this.#source = new ArgumentSource(marked.source, AsyncScope.capture());
    this.#path = path;
    this.#move = marked.move;
  }

  /** The job has its outcome, or was asked to stop. Code of the user's runs here. */
  end(): void {
    this.finish({ error: new JobCanceledError() });
    this.#release();
  }

  protected take(): unknown {
    return this.#items.length === 0 ? NO_ITEM : this.#items.shift();
  }

  protected wanted(): void {
    if (this.#isReading || this.isOver) return;
    this.#isReading = true;
    // On a stack of its own: it is no part of the job.
    AsyncScope.root.run(queueMicrotask, () => void this.#read());
  }

  protected left(): void {
    this.#release();
  }

  #release(): void {
    this.#items.length = 0;
    this.#move = null;
    this.#source.release();
  }

  async #read(): Promise<void> {
    try {
      while (this.isAwaited && !this.isOver) {
        const { done, value } = await this.#source.next();
        if (this.isOver) break;
        if (done === true) this.finish(null);
        else this.#items.push(this.#copyOf(value));
        this.serve();
      }
    } catch (error) {
      this.#source.release();
      this.finish({ error: fromWire(toWire(error)) });
    }
    this.#isReading = false;
  }

  #copyOf(value: unknown): unknown {
    const index = this.#count++;
    const transfer = this.#moveListOf(value, index);
    const sent = encodeValue(value, `${this.#path} → item ${index}`, { transfer });
    if (transfer !== null) forgetMoves([value]);
    return decodeValue(sent.value);
  }

  #moveListOf(value: unknown, index: number): readonly Transferable[] | null {
    if (this.#move === null) return moveListOf(value);
    return checkedTransferList(`move(item ${index} of ${this.#path})`, this.#move(value));
  }
}

/** What a job is called with, by the number of each stream. */
export function argumentsOf(found: readonly FoundStream[]): ReadonlyMap<number, InlineArgument> {
  return new Map(found.map((each) => [each.marked.number, new InlineArgument(each)]));
}
