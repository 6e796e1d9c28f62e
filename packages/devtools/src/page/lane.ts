/** One row of the timeline: a thread, or the one that made the pool. */
import type { Slice, ThreadBatch, ThreadSample } from "../wire.ts";
import { Awaits } from "./awaits.ts";
import { Series } from "./series.ts";
import { SliceRing } from "./slice-ring.ts";

export class Lane {
  readonly threadId: number;
  /** Its place in the pool; -1: the thread that made the pool. */
  readonly index: number;
  readonly slices: SliceRing = new SliceRing();
  readonly awaits: Awaits = new Awaits();
  /** How late its event loop was, in milliseconds. */
  readonly delays: Series = new Series(1);
  /** Those that go on, the outermost first. */
  open: readonly Slice[] = [];
  exit: ThreadBatch["exit"] = null;
  /** When it was heard of first, and last. */
  readonly from: number;
  until: number;
  dropped = 0;
  sample: ThreadSample | null = null;
  before: ThreadSample | null = null;

  constructor(threadId: number, index: number, now: number) {
    this.threadId = threadId;
    this.index = index;
    this.from = now;
    this.until = now;
  }

  get name(): string {
    return this.index < 0 ? "main" : `thread ${this.threadId}`;
  }

  /** What part of the time since the sample before it was at jobs. */
  get busy(): number | null {
    return this.#share("busyMs");
  }

  get parked(): number | null {
    return this.#share("parkedMs");
  }

  /** Of one core, since the sample before. */
  get cpu(): number | null {
    const { sample, before } = this;
    if (sample?.cpuMs == null || before?.cpuMs == null || this.sampledUs <= 0) return null;
    return Math.max(0, (sample.cpuMs - before.cpuMs) / (this.sampledUs / 1000));
  }

  sampledUs = 0;

  #share(field: "busyMs" | "parkedMs"): number | null {
    const { sample, before } = this;
    if (sample === null || before === null || this.sampledUs <= 0) return null;
    return Math.min(1, Math.max(0, (sample[field] - before[field]) / (this.sampledUs / 1000)));
  }
}
