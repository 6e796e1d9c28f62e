/** What the host does with each message of a thread (messages/protocol.ts): it keeps nothing of its own, and brings them to the part that does. */
import { AsyncScope } from "@skein/context";
import { fromWire } from "../codec/error-wire.ts";
import type { ArgumentMessage, WorkerMessage } from "../messages/protocol.ts";
import { HOST, HOST_SERIAL, type PoolMemory } from "../shared/pool-memory.ts";
import { setImmediate } from "../shared/timers.ts";
import type { Submitter } from "../submit/submitter.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { ArenaMemories } from "./arena-memories.ts";
import type { CarriedRelay } from "./carried-relay.ts";
import type { CompletionPump } from "./completion-pump.ts";
import type { OrphanedSlots } from "./orphaned-slots.ts";
import type { PoolThread } from "./pool-thread.ts";
import { type PoolName, publishThread } from "./publish-thread.ts";
import type { Recordings } from "./recordings.ts";
import type { ThreadEnds } from "./thread-ends.ts";
import type { ThreadMail } from "./thread-mail.ts";
import type { ThreadRoster } from "./thread-roster.ts";
import type { ThreadStarts } from "./thread-starts.ts";
import type { ThreadSupply } from "./thread-supply.ts";

export interface ThreadMessagesParts {
  readonly pool: PoolName;
  readonly memory: PoolMemory;
  readonly submitter: Submitter;
  readonly roster: ThreadRoster;
  readonly supply: ThreadSupply;
  readonly starts: ThreadStarts;
  readonly ends: ThreadEnds;
  readonly arenaMemories: ArenaMemories;
  readonly sharedBuffers: SharedBuffers;
  readonly relay: CarriedRelay;
  readonly pump: CompletionPump;
  readonly recordings: Recordings;
  readonly mail: ThreadMail;
  readonly orphans: OrphanedSlots;
  /** Takes in what threads have posted, without waiting. */
  readonly takeMessages: () => void;
}

export class ThreadMessages {
  readonly #parts: ThreadMessagesParts;

  constructor(parts: ThreadMessagesParts) {
    this.#parts = parts;
  }

  take(thread: PoolThread, message: WorkerMessage): void {
    const { submitter, roster, supply, ends, arenaMemories, sharedBuffers, relay, pump } = this.#parts;
    switch (message.type) {
      case "lane":
        thread.results.opened(message.port);
        break;
      case "bell":
        pump.onBell();
        break;
      case "ready":
        this.#ready(thread, message);
        break;
      case "shared-buffer":
        sharedBuffers.add(message.id, message.buffer);
        // A job may pass it on to a third thread.
        roster.broadcast(message, thread);
        if (submitter.ledger.arrived(-message.id)) AsyncScope.root.run(setImmediate, () => pump.onBell());
        break;
      case "shared-buffer-gone":
        sharedBuffers.gone(message.id);
        roster.broadcast(message, thread);
        // What came before is read, then it is dropped.
        AsyncScope.root.run(setImmediate, () => pump.onBell());
        break;
      case "arena-wanted":
        arenaMemories.onWanted(thread.serial, message.blockBytes);
        break;
      case "arena-gone":
        arenaMemories.gone(message.id);
        break;
      case "arena-dropped":
        arenaMemories.onDropped(thread.serial);
        break;
      case "carried":
        relay.onResult(message);
        break;
      case "hold":
        relay.onHold(message);
        break;
      case "carried-wanted":
        relay.onWanted(thread, message.id);
        break;
      case "returned":
        relay.onReturned(thread, message.jobs);
        break;
      case "carried-gone":
        relay.drop(message.id);
        break;
      case "cancel":
        this.#parts.mail.sendTo(message.serial, { type: "cancel", slot: message.slot });
        break;
      case "argument-wanted":
      case "argument-opened":
      case "argument-left":
      case "argument-dropped":
        this.#argument(message);
        break;
      case "progress":
        if (message.submitter === HOST) submitter.reported(message);
        else roster.at(message.submitter - 1)?.post(message);
        break;
      case "reports-wanted":
        // Whoever ran the job had posted its reports before it was over.
        this.#parts.takeMessages();
        this.#parts.mail.send(thread, { type: "reports-told", id: message.id });
        break;
      case "began":
        if (message.submitter === HOST) submitter.progress.began(message.id);
        else roster.at(message.submitter - 1)?.post({ type: "began", id: message.id });
        break;
      case "links-told":
        this.#parts.orphans.linked(message.id);
        break;
      case "cancel-answered":
        this.#parts.recordings.cancels.answered(message.id, message.isCanceled);
        break;
      case "terminate":
        ends.terminate(message.serial);
        break;
      case "threads-wanted":
        if (!this.#parts.memory.queues.isEmpty()) supply.wanted();
        break;
      case "retire":
        supply.retire(thread, message.url);
        break;
      case "recycle":
        supply.recycling.asked(thread);
        break;
      case "disposing":
        ends.limitDispose(thread);
        break;
      case "idle":
        supply.idle(thread);
        break;
    }
  }

  #ready(thread: PoolThread, { failure }: Extract<WorkerMessage, { type: "ready" }>): void {
    const { pool, roster, supply, starts } = this.#parts;
    thread.isReady = true;
    roster.forgetFailedStarts();
    supply.recycling.ready(thread);
    starts.remove(thread, failure === null ? null : { error: fromWire(failure) });
    publishThread("threadStart", pool, thread, {});
    thread.opened();
  }

  /** The host itself only submits: it is asked, or told that a job has left. */
  #argument(message: ArgumentMessage): void {
    if (message.to !== HOST_SERIAL) this.#parts.mail.sendTo(message.to, message);
    else if ("number" in message) this.#parts.submitter.pumps.heard(message);
  }
}
