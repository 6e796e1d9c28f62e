/**
 * How a thread ends, whoever wants it, and what becomes of what it had. The end of a pool: shutdown.ts.
 *
 * State      | a thread   | means                                                                        | moves to
 *            | live       | runs jobs, or may                                                            | terminated, ended
 *            | terminated | `wasTerminated`: it was told to end, wherever it is                          | ended; lost after STUCK_AFTER_MS
 *            | lost       | `isLost`: it is in a call that nothing interrupts. Its jobs have failed, and | ended
 *            |            | another thread takes its part; its place and its slots stay its own          |
 *            | ended      | `hasEnded`: nothing of it runs any more. Its jobs are settled or queued      | –
 *            |            | again, its memory is given back, its place is free                           |
 */
import { AsyncScope } from "@skein/context";
import { toWire } from "../codec/error-wire.ts";
import { PoolClosedError, ThreadCrashedError } from "../errors.ts";
import { named } from "../jobs/channels.ts";
import { promiseThen } from "../shared/intrinsics.ts";
import { DEAD } from "../shared/parking.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { clearTimeout, queueMicrotask, setImmediate, setTimeout } from "../shared/timers.ts";
import type { Ledger } from "../submit/ledger.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { ArenaMemories } from "./arena-memories.ts";
import type { CarriedRelay } from "./carried-relay.ts";
import type { CompletionPump } from "./completion-pump.ts";
import type { OrphanedSlots } from "./orphaned-slots.ts";
import type { PoolThread } from "./pool-thread.ts";
import { type PoolName, publishThread } from "./publish-thread.ts";
import type { Recordings } from "./recordings.ts";
import type { Shutdown } from "./shutdown.ts";
import type { ThreadMail } from "./thread-mail.ts";
import type { ThreadRoster } from "./thread-roster.ts";
import type { ThreadStarts } from "./thread-starts.ts";
import type { ThreadSupply } from "./thread-supply.ts";

/** A thread that was terminated ends in milliseconds, on a busy machine a little later. One that has not by then is in a call that nothing interrupts. */
const STUCK_AFTER_MS = 2000;

export interface ThreadEndsOptions {
  readonly initialize: string | null;
  /** How long `dispose` of the initialize module may take. */
  readonly disposeLimitMs: number;
}

export interface ThreadEndsParts {
  readonly pool: PoolName;
  readonly memory: PoolMemory;
  readonly ledger: Ledger;
  readonly roster: ThreadRoster;
  readonly supply: ThreadSupply;
  readonly starts: ThreadStarts;
  readonly orphans: OrphanedSlots;
  readonly arenaMemories: ArenaMemories;
  readonly sharedBuffers: SharedBuffers;
  readonly relay: CarriedRelay;
  readonly pump: CompletionPump;
  readonly recordings: Recordings;
  readonly shutdown: Shutdown;
  readonly mail: ThreadMail;
  /** Takes in what threads have posted, without waiting. */
  takeMessages(): void;
}

export class ThreadEnds {
  readonly #options: ThreadEndsOptions;
  readonly #parts: ThreadEndsParts;

