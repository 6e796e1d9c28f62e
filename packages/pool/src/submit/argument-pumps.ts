/** The arguments of one submitter's jobs that come piece by piece, from when a job is accepted until nobody can touch its slot any more. */
import { AsyncScope } from "@skein/context";
import { SkeinError } from "@skein/context/errors";
import type { Carried } from "../codec/carried.ts";
import { Encoder } from "../codec/encoder.ts";
import { type FoundStream, type MarkedStream, streamsIn } from "../codec/marked-streams.ts";
import type { ArgumentMessage } from "../messages/protocol.ts";
import type { Payloads } from "../shared/payloads.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import { ArgumentPump } from "./argument-pump.ts";
import { ArgumentSource } from "./argument-source.ts";
import type { PendingJob } from "./pending-job.ts";

export interface ArgumentPumpsParts {
  readonly payloads: Payloads;
  readonly sharedBuffers: SharedBuffers;
  readonly carried: Pick<CarriedValues, "nextId">;
  /** Posts carried values for the thread with the serial `to`; throws what Node says when it refuses them. */
  readonly carry: (to: number, carried: Carried) => void;
  /** Brings a message to the thread that it names, if that lives. */
  readonly send: (message: ArgumentMessage) => void;
  /** Settles the job as failed. */
  readonly fail: (job: PendingJob, error: unknown) => void;
}

/** One of them. */
export interface JobArgument {
  readonly pump: ArgumentPump;
  readonly job: PendingJob;
  /** Of the thread that has asked for items; 0: none has. */
  reader: number;
}

export class ArgumentPumps {
  readonly #parts: ArgumentPumpsParts;
  readonly #arguments = new Map<number, JobArgument>();
  #encoder: Encoder | null = null;

  constructor(parts: ArgumentPumpsParts) {
    this.#parts = parts;
  }

  /** Of a job that is about to be accepted, in the context of the call; after `checkUntaken`, without any code of the user's in between. */
  take(job: PendingJob, streams: readonly MarkedStream[], args: readonly unknown[]): readonly JobArgument[] {
    const scope = AsyncScope.capture();
    return takeAll(streams, args).map(({ marked, path }) => {
      const argument: JobArgument = { pump: new ArgumentPump(marked, path, scope), job, reader: 0 };
      this.#arguments.set(marked.number, argument);
      return argument;
    });
  }

  heard(message: Extract<ArgumentMessage, { readonly number: number }>): void {
    const argument = this.#arguments.get(message.number);
    // The job is over.
    if (argument === undefined) return;
    if (message.type === "argument-left") argument.pump.end();
    else this.#open(argument, message.from, message.reader);
  }

  #open(argument: JobArgument, to: number, reader: number): void {
    const { payloads, sharedBuffers, carried, carry, send, fail } = this.#parts;
    const encoder = (this.#encoder ??= new Encoder(sharedBuffers, carried.nextId));
    const failed = (error: unknown): void => fail(argument.job, error);
    let ring: number;
    try {
      const parts = { encoder, payloads, sharedBuffers, carry: (values: Carried) => carry(to, values) };
      ring = argument.pump.open(parts, failed);
    } catch (error) {
      failed(error);
      return;
    }
    if (ring === 0) return;
    argument.reader = to;
    const arena = payloads.arenaOf(ring);
    send({ type: "argument-opened", to, reader, arena, block: payloads.blockOf(ring) });
  }

  /** No thread can touch the slot of their job any more. */
  free(args: readonly JobArgument[]): void {
    for (const { pump, reader } of args) {
      this.#arguments.delete(pump.number);
      const carried = pump.free();
      if (carried.length > 0) this.#parts.send({ type: "argument-dropped", to: reader, carried });
    }
  }
}

/** @throws SkeinError ERR_SKEIN_STREAM_TAKEN when another job has one of them, or has it twice. */
export function checkUntaken(streams: readonly MarkedStream[], args: readonly unknown[]): void {
  for (const [i, marked] of streams.entries()) {
    if (!marked.isTaken && streams.indexOf(marked) === i) continue;
    const path = streamsIn(args).find((found) => found.marked === marked)?.path ?? "args";
    throw new SkeinError(
      "ERR_SKEIN_STREAM_TAKEN",
      `${path} is a stream that another job has, or that was read or let go before: mark its source anew for each job, with \`stream\``,
    );
  }
}

/** They are a job's from now on. @returns where each lies among the arguments. */
export function takeAll(streams: readonly MarkedStream[], args: readonly unknown[]): FoundStream[] {
  const found = streamsIn(args);
  return streams.map((marked) => {
    marked.isTaken = true;
    return found.find((each) => each.marked === marked) ?? { marked, path: "args" };
  });
}

/** The call was refused: the streams among its arguments that nobody has are let go. Code of the user's runs here. */
export function letGo(args: readonly unknown[]): void {
  letGoAll(streamsIn(args).map(({ marked }) => marked));
}

/** The same for those that encoding has found: getters give others than `streamsIn` finds. */
export function letGoAll(streams: readonly Pick<MarkedStream, "source" | "isTaken">[]): void {
  for (const marked of streams) {
    if (marked.isTaken) continue;
    marked.isTaken = true;
    new ArgumentSource(marked.source, AsyncScope.capture()).release();
  }
}
