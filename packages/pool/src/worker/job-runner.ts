/** Runs one claimed job: its context entered, its function called, everything cleared again, its outcome written. */
import type { AsyncScope } from "@skein/context";
import type { Decoder } from "../codec/decoder.ts";
import type { SegmentDirectory } from "../shared/segments.ts";
import { INLINE, type SlotTable } from "../shared/slot.ts";
import type { ContextScopes } from "./context-scopes.ts";
import type { CurrentJob } from "./current-job.ts";
import type { FunctionTable, JobFunction } from "./function-table.ts";
import type { OutcomeWriter } from "./outcome-writer.ts";

export class JobRunner {
  readonly #slots: SlotTable;
  readonly #segments: SegmentDirectory;
  readonly #decoder: Decoder;
  readonly #functions: FunctionTable;
  readonly #scopes: ContextScopes;
  readonly #outcomes: OutcomeWriter;
  readonly #current: CurrentJob;

  constructor(
    slots: SlotTable,
    segments: SegmentDirectory,
    decoder: Decoder,
    functions: FunctionTable,
    scopes: ContextScopes,
    outcomes: OutcomeWriter,
    current: CurrentJob,
  ) {
    this.#slots = slots;
    this.#segments = segments;
    this.#decoder = decoder;
    this.#functions = functions;
    this.#scopes = scopes;
    this.#outcomes = outcomes;
    this.#current = current;
  }

  /**
   * Runs the job in `slot`, which this thread has claimed.
   * @returns null when it is finished; otherwise a promise that resolves, never rejects, when it is: the function awaits
   * something, or its module has to be loaded first.
   */
  run(slot: number): Promise<void> | null {
    let id = -1;
    this.#current.slot = slot;
    try {
      id = this.#slots.functionId(slot);
      const fn = this.#functions.get(id);
      if (fn === null) return this.#loadAndRun(slot, id);
      const returned = this.#scopes.of(slot).run(apply, fn, this.#takeArguments(slot));
      if (isThenable(returned)) return this.#settleLater(slot, id, returned);
      this.#outcomes.result(slot, returned);
    } catch (error) {
      this.#outcomes.error(slot, this.#explain(id, error));
    }
    this.#clear();
    return null;
  }

  async #loadAndRun(slot: number, id: number): Promise<void> {
    try {
      const scope: AsyncScope = this.#scopes.of(slot);
      const args = this.#takeArguments(slot);
      const fn = await this.#functions.load(id);
      this.#outcomes.result(slot, await scope.run(apply, fn, args));
    } catch (error) {
      this.#outcomes.error(slot, this.#explain(id, error));
    }
    this.#clear();
  }

  async #settleLater(slot: number, id: number, returned: PromiseLike<unknown>): Promise<void> {
    try {
      this.#outcomes.result(slot, await returned);
    } catch (error) {
      this.#outcomes.error(slot, this.#explain(id, error));
    }
    this.#clear();
  }

  #takeArguments(slot: number): unknown[] {
    const length = this.#slots.payloadLength(slot);
    const segment = this.#slots.payloadSegment(slot);
    const args =
      segment === INLINE
        ? this.#decoder.decode(this.#slots.bytes, this.#slots.inlineOffset(slot), length)
        : this.#decoder.decode(this.#segments.bytes(segment), this.#slots.payloadOffset(slot), length);
    return args as unknown[];
  }

  #explain(id: number, error: unknown): unknown {
    return id < 0 ? error : this.#functions.explain(id, error);
  }

  #clear(): void {
    this.#current.slot = -1;
    this.#current.controller = null;
  }
}

function apply(fn: JobFunction, args: unknown[]): unknown {
  switch (args.length) {
    case 0:
      return fn();
    case 1:
      return fn(args[0]);
    case 2:
      return fn(args[0], args[1]);
    default:
      return fn(...args);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
