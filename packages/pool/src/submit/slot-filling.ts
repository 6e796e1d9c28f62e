/** What a job's slot says to the thread that runs it. Written before the slot is published, or given to a thread. */
import { copyBytes } from "../shared/copy-bytes.ts";
import { Uint8Array } from "../shared/intrinsics.ts";
import type { Payloads } from "../shared/payloads.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { PendingJob } from "./pending-job.ts";

export const noArguments: Uint8Array = new Uint8Array(0);
/** More than a slot has bytes. */
const CONTEXT_LENGTHS = 256;

/** A context whose text lies behind the arguments, as one number: a job needs no object for it. */
export function contextBeside(id: number, length: number): number {
  return id * CONTEXT_LENGTHS + length;
}

/** How many bytes behind the arguments are the context. */
export function lengthBeside(beside: number): number {
  return beside % CONTEXT_LENGTHS;
}

/** @param args The encoded arguments, if they are to lie in the slot. */
export function fillSlot(
  { slots, trace }: PoolMemory,
  payloads: Payloads,
  slot: number,
  job: PendingJob,
  args: Uint8Array,
): void {
  const { fn, options, context, contextBeside } = job;
  const contextLength = contextBeside === null ? 0 : lengthBeside(contextBeside);
  const { retry } = job.extras;
  slots.describeJob(
    slot,
    fn.id,
    fn.block,
    job.extras.progressId,
    job.submittedAt ?? 0,
    options.isExclusive,
    retry === null ? 0 : options.retries - retry.left,
    job.extras.runLimit !== null,
    options.highWaterMark,
  );
  if (job.isNumbers) slots.setNumbers(slot, job.args as readonly number[]);
  else if (job.block === 0) slots.setInlinePayload(slot, args, job.argsLength - contextLength, contextLength);
  else slots.setArenaPayload(slot, payloads.arenaOf(job.block), payloads.blockOf(job.block), job.argsLength);
  if (context !== null)
    slots.setContext(slot, context.id, payloads.arenaOf(context.block), payloads.blockOf(context.block));
  else if (contextBeside !== null) {
    const id = (contextBeside - contextLength) / CONTEXT_LENGTHS;
    slots.setContextInSlot(slot, id, job.argsLength - contextLength, contextLength);
  }
  if (trace !== null) trace.place(slot, job.extras.mark);
}

/** A copy of the arguments that lie in the job's slot, whose outcome would overwrite them; empty if they lie elsewhere. */
export function argumentsInSlot({ slots }: PoolMemory, { slot, block, argsLength }: PendingJob): Uint8Array {
  if (block !== 0) return noArguments;
  const args = new Uint8Array(argsLength);
  copyBytes(slots.bytes, slots.inlineOffset(slot), argsLength, args, 0);
  return args;
}
