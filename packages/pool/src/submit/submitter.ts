/** One thread that submits jobs, the host or a pool thread: its slots, its arena, its jobs from submission to settlement. */
import { Decoder } from "../codec/decoder.ts";
import { Encoder } from "../codec/encoder.ts";
import { JobTimeoutError } from "../errors.ts";
import type { Arena } from "../shared/arena.ts";
import type { Arenas } from "../shared/arenas.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { ArgumentsHolder } from "./arguments-holder.ts";
import { cancellationError } from "./cancel-signal.ts";
import { ContextTable } from "./context-table.ts";
import { FunctionRegistry } from "./function-registry.ts";
import { JobMaker } from "./job-maker.ts";
import { JobTable } from "./job-table.ts";
import { JobWatch } from "./job-watch.ts";
import { Ledger, type LedgerThread, type QueueLimits } from "./ledger.ts";
import { ProgressListeners } from "./progress-listeners.ts";

export interface SubmitterParts {
  readonly memory: PoolMemory;
  readonly serial: number;
  readonly arena: Arena;
  readonly arenas: Arenas;
  readonly sharedBuffers: SharedBuffers;
  readonly carried: CarriedValues;
  readonly holder: ArgumentsHolder;
  readonly limits: QueueLimits;
  readonly thread: LedgerThread;
}

export class Submitter {
  readonly functions: FunctionRegistry;
  readonly jobs: JobMaker;
  readonly ledger: Ledger;
  /** What jobs of this submitter report. */
  readonly progress: ProgressListeners = new ProgressListeners();

  constructor(parts: SubmitterParts) {
    const { memory, serial, arena, sharedBuffers, carried } = parts;
    const { progress } = this;
    this.functions = new FunctionRegistry(arena, serial);
    const contexts = new ContextTable(arena);
    const ledger = new Ledger({
      ...parts,
      table: new JobTable(memory.firstSlot, memory.slotCount),
      contexts,
      decoder: new Decoder(sharedBuffers, carried),
      progress,
    });
    this.ledger = ledger;
    const watch = new JobWatch(
      (job, signal) => ledger.cancel(job, cancellationError(signal)),
      (job, timeoutMs) => ledger.fail(job, new JobTimeoutError(timeoutMs)),
    );
    const encoder = new Encoder(sharedBuffers, carried.nextId);
    this.jobs = new JobMaker({ ...parts, contexts, encoder, progress, ledger, watch });
  }
}
