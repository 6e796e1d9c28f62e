/** What a pool thread does with each message of the host (messages/protocol.ts): it keeps nothing of its own, and brings them to the part that does. */
import { fromWire } from "../codec/error-wire.ts";
import { PoolClosedError } from "../errors.ts";
import type { HostMessage, WorkerMessage } from "../messages/protocol.ts";
import type { Arenas } from "../shared/arenas.ts";
import type { Payloads } from "../shared/payloads.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { cancelRecorded } from "../submit/cancel-recorded.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import type { LaneReceiver } from "../transfer/memory-lane.ts";
import { sharedMemoryDropped } from "../transfer/memory-pressure.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { ArgumentReaders } from "./argument-readers.ts";
import type { Arrivals } from "./arrivals.ts";
import type { ContextScopes } from "./context-scopes.ts";
import type { CurrentJob } from "./current-job.ts";
import type { DispatchLoop } from "./dispatch-loop.ts";
import type { FollowedTrace } from "./followed-trace.ts";
import type { FunctionTable } from "./function-table.ts";
import type { LateArguments } from "./late-arguments.ts";
import type { MemoryRequests } from "./memory-requests.ts";
import type { OwnPool } from "./own-pool.ts";
import type { Recycling } from "./recycling.ts";
import type { StreamJobs } from "./stream-jobs.ts";
import type { ThreadEnd } from "./thread-end.ts";

export interface HostMessagesParts {
  readonly memory: PoolMemory;
  readonly arenas: Arenas;
  readonly payloads: Payloads;
  readonly requests: MemoryRequests;
  readonly sharedBuffers: SharedBuffers;
  readonly carried: CarriedValues;
  readonly lane: LaneReceiver;
  readonly late: LateArguments;
  readonly arrivals: Arrivals;
  readonly inputs: ArgumentReaders;
  readonly streams: StreamJobs;
  readonly functions: FunctionTable;
  readonly scopes: ContextScopes;
  readonly current: CurrentJob;
  readonly own: OwnPool;
  readonly loop: DispatchLoop;
  readonly recycling: Recycling | null;
  readonly end: ThreadEnd;
  readonly trace: FollowedTrace;
  post(message: WorkerMessage): void;
}

export class HostMessages {
  readonly #parts: HostMessagesParts;

  constructor(parts: HostMessagesParts) {
    this.#parts = parts;
  }

  take(message: HostMessage): void {
    const { memory, arenas, sharedBuffers, carried, late, arrivals, inputs, streams } = this.#parts;
    const { own, loop } = this.#parts;
    const { ledger } = own;
    switch (message.type) {
      case "arena":
        arenas.add(message.arena);
        break;
      case "arena-granted":
        arenas.add(message.arena);
        this.#parts.requests.granted();
        this.#parts.payloads.adopt(message.arena);
        break;
      case "arena-gone": {
        const dropped = arenas.drop(message.id);
        if (dropped !== null) sharedMemoryDropped(dropped);
        this.#parts.post({ type: "arena-dropped" });
        break;
      }
      case "thread-ended":
        ledger?.collect();
        ledger?.recover(message.serial, fromWire(message.error) as Error);
        arenas.dropOf(message.serial);
        late.goneOf((slot) => memory.submitterSerial(slot) === message.serial);
        sharedBuffers.dropOf(message.serial);
        streams.stopOf(message.serial);
        inputs.stopOf(message.serial);
        this.#parts.functions.drop(message.serial);
        this.#parts.scopes.drop(message.serial);
        ledger?.deliver();
        loop.wake();
        break;
      case "thread-lost":
        ledger?.lose(message.serial, fromWire(message.error) as Error);
        streams.stopOf(message.serial);
        inputs.stopOf(message.serial);
        ledger?.deliver();
        loop.wake();
        break;
      case "links-wanted":
        // It is not heard between finishing a job and linking it.
        this.#parts.post({ type: "links-told", id: message.id });
        break;
      case "drop":
        own.close();
        ledger?.drop(() => new PoolClosedError("The pool was closed before this job could run"));
        ledger?.deliver();
        loop.wake();
        break;
      case "shared-buffer":
        sharedBuffers.add(message.id, message.buffer);
        late.arrived(-message.id);
        inputs.arrived(-message.id);
        if (ledger?.arrived(-message.id) === true) loop.wake();
        break;
      case "shared-buffer-gone":
        sharedBuffers.gone(message.id);
        // What came before is read, then it is dropped: nothing comes for a thread that has submitted nothing.
        if (ledger === undefined) {
          sharedBuffers.beginDrain();
          sharedBuffers.endDrain();
        }
        loop.wake();
        break;
      case "run":
        arrivals.assign(message.slot);
        loop.wake();
        break;
      case "handed":
        for (const job of message.jobs) {
          carried.add(job.carried);
          arrivals.hand(job.slot);
        }
        loop.wake();
        break;
      case "handed-memory":
        for (const slot of message.slots) arrivals.hand(slot);
        loop.wake();
        break;
      case "lane":
        this.#parts.lane.opened(message.port);
        break;
      case "carried":
        carried.add(message);
        inputs.arrived(message.id);
        if (!late.arrived(message.id) && ledger?.arrived(message.id) === true) loop.wake();
        break;
      case "carried-gone":
        late.gone(message.id);
        break;
      case "progress":
        own.pool?.submitter.reported(message);
        break;
      case "reports-told":
        if (ledger?.told(message.id) === true) loop.wake();
        break;
      case "began":
        own.pool?.submitter.progress.began(message.id);
        break;
      case "cancel":
        if (memory.slots.isCancelRequested(message.slot)) {
          inputs.stop(message.slot);
          if (streams.stop(message.slot)) loop.wake();
          this.#parts.current.withSignal.get(message.slot)?.abort();
        }
        break;
      case "cancel-recorded": {
        const reason = fromWire(message.reason);
        const isCanceled = ledger !== undefined && cancelRecorded(ledger, memory.trace, message.key, reason);
        this.#parts.post({ type: "cancel-answered", id: message.id, isCanceled });
        if (isCanceled) loop.wake();
        break;
      }
      case "argument-wanted":
      case "argument-left":
        own.pool?.submitter.pumps.heard(message);
        break;
      case "argument-opened":
      case "argument-dropped":
        inputs.heard(message);
        break;
      case "leave":
        loop.leave();
        break;
      case "stay":
        loop.resume();
        break;
      case "kept":
        if (this.#parts.recycling?.kept() === true) loop.resume();
        break;
      case "trace":
        this.#parts.trace.follow(message.data);
        break;
      case "close":
        loop.leave();
        this.#parts.end.begin();
    }
  }
}
