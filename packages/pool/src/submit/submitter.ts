/** One thread that submits jobs, the host or a pool thread: its slots, its arena, its jobs from submission to settlement. */
import { Decoder } from "../codec/decoder.ts";
import { Encoder } from "../codec/encoder.ts";
import { JobTimeoutError } from "../errors.ts";
import type { ProgressMessage } from "../messages/protocol.ts";
import type { Arena } from "../shared/arena.ts";
import type { Arenas } from "../shared/arenas.ts";
import type { Payloads } from "../shared/payloads.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import { ArgumentPumps, type ArgumentPumpsParts, letGoAll } from "./argument-pumps.ts";
import type { ArgumentsHolder } from "./arguments-holder.ts";
import { cancellationError } from "./cancel-signal.ts";
import { ContextTable } from "./context-table.ts";
import { FunctionRegistry } from "./function-registry.ts";
import type { Homes } from "./home.ts";
import { JobMaker } from "./job-maker.ts";
import { JobTable } from "./job-table.ts";
import { JobWatch } from "./job-watch.ts";
import type { PendingJob } from "./pending-job.ts";
import type { QueueLimits } from "./job-holdings.ts";
import { Ledger } from "./ledger.ts";
import type { LedgerThread } from "./ledger-thread.ts";
import { ProgressListeners } from "./progress-listeners.ts";

export interface SubmitterParts {
  readonly memory: PoolMemory;
  /** Where its functions are described. */
  readonly home: Arena;
  readonly payloads: Payloads;
  readonly arenas: Arenas;
  readonly sharedBuffers: SharedBuffers;
  readonly carried: CarriedValues;
  readonly holder: ArgumentsHolder;
  readonly limits: QueueLimits;
  /** Null: jobs of this submitter run on any thread. */
  readonly homes: Homes | null;
  readonly thread: LedgerThread;
  readonly carry: ArgumentPumpsParts["carry"];
  readonly send: ArgumentPumpsParts["send"];
}

export class Submitter {
  readonly functions: FunctionRegistry;
  readonly contexts: ContextTable;
  readonly jobs: JobMaker;
  readonly ledger: Ledger;
  /** Their arguments that come piece by piece. */
  readonly pumps: ArgumentPumps;
  /** What jobs of this submitter report. */
  readonly progress: ProgressListeners = new ProgressListeners();
  readonly #carried: CarriedValues;

  constructor(parts: SubmitterParts) {
    const { memory, home, payloads, sharedBuffers, carried } = parts;
    const { progress } = this;
    const functions = (this.functions = new FunctionRegistry(home));
    const contexts = (this.contexts = new ContextTable(payloads));
    const pumps = (this.pumps = new ArgumentPumps({
      ...parts,
      fail: (job, error) => ledger.fail(job, error),
    }));
    const ledger: Ledger = new Ledger({
      ...parts,
      pumps,
      table: new JobTable(memory.firstSlot, memory.slotCount),
      functions,
      contexts,
      decoder: new Decoder(sharedBuffers, carried),
      progress,
    });
    this.ledger = ledger;
    const watch = new JobWatch<PendingJob>(
      (job, signal) => ledger.cancel(job, cancellationError(signal, job.fn.source)),
      (job, timeoutMs) => ledger.fail(job, new JobTimeoutError(timeoutMs)),
    );
    const encoder = new Encoder(sharedBuffers, carried.nextId, true, letGoAll);
    this.jobs = new JobMaker({ ...parts, functions, contexts, encoder, progress, pumps, ledger, watch });
    this.#carried = carried;
  }

  /** One of its jobs has reported something. May be called at any moment: its listener is called later. */
  reported({ id, value, carried }: ProgressMessage): void {
    if (carried === 0) this.progress.report(id, value);
    else if (this.#carried.has(carried)) this.progress.report(id, this.#carried.take(carried)[0]);
    else this.progress.lost(id);
  }
}