  constructor(options: ThreadEndsOptions, parts: ThreadEndsParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Ends the thread with this serial, and everything on it. */
  terminate(serial: number): void {
    const thread = this.#parts.roster.withSerial(serial);
    if (thread === null || thread.wasTerminated) return;
    thread.wasTerminated = true;
    thread.terminate();
    // Not before the messages of this turn are read: that it has ended may be among them.
    const onTime = (): void => void setImmediate(() => this.#lose(thread));
    AsyncScope.root.run(setTimeout, onTime, STUCK_AFTER_MS).unref();
  }

  /** A user ends it: it takes no more jobs, and another may start at once. */
  dismiss(thread: PoolThread): void {
    if (thread.hasEnded || thread.wasTerminated) return;
    this.#parts.supply.dismiss(thread);
    this.terminate(thread.serial);
  }

  /** It has begun to call `dispose`, and is terminated when that takes too long. */
  limitDispose(thread: PoolThread): void {
    thread.isDisposing = true;
    const { disposeLimitMs } = this.#options;
    const timer = AsyncScope.root.run(setTimeout, () => this.terminate(thread.serial), disposeLimitMs);
    timer.unref();
    promiseThen(thread.ended, () => clearTimeout(timer));
  }

  /** It has not ended: it is in a call that cannot be interrupted. Nobody waits for what it has, and another thread takes its part. */
  #lose(thread: PoolThread): void {
    if (thread.hasEnded || thread.isLost) return;
    const { memory, ledger, roster, supply, orphans, recordings, mail } = this.#parts;
    const error = new ThreadCrashedError(undefined, {
      detail: "it is in a native call, which nothing can interrupt",
      wasTerminated: true,
    });
    const counted = !thread.isLeaving && !thread.isSpare;
    roster.lose(thread);
    supply.recycling.ended(thread, counted);
    memory.parking.setDead(thread.index);
    ledger.closeHome(thread.serial);
    ledger.lose(thread.serial, error);
    orphans.adopt(thread.index);
    recordings.cancels.ended(thread.serial);
    memory.statisticsOf(thread.index + 1).closeBooks();
    mail.sendToAll({ type: "thread-lost", serial: thread.serial, error: toWire(error) });
    supply.ended();
    ledger.deliver();
  }

  /** It has ended, wherever it was: settle what it had, find what it had in its hands, replace it; then tell. */
  ended(thread: PoolThread, exitCode: number, cause: unknown): void {
    const { pool, memory, ledger, roster, supply, starts, orphans } = this.#parts;
    const { arenaMemories, sharedBuffers, relay, pump, recordings, shutdown, mail } = this.#parts;
    const { parking, joins } = memory;
    // What it has said came before its end, though the port may tell it later: that it was ready, and what its modules threw.
    thread.intake.takeAll();
    const isTerminating = shutdown.isPastDeadline;
    const isExpected = isTerminating || (shutdown.hasBegun && ledger.outstanding === 0);
    recordings.threadEnded(thread.index, exitCode, cause, isExpected);
    const wasReady = thread.isReady || parking.state(thread.index) !== DEAD;
    const error = isTerminating
      ? new PoolClosedError("The pool was closed while this job ran")
      : new ThreadCrashedError(exitCode, { cause, wasTerminated: thread.wasTerminated });
    this.#parts.takeMessages();
    // From here on nothing is given to it.
    thread.hasEnded = true;
    ledger.collect();
    const lostJobs = ledger.recover(thread.serial, error);
    parking.setDead(thread.index);
    joins.end(thread.index);
    const counted = !thread.isLeaving && !thread.isSpare;
    roster.remove(thread, wasReady);
    supply.recycling.ended(thread, counted);
    starts.remove(thread, wasReady ? null : { error: this.#notReady(exitCode, cause, thread.wasTerminated) });
    orphans.adopt(thread.index);
    memory.statisticsOf(thread.index + 1).closeBooks();
    mail.sendToAll({ type: "thread-ended", serial: thread.serial, error: toWire(error) });
    arenaMemories.ended(thread.serial);
    sharedBuffers.dropOf(thread.serial);
    relay.onExit(thread);
    recordings.cancels.ended(thread.serial);
    this.#replace(thread, exitCode, cause);
    // It may also have taken the bell in its hand and not rung it: look again, then sleep anew.
    pump.onBell();
    ledger.deliver();
    publishThread("threadExit", pool, thread, {
      exitCode,
      cause,
      lostJobs: lostJobs.map(({ fn, task }) => named(fn.source, task)),
    });
    thread.opened();
  }

  /** A thread less: jobs that wait need another, or will never run. */
  #replace(thread: PoolThread, exitCode: number, cause: unknown): void {
    const { memory, ledger, roster, supply } = this.#parts;
    if (ledger.outstanding === 0) {
      if (roster.count === 0) roster.forgetFailedStarts();
      this.#clearQueues();
      return;
    }
    if (!thread.isReplaced) supply.ended();
    if (!supply.isStarting) this.#giveUp(exitCode, cause, thread.wasTerminated);
    // The dead thread may have swallowed a wake-up.
    const { queues, parking } = memory;
    if (!queues.isSharedEmpty()) parking.wakeOne();
    if (!queues.isExclusiveEmpty()) parking.wakeOne(-1, true);
  }

  /** A thread was not even made. @param wasAsked By who called `start`, and is told. */
  cannotStart(cause: unknown, wasAsked: boolean): void {
    if (wasAsked) this.#parts.starts.fail(this.#notReady(undefined, cause));
    this.#giveUp(undefined, cause);
  }

  /** When there is no thread, and none will start: whoever submits next may try again. */
  #giveUp(exitCode: number | undefined, cause: unknown, wasTerminated = false): void {
    const { ledger, roster } = this.#parts;
    if (roster.count > 0) return;
    ledger.failWaiting(() => this.#notReady(exitCode, cause, wasTerminated));
    this.#clearQueues();
    roster.forgetFailedStarts();
    // Later: one of them may be in the middle of its submission, and nobody has heard of it.
    AsyncScope.root.run(queueMicrotask, () => ledger.deliver());
  }

  /** No job waits. What those that were withdrawn have left in the queues is dropped by threads that come by; without any, here. */
  #clearQueues(): void {
    const { memory, roster } = this.#parts;
    if (roster.present().length === 0) memory.queues.clear();
  }

  #notReady(exitCode: number | undefined, cause: unknown, wasTerminated = false): ThreadCrashedError {
    const { initialize } = this.#options;
    const first = initialize === null ? "" : ` (\`initialize\` is ${initialize})`;
    return new ThreadCrashedError(exitCode, {
      cause,
      wasTerminated,
      detail: `before it was ready for its first job${first}`,
    });
  }
}
