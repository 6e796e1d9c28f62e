/** Makes a thread: its memory first, then the thread itself, then what the others know already. When one is made: thread-supply.ts. */
import { AsyncScope } from "@skein/context";
import { toWire } from "../codec/error-wire.ts";
import type { RecycleLimits } from "../messages/recycle-limits.ts";
import type { Arenas } from "../shared/arenas.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { ArenaMemories } from "./arena-memories.ts";
import { PoolThread, type ThreadEvents } from "./pool-thread.ts";
import type { Recordings } from "./recordings.ts";
import type { ThreadOptions } from "./thread-flags.ts";
import type { ThreadMail } from "./thread-mail.ts";
import type { StartThread } from "./thread-roster.ts";
import type { ThreadStarts } from "./thread-starts.ts";
import { EXTRA_IDLE_TIMEOUT_MS } from "./thread-supply.ts";

/** What each thread of a pool is started with. */
export interface ThreadMakerOptions {
  readonly spinLimitUs: number;
  readonly jobsPerThread: number;
  readonly idleTimeoutMs: number;
  readonly initialize: string | null;
  /** Null: no thread is replaced because of a limit. */
  readonly recycle: RecycleLimits | null;
  readonly thread: ThreadOptions;
}

export interface ThreadMakerParts {
  readonly control: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly memory: PoolMemory;
  readonly arenas: Arenas;
  readonly arenaMemories: ArenaMemories;
  readonly sharedBuffers: SharedBuffers;
  readonly starts: ThreadStarts;
  readonly recordings: Recordings;
  readonly mail: ThreadMail;
  readonly events: ThreadEvents;
}

export class ThreadMaker {
  readonly #options: ThreadMakerOptions;
  readonly #parts: ThreadMakerParts;

  constructor(options: ThreadMakerOptions, parts: ThreadMakerParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** See `ThreadRoster.add`. @throws what starting a worker throws: others have forgotten the thread then. */
  make(...[index, serial, isExtra, modules, isSpare]: Parameters<StartThread>): PoolThread {
    const { memory, arenaMemories, sharedBuffers, starts, recordings, mail } = this.#parts;
    memory.prepareThread(index, serial);
    // Before it can submit anything.
    arenaMemories.create(serial, true);
    arenaMemories.create(serial, false);
    try {
      // Its promises belong to nobody: on Node 22 each keeps the context in which it was made.
      const thread = AsyncScope.root.run(() => this.#create(index, serial, isExtra, modules ?? []));
      if (modules !== null && !isSpare) starts.add(thread);
      recordings.threadStarted(index, thread.threadId);
      for (const [id, buffer] of sharedBuffers.entries()) thread.post({ type: "shared-buffer", id, buffer });
      return thread;
    } catch (error) {
      mail.sendToAll({ type: "thread-ended", serial, error: toWire(error) });
      arenaMemories.ended(serial);
      throw error;
    }
  }

  #create(index: number, serial: number, isExtra: boolean, modules: readonly string[]): PoolThread {
    const { spinLimitUs, jobsPerThread, idleTimeoutMs, initialize, recycle, thread } = this.#options;
    const { control, slots, memory, arenas, recordings, events } = this.#parts;
    return new PoolThread(
      {
        control,
        slots,
        layout: memory.layout,
        index,
        serial,
        arenas: [...arenas.entries()],
        spinLimitUs,
        jobsPerThread,
        idleTimeoutMs: isExtra ? EXTRA_IDLE_TIMEOUT_MS : idleTimeoutMs,
        initialize,
        modules,
        trace: recordings.prepareThread(index),
        recycle,
      },
      thread,
      events,
    );
  }
}
