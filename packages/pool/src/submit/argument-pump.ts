/**
 * One argument that comes piece by piece, on the thread whose call it is: reads its source, and writes the items into a stream ring
 * (shared/stream-ring.ts), of which this side is the producer and owns everything. Its consumer: worker/argument-reader.ts.
 *
 * | state   | means                                                            | goes on                                                   |
 * | ------- | ---------------------------------------------------------------- | --------------------------------------------------------- |
 * | CLOSED  | its job has not asked: nothing was read, and there is no ring    | to PULLING: `open`; to OVER                               |
 * | PULLING | the source was asked for an item, or is about to be              | to FULL, RESTING, LAST; to OVER                           |
 * | FULL    | the job has enough                                               | to PULLING: granted by the job; to OVER                   |
 * | RESTING | it has had the thread for long enough                            | to PULLING: in the next turn; to OVER                     |
 * | LAST    | its end, or what it threw, is in the ring: nothing is read       | to OVER                                                   |
 * | OVER    | final: nothing is read or written                                |                                                           |
 *
 * OVER is entered by `end`, when the job has left it or is told its outcome, which releases the source if it has not ended by itself; and by
 * `free`, when no thread can touch the slot of the job any more. Either may be the first: a job that was given up may go on and read what lies in the
 * ring; one that has ended has its slot freed before it is told, and `end` follows.
 */
import type { Transferable } from "node:worker_threads";
import { AsyncScope } from "@skein/context";
import type { MarkedStream } from "../codec/marked-streams.ts";
import { toWire } from "../codec/error-wire.ts";
import { ringBytes, STREAM_SHAPE, StreamWriter } from "../shared/stream-ring.ts";
import { now as clockNow, queueMicrotask, setImmediate } from "../shared/timers.ts";
import { ItemWriter, type ItemWriterParts } from "../transfer/item-writer.ts";
import { checkedTransferList } from "../transfer/transfer-list.ts";
import { ArgumentSource } from "./argument-source.ts";
import { Promise } from "../shared/intrinsics.ts";

const CLOSED = 0;
const PULLING = 1;
const FULL = 2;
const RESTING = 3;
const LAST = 4;
const OVER = 5;

/** So long a source that always has an item keeps the thread from its event loop. */
const TURN_MS = 2;

export class ArgumentPump {
  readonly number: number;
  /** Of the argument: `args[0]`. */
  readonly #path: string;
  readonly #source: ArgumentSource;
  readonly #highWaterMark: number;
  #move: MarkedStream["move"];
  #state: number = CLOSED;
  #items: ItemWriter | null = null;
  #payloads: ItemWriterParts["payloads"] | null = null;
  /** Of the ring. */
  #block = 0;
  #turnEndsAt = 0;

  /** @param scope The context of the call. */
  constructor(marked: MarkedStream, path: string, scope: AsyncScope) {
    this.number = marked.number;
    this.#path = path;
    this.#highWaterMark = marked.highWaterMark;
    this.#move = marked.move;
    this.#source = new ArgumentSource(marked.source, scope);
  }

  /**
   * The job wants its first item. The source is read later, on a stack of its own.
   * @param failed The job can be told nothing in the stream: there is no memory.
   * @returns the handle of the ring's block; 0: it is too late.
   * @throws SkeinError ERR_SKEIN_ARENA_FULL.
   */
  open(parts: ItemWriterParts, failed: (error: unknown) => void): number {
    if (this.#state !== CLOSED) return 0;
    const { payloads } = parts;
    const block = payloads.allocate(ringBytes(STREAM_SHAPE));
    const bytes = payloads.bytes(block);
    const at = payloads.offset(block);
    const ring = new StreamWriter(bytes, at, STREAM_SHAPE, this.#highWaterMark);
    this.#items = new ItemWriter(parts, ring, bytes, at, true);
    this.#payloads = payloads;
    this.#block = block;
    this.#state = PULLING;
    AsyncScope.root.run(queueMicrotask, () => void this.#run(failed));
    return block;
  }

  /** The job wants no more, or is over. Code of the user's runs here. */
  end(): void {
    this.#halt();
    this.#source.release();
  }

  #halt(): void {
    if (this.#state === FULL) this.#items!.ring.resume();
    this.#state = OVER;
    this.#move = null;
  }

  /** Gives its memory back. @returns the carried values that were sent and not read. */
  free(): number[] {
    this.#halt();
    const carried = this.#items?.free() ?? [];
    this.#payloads?.free(this.#block);
    this.#items = null;
    this.#payloads = null;
    return carried;
  }

  async #run(failed: (error: unknown) => void): Promise<void> {
    this.#beginTurn();
    try {
      while (this.#state === PULLING) {
        if (!this.#items!.ring.canWrite) await this.#untilGranted();
        else if (clockNow() >= this.#turnEndsAt) await this.#untilNextTurn();
        else await this.#writeNext();
      }
    } catch (error) {
      failed(error);
    }
  }

  async #writeNext(): Promise<void> {
    try {
      const { done, value } = await this.#source.next();
      if (this.#state !== PULLING) return;
      if (done === true) this.#writeLast(() => this.#items!.ring.writeEnd());
      else this.#write(value);
    } catch (error) {
      this.#fail(error);
    }
  }

  #write(value: unknown): void {
    const items = this.#items!;
    const { writtenCount } = items.ring;
    const transfer = this.#moveListOf(value, writtenCount);
    // `move` may have cancelled the job.
    if (this.#state !== PULLING) return;
    if (items.write(value, `${this.#path} → item ${writtenCount}`, transfer)) items.ring.wakeReader();
  }

  /** Undefined: what `move` says elsewhere. */
  #moveListOf(value: unknown, index: number): readonly Transferable[] | null | undefined {
    if (this.#move === null) return undefined;
    return checkedTransferList(`move(item ${index} of ${this.#path})`, this.#move(value));
  }

  /** The source has thrown, or what it gave cannot be sent: the job is told in its place. */
  #fail(error: unknown): void {
    if (this.#state !== PULLING) return;
    this.#source.release();
    if (this.#state !== PULLING) return;
    const items = this.#items!;
    const wire = toWire(error);
    this.#writeLast(() => {
      try {
        return items.writeThrown(wire);
      } catch (notSent) {
        return items.writeThrown(toWire(notSent));
      }
    });
  }

  #writeLast(write: () => boolean): void {
    if (this.#state !== PULLING) return;
    if (write()) this.#items!.ring.wakeReader();
    this.#state = LAST;
  }

  async #untilGranted(): Promise<void> {
    const { ring } = this.#items!;
    if (!ring.suspend()) return;
    const granted = ring.whenGranted();
    if (granted === null) return;
    this.#state = FULL;
    await granted;
    this.#goOn(FULL);
  }

  async #untilNextTurn(): Promise<void> {
    this.#state = RESTING;
    const { promise, resolve } = Promise.withResolvers<void>();
    setImmediate(resolve);
    await promise;
    this.#goOn(RESTING);
  }

  #goOn(from: number): void {
    if (this.#state === from) this.#state = PULLING;
    this.#beginTurn();
  }

  #beginTurn(): void {
    this.#turnEndsAt = clockNow() + TURN_MS;
  }
}
