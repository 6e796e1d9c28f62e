/** The streams of one submitter's jobs: opened when their first link comes, and those that have news. */
import { dropStream, NO_PLACE, OpenStream, type StreamLedger, type StreamParts } from "./open-stream.ts";
import { DECIDED, type PendingJob } from "./pending-job.ts";
import { TaskJob } from "./task-job.ts";
import { takeFirst } from "./take-first.ts";

export class OpenStreams {
  readonly #parts: StreamParts;
  readonly #ledger: StreamLedger;
  /** Of which `tellNews` has to tell, in order. */
  readonly #news: OpenStream[] = [];
  /** Those whose rings may hold items, in no order, each at its `place`. Not a Set, which V8 makes anew when its last entry goes. */
  readonly #open: OpenStream[] = [];
  /** With what their next items wait for: several may wait for the same SharedArrayBuffer. */
  readonly #heldUp = new Map<OpenStream, number>();

  constructor(parts: StreamParts, ledger: Omit<StreamLedger, "heldUp">) {
    this.#parts = parts;
    this.#ledger = { ...ledger, heldUp: (stream, id) => void this.#heldUp.set(stream, id) };
  }

  /**
   * A link of a stream was taken out of the inbox.
   * @param isOver Its job has ended: nothing is left in the ring afterwards, and it is given back.
   * @param isFinal What has not arrived never will. On the host that is always so of carried values: it has everything that was posted before the
   *   link.
   * @throws NotArrived It has to be called again.
   */
  linked(slot: number, job: PendingJob, isOver: boolean, isFinal: boolean): void {
    const { memory, arenas } = this.#parts;
    const { slots } = memory;
    const known = job.extras.stream;
    // It was over before, and the outcome of its job had to wait for what it carries.
    if (known !== null && known.isEmptied && !known.isBeginningAgain) return;
    const isWanted = job.stage < DECIDED;
    if (isWanted) this.#news.push(this.#opened(slot, job));
    if (!isOver) return;
    const { stream } = job.extras;
    if (isWanted) stream!.takeRest(isFinal);
    else if (stream === null || stream.isBeginningAgain) dropStream(slot, this.#parts);
    else stream.drop();
    if (stream !== null) this.#forget(stream);
    arenas.giveBack(slots.ringArena(slot), slots.ringBlock(slot));
  }

  /** What items have waited for has come. @returns whether a stream was waiting. */
  arrived(id: number): boolean {
    let isNews = false;
    for (const [stream, awaited] of this.#heldUp) {
      if (awaited !== id) continue;
      this.#heldUp.delete(stream);
      this.#news.push(stream);
      isNews = true;
    }
    return isNews;
  }

  /** Whether items that have come may be unread. */
  get areOpen(): boolean {
    while (this.#open.length > 0) {
      const stream = this.#open.at(-1)!;
      if (!stream.isEmptied) return true;
      // Its thread has died.
      this.#forget(stream);
    }
    return false;
  }

  /** How many have a generator of which nobody waits for an item. */
  get idleCount(): number {
    let count = 0;
    for (const stream of this.#open) if (!stream.isAwaited && !stream.isBeginningAgain) count++;
    return count;
  }

  #forget(stream: OpenStream): void {
    if (this.#heldUp.size > 0) this.#heldUp.delete(stream);
    if (stream.place === NO_PLACE) return;
    const last = this.#open.pop()!;
    if (last !== stream) {
      last.place = stream.place;
      this.#open[stream.place] = last;
    }
    stream.place = NO_PLACE;
  }

  get haveNoNews(): boolean {
    return this.#news.length === 0;
  }

  /** User code runs here. */
  tellNews(): void {
    while (this.#news.length > 0) takeFirst(this.#news).tell();
  }

  #opened(slot: number, job: PendingJob): OpenStream {
    const { stream } = job.extras;
    if (stream === null) return this.#make(slot, job);
    if (stream.isBeginningAgain) {
      stream.openAgain(slot);
      this.#place(stream);
      // Where there was no generator yet.
      if (stream.hasLeft) this.#ledger.leave(stream.job);
    }
    return stream;
  }

  #place(stream: OpenStream): void {
    if (stream.place === NO_PLACE) stream.place = this.#open.push(stream) - 1;
  }

  #make(slot: number, job: PendingJob): OpenStream {
    if (!(job instanceof TaskJob))
      throw new Error("Assertion: a job whose caller takes none has given a stream");
    const stream = OpenStream.of(slot, job, this.#parts, this.#ledger);
    job.extras = { ...job.extras, stream };
    this.#place(stream);
    return stream;
  }
}
