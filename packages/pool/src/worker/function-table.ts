/** Job functions of this thread by number. Their descriptions lie in the arena of whoever submits the job. */
import type { JobFunction } from "../jobs/exported-function.ts";
import type { FunctionDescription } from "../jobs/function-source.ts";
import type { ExportOf } from "../jobs/source-of-function.ts";
import type { Arenas } from "../shared/arenas.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { parseJson } from "../shared/intrinsics.ts";
import { KEPT_FUNCTIONS, type KnownFunction, KnownFunctions } from "./known-functions.ts";
import type { ModuleTable } from "./module-table.ts";
import { RecentBySubmitter } from "./recent.ts";

export class FunctionTable {
  readonly #memory: PoolMemory;
  readonly #arenas: Arenas;
  /** Of each submitter, by number. */
  readonly #known = new RecentBySubmitter<KnownFunction>(KEPT_FUNCTIONS);
  readonly #functions: KnownFunctions;
  /** What `of` gave last: most jobs of a thread name the same function as the one before. */
  #lastId = -1;
  #lastSerial = -1;
  #last: KnownFunction | null = null;

  constructor(memory: PoolMemory, arenas: Arenas, modules: ModuleTable) {
    this.#memory = memory;
    this.#arenas = arenas;
    this.#functions = new KnownFunctions(modules);
  }

  /** The function that the job in `slot` names. Not loaded yet only if its module is not. */
  of(slot: number): KnownFunction {
    const id = this.#memory.slots.functionId(slot);
    const serial = this.#memory.submitterSerial(slot);
    if (id === this.#lastId && serial === this.#lastSerial) return this.#last!;
    let known = this.#known.get(serial, id);
    if (known === undefined)
      this.#known.set(serial, id, (known = this.#functions.of(this.#describe(slot).source)));
    if (known.fn === null) this.#functions.resolve(known);
    if (known.fn !== null) {
      this.#lastId = id;
      this.#lastSerial = serial;
      this.#last = known;
    }
    return known;
  }

  /** The same for a slot that is nobody's, which may change meanwhile: null when nothing reliable can be read. */
  peek(slot: number): KnownFunction | null {
    const id = this.#memory.slots.functionId(slot);
    const serial = this.#memory.submitterSerial(slot);
    const known = this.#known.get(serial, id);
    if (known !== undefined) return known;
    try {
      const description = this.#describe(slot);
      if (description.id !== id) return null;
      const met = this.#functions.of(description.source);
      this.#known.set(serial, id, met);
      if (met.fn === null) this.#functions.resolve(met);
      return met;
    } catch {
      // Half of one job and half of another, of a thread that has ended, or nothing that compiles: whoever claims it will see.
      return null;
    }
  }

  /** @throws as KnownFunctions. */
  async load(known: KnownFunction): Promise<JobFunction> {
    return await this.#functions.load(known);
  }

  /** Where a function was exported from, if it is one of a job module that this thread has loaded. */
  get lookUpExport(): ExportOf {
    return this.#functions.lookUpExport;
  }

  /** The submitter with this serial has ended: another one may count from 0 again, and have its serial one day. */
  drop(serial: number): void {
    this.#known.drop(serial);
    this.#lastId = -1;
  }

  #describe(slot: number): FunctionDescription {
    const block = this.#memory.slots.functionBlock(slot);
    const text = this.#arenas.homeText(this.#memory.submitterSerial(slot), block);
    return parseJson(text) as FunctionDescription;
  }
}
