/** What a thread does in `join` while another runs the job: it helps with others, sleeps, and finds out when that is in vain. */
import { type JoinEdge, NO_EDGE } from "../shared/join-edges.ts";
import { NO_JOB } from "../shared/job-queues.ts";
import { submitterOf } from "../shared/layout.ts";
import { HOST, type PoolMemory } from "../shared/pool-memory.ts";
import { DONE } from "../shared/slot.ts";
import type { ForkedJob } from "../submit/forked-job.ts";
import { nameOf } from "../jobs/function-name.ts";
import { NO_SLOT } from "../submit/pending-job.ts";
import type { Ledger } from "../submit/ledger.ts";
import type { DispatchLoop } from "./dispatch-loop.ts";
import type { FunctionTable } from "./function-table.ts";
import { waitsInCircle } from "./join-errors.ts";
import { Spinner } from "./spinner.ts";

/** How long a thread that waits sleeps before it takes in messages: of threads that died, and of new ones. */
const SLEEP_MS = 5;

export interface JoinWaitParts {
  readonly thread: number;
  readonly serial: number;
  readonly memory: PoolMemory;
  readonly ledger: Ledger;
  readonly functions: FunctionTable;
  readonly loop: DispatchLoop;
  readonly spinLimitUs: number;
  /** Takes in everything that the host has posted. */
  readonly takeMessages: () => void;
  readonly wantThread: () => void;
}

export class JoinWait {
  readonly #parts: JoinWaitParts;
  readonly #memory: PoolMemory;
  readonly #thread: number;
  readonly #spinner: Spinner;

  constructor(parts: JoinWaitParts) {
    const { memory, thread } = (this.#parts = parts);
    this.#memory = memory;
    this.#thread = thread;
    const { queues, parking } = memory;
    this.#spinner = new Spinner(
      () => !queues.isEmpty() || parking.hasMail(thread),
      parking,
      parts.spinLimitUs,
    );
  }

  /** Runs another job if there is one; otherwise sleeps until there may be, or until a result has come. */
  helpOrWait(job: ForkedJob): void {
    const { queues, parking } = this.#memory;
    const { ledger, loop, serial, takeMessages } = this.#parts;
    loop.blocks();
    if (ledger.drain() > 0 || loop.helpArrived(this.#accepts) || loop.helpStream()) return;
    let other = queues.takeAccepted(serial, this.#accepts);
    if (other !== NO_JOB) {
      loop.help(other);
      return;
    }
    let circle: readonly JoinEdge[] | null = null;
    parking.setReach(this.#thread, queues.reach);
    parking.setSearching(this.#thread);
    // What this thread may not take is nothing to spin for.
    if (queues.refused || !this.#spinner.spin()) {
      parking.announceSleep(this.#thread);
      if (queues.refused) other = queues.takeAccepted(serial, this.#accepts);
      if (other === NO_JOB && (queues.refused || queues.isEmpty()) && !this.#hasNews(job)) {
        this.#memory.trace?.joining();
        circle = this.#doze(job);
        this.#memory.trace?.joined();
      }
    }
    parking.setBusy(this.#thread);
    if (!queues.refused && !queues.isSharedEmpty()) parking.wakeOne();
    if (!queues.isExclusiveEmpty()) parking.wakeOne(-1, true);
    parking.takeMail(this.#thread);
    takeMessages();
    if (other !== NO_JOB) loop.help(other);
    if (circle !== null) throw waitsInCircle(circle, (each) => nameOf(this.#parts.functions.of(each).source));
  }

  /**
   * Whether this thread may run the job in `slot` on top of one that waits. It must not be one that needs the event loop, which stands
   * still until `join` returns, if somebody whom this thread waits for may wait for it: those are jobs that began later, so what they
   * submit, on other threads. Then whatever waits on a thread waits for what has begun later, and no circle closes. Other
   * functions that were never called here may turn out to return a promise.
   */
  readonly #accepts = (slot: number): boolean => {
    const known = this.#parts.functions.peek(slot);
    if (known === null || known.needsEventLoop) return false;
    const submitter = submitterOf(this.#memory.layout, slot);
    return known.returnsAtOnce || submitter === HOST || submitter === this.#memory.submitter;
  };

  #hasNews(job: ForkedJob): boolean {
    const { inbox, parking, slots } = this.#memory;
    return (
      !inbox.isEmpty() ||
      parking.hasMail(this.#thread) ||
      this.#parts.loop.hasReadyStream ||
      (job.slot !== NO_SLOT && slots.state(job.slot) === DONE)
    );
  }

  /** There is a job that this thread must leave to others: to one that sleeps, but not in a `join` of its own, or to a new one. */
  #callOther(): void {
    const { parking, joins } = this.#memory;
    if (parking.wakeAnother(joins)) return;
    parking.countReady();
    this.#parts.wantThread();
  }

  /** @returns the circle of threads that wait for each other, if this one has to break it. */
  #doze(job: ForkedJob): readonly JoinEdge[] | null {
    const { parking, joins, queues } = this.#memory;
    // A job that waits for a slot, or perhaps for its arguments, is held up by nobody (join-edges.ts I3).
    const hasEdge = job.slot !== NO_SLOT && job.extras.carriedId === 0;
    joins.begin(this.#thread, hasEdge ? job.slot : NO_EDGE);
    if (queues.refused) this.#callOther();
    let circle: readonly JoinEdge[] | null = null;
    if (!parking.doze(this.#thread, SLEEP_MS)) circle = joins.circle(this.#thread);
    joins.end(this.#thread);
    // All of them see it; one is enough.
    return circle !== null && circle.every(({ thread }) => thread <= this.#thread) ? circle : null;
  }
}
