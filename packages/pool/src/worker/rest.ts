/**
 * What a thread does when it has found nothing: it spins a few microseconds, sleeps a few milliseconds, then rests in its event loop
 * until somebody wakes it (parking.ts has the protocol). And the announcements around it: the parking word must say BUSY before a job
 * runs or the event loop turns (P2), SEARCHING or ASLEEP before each search, and what the thread may take is told before that (P5).
 */
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { Reach } from "../shared/reach.ts";
import { Spinner } from "./spinner.ts";
import { now as clockNow } from "../shared/timers.ts";

/** How long a thread blocks in one sleep before it goes back to its event loop. */
const SLEEP_MS = 2;

export interface RestParts {
  readonly thread: number;
  readonly memory: PoolMemory;
  readonly spinLimitUs: number;
  /** Whether a job of this thread can go on that was suspended. */
  readonly canGoOn: () => boolean;
  /** Jobs wait, and no thread is free to look for them. */
  readonly onAllBusy: () => void;
  /** The thread has nothing to do, and waits in its event loop. */
  readonly onIdle: () => void;
}

export class Rest {
  readonly #parts: RestParts;
  readonly #memory: PoolMemory;
  readonly #thread: number;
  readonly #spinner: Spinner;
  #isSearching = false;
  #busySince: number = clockNow();
  #since = 0;

  constructor(parts: RestParts) {
    const { memory, thread } = (this.#parts = parts);
    this.#memory = memory;
    this.#thread = thread;
    const { queues, parking } = memory;
    this.#spinner = new Spinner(
      () => !queues.isEmpty() || parking.hasMail(thread) || parts.canGoOn(),
      parking,
      parts.spinLimitUs,
    );
  }

  /** When the thread last lay down; of any meaning only while it rests. */
  get since(): number {
    return this.#since;
  }

  /** A turn of the event loop has begun. */
  turnStarted(now: number): void {
    if (!this.#isSearching) this.#countBusy(now);
  }

  search(reach: Reach): void {
    if (!this.#isSearching) this.#countBusy(clockNow());
    this.#isSearching = true;
    this.#memory.parking.setReach(this.#thread, reach);
    this.#memory.parking.setSearching(this.#thread);
  }

  /** If more jobs remain than this thread can take, somebody else has to look (parking.ts P2), or to be started. */
  stopSearching(): void {
    if (!this.#isSearching) return;
    this.#isSearching = false;
    this.#busySince = clockNow();
    const { parking, queues } = this.#memory;
    parking.setBusy(this.#thread);
    if (!queues.isSharedEmpty() && parking.wakeOne() === "none") this.#parts.onAllBusy();
    if (!queues.isExclusiveEmpty() && parking.wakeOne(-1, true) === "none") this.#parts.onAllBusy();
  }

  /** While it searches. @returns whether there is something to take. */
  spin(): boolean {
    return this.#spinner.spin();
  }

  /**
   * The last search, then a sleep.
   * @param blocks False for a thread whose event loop has something to do.
   * @returns null: look again; otherwise a promise: the thread is in its event loop until that resolves.
   */
  sleep(reach: Reach, blocks: boolean): Promise<unknown> | null {
    const { parking, queues, inbox, trace } = this.#memory;
    parking.announceSleep(this.#thread);
    if (!queues.isEmpty() || !inbox.isEmpty() || parking.hasMail(this.#thread) || this.#parts.canGoOn()) {
      parking.stayAwake(this.#thread);
      return null;
    }
    trace?.parked();
    this.#since = clockNow();
    this.#spinner.sleeping(this.#since);
    const woken =
      parking.sleep(this.#thread, blocks ? SLEEP_MS : 0) === "awake" ? null : parking.whenWoken(this.#thread);
    if (woken === null) this.wokeUp(reach);
    else this.#parts.onIdle();
    return woken;
  }

  wokeUp(reach: Reach): void {
    this.#memory.trace?.wokeUp();
    const now = clockNow();
    this.#memory.statistics.addTime("parked", (now - this.#since) * 1000);
    this.#spinner.wokeUp(now);
    this.search(reach);
  }

  #countBusy(now: number): void {
    this.#memory.statistics.addTime("busy", (now - this.#busySince) * 1000);
    this.#busySince = now;
  }
}
