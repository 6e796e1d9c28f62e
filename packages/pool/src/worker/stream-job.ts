/** One job that gives its results piece by piece, and where it stands: see stream-jobs.ts. */
import { AsyncScope } from "@skein/context";
import { type AnyGenerator, isAsyncGenerator } from "../jobs/generators.ts";
import { HOST, HOST_SERIAL } from "../shared/pool-memory.ts";
import { ItemWriter } from "../transfer/item-writer.ts";
import type { RunningJob } from "./current-job.ts";
import type { KnownFunction } from "./known-functions.ts";

export const STEPPING = 0;
export const SUSPENDED = 1;
export const READY = 2;
export const OVER = 3;

function* noItems(): Generator<never> {}

export class StreamJob {
  readonly job: RunningJob;
  readonly known: KnownFunction;
  readonly scope: AsyncScope;
  readonly generator: AnyGenerator;
  readonly isAsync: boolean;
  readonly items: ItemWriter;
  readonly submitter: number;
  readonly serial: number;
  readonly next: () => unknown;
  readonly return: () => unknown;
  state: number = STEPPING;
  /** When it was suspended, and how many items had been read then. */
  suspendedAt = 0;
  readBefore = 0;
  /** What it has yielded last could not be sent, so it is to be ended. */
  unsent: { readonly error: unknown } | null = null;
  /** Its `return` was called. */
  isEnding = false;
  /** Of an exclusive job: called when it is over. */
  ended: (() => void) | null = null;

  /** Nobody's, and always there: see TaskJob.kept. */
  static readonly kept: StreamJob = new StreamJob(
    null as never,
    null as never,
    AsyncScope.root,
    noItems(),
    ItemWriter.kept,
    HOST,
    HOST_SERIAL,
  );

  constructor(
    job: RunningJob,
    known: KnownFunction,
    scope: AsyncScope,
    generator: AnyGenerator,
    items: ItemWriter,
    submitter: number,
    serial: number,
  ) {
    this.job = job;
    this.known = known;
    this.scope = scope;
    this.generator = generator;
    this.isAsync = isAsyncGenerator(generator);
    this.items = items;
    this.submitter = submitter;
    this.serial = serial;
    this.next = () => generator.next();
    this.return = () => generator.return(undefined);
  }
}
