/** The timeline of this thread, while somebody follows the pool: the host says when that begins and ends. */
import { AsyncScope } from "@skein/context";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { ThreadTrace, type TraceData } from "../shared/trace/thread-trace.ts";
import { JobNotes } from "../submit/job-notes.ts";
import type { CurrentJob } from "./current-job.ts";
import { LoopDelayMonitor } from "./loop-delay-monitor.ts";

export class FollowedTrace {
  readonly #memory: PoolMemory;
  readonly #serial: number;
  readonly #current: CurrentJob;
  #loopDelay: LoopDelayMonitor | null = null;

  constructor(memory: PoolMemory, serial: number, current: CurrentJob) {
    this.#memory = memory;
    this.#serial = serial;
    this.#current = current;
  }

  /** @param data Null: nobody follows the pool any more. */
  follow(data: TraceData | null): void {
    const memory = this.#memory;
    if (data === null) {
      memory.trace = null;
      this.#measureLoop(null, null);
      return;
    }
    if (memory.trace?.id !== data.id)
      memory.trace = new ThreadTrace(data, this.#serial, () => this.#currentSlot());
    memory.trace.notes = data.notes === null ? null : new JobNotes(data.notes.buffer, data.notes.locals);
    this.#measureLoop(data.loopDelay, memory.trace);
  }

  /** @param buffer Null: nobody follows the pool. Otherwise the same until then. */
  #measureLoop(buffer: SharedArrayBuffer | null, trace: ThreadTrace | null): void {
    if (this.#loopDelay !== null && buffer !== null) return;
    this.#loopDelay?.stop();
    this.#loopDelay =
      buffer === null || trace === null
        ? null
        : AsyncScope.root.run(() => new LoopDelayMonitor(buffer, () => trace.now()));
  }

  #currentSlot(): number {
    const { job } = this.#current;
    return job === null || job.isOver ? -1 : job.slot;
  }
}
