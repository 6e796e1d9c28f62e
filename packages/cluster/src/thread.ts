/** What a worker's pool runs: one job of the cluster, from text to text, on the thread where its module and its error classes are. */
import { AsyncScope } from "@skein/context";
import { subscribe } from "node:diagnostics_channel";
import { JobNotFoundError } from "@skein/pool";
import {
  decodeValue,
  encodeValue,
  type ErrorWire,
  fromWire,
  type JobReply,
  type ReportPort,
  runJob,
  type SentReply,
  suppressTracing,
  toWire,
} from "@skein/pool/engine";
import { job } from "@skein/pool/worker";
import { decodeText, encodeText } from "./codec/text.ts";
import { InvalidPayloadError } from "./errors.ts";
import { type JobHere, JobsOfThread } from "./jobs-of-thread.ts";
import {
  type NumberedReport,
  SUBMITTED,
  type Submitted,
  type ThreadAnswer,
  type ThreadOutcome,
  type ThreadReport,
} from "./thread-call.ts";
import { checkSize, skewFrom, type WireRequest } from "./wire.ts";

suppressTracing(import.meta.url);

/** Of one call, or of one chunk, at most: checked where they are submitted. */
const MAX_ARGUMENTS = 65_536;

/** Says to the report port of the job that runs: it has submitted a job to a cluster. Nothing of it goes anywhere. */
class Child {
  /** A function, since no port to another thread takes one: the listeners of jobs that are the pool's own never see it. */
  readonly over: () => PromiseLike<unknown>;

  constructor(over: PromiseLike<unknown>) {
    this.over = () => over;
  }
}

subscribe(SUBMITTED, (message) => {
  try {
    job.progress(new Child((message as Submitted).over));
  } catch {
    // It is a job of the pool's own, or none: nobody gives up a slot.
  }
});

const jobsHere = new JobsOfThread();

/** One call: what the thread needs of the request, and what its worker says. */
export interface WireCall extends Pick<
  WireRequest,
  "v" | "from" | "fn" | "each" | "args" | "context" | "reports"
> {
  /** The module, as the worker's own list has it. */
  readonly url: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Whether it begins only when no other job of the cluster runs on this thread. */
  readonly isAlone: boolean;
  /** Results that are its last argument, as texts; null: there is no such argument. */
  readonly children: readonly string[] | null;
  readonly maxPayloadBytes: number;
}

/**
 * @param number Of the call, for what it reports.
 * @param words Of its CallState.
 * @returns no promise when the function has returned at once: the thread goes on with the next job then, without a turn of its event loop.
 */
export function runWireJob(
  call: WireCall,
  number: number,
  words: Int32Array,
): ThreadAnswer | Promise<ThreadAnswer> {
  if (call.isAlone && !jobsHere.isIdle) return runWhenIdle(call, number, words);
  return run(call, number, words, jobsHere.begin());
}

async function runWhenIdle(call: WireCall, number: number, words: Int32Array): Promise<ThreadAnswer> {
  const here = await jobsHere.beginWhenIdle(job.signal);
  // Nobody listens.
  if (here === null) return { outcome: { kind: "withdrawn" }, isAtOnce: false };
  return await run(call, number, words, here);
}

function run(
  call: WireCall,
  number: number,
  words: Int32Array,
  here: JobHere,
): ThreadAnswer | Promise<ThreadAnswer> {
  try {
    const sent = runJob({
      fn: { kind: "export", url: call.url, name: call.fn, ...(call.each && { each: true }) },
      args: encodeValue(argumentsOf(call), "args").value,
      context: call.context,
      state: words,
      isRemote: true,
      bytesOnly: true,
      attempt: call.attempt,
      reports: portOf(call, number, here),
    });
    if (!("reply" in sent)) return runLater(sent, call, here);
    here.end();
    return { outcome: outcomeOf(sent.reply, call), isAtOnce: true };
  } catch (error) {
    here.end();
    return { outcome: errorOutcome(error), isAtOnce: true };
  }
}

async function runLater(sent: Promise<SentReply>, call: WireCall, here: JobHere): Promise<ThreadAnswer> {
  const { reply } = await sent;
  here.end();
  return { outcome: outcomeOf(reply, call), isAtOnce: false };
}

/** Inside, `job` is the cluster's job; what it reports goes out as progress of the pool's. */
function portOf({ reports, maxPayloadBytes }: WireCall, number: number, here: JobHere): ReportPort {
  const outside = AsyncScope.capture();
  const report = (said: ThreadReport): void =>
    outside.run(() => job.progress({ call: number, report: said } satisfies NumberedReport));
  let waitsFor = 0;
  const wait = (child: Child): void => {
    if (waitsFor++ === 0) {
      here.wait();
      report("waits");
    }
    const proceed = (): void => {
      if (--waitsFor > 0) return;
      here.proceed();
      report("proceeds");
    };
    child.over().then(proceed, proceed);
  };
  return {
    postMessage(said) {
      if (said.kind === "progress" && said.value instanceof Child) {
        wait(said.value);
        return;
      }
      if (!reports) return;
      const text = encodeText(said, "report");
      checkSize("report", text, maxPayloadBytes);
      report({ text });
    },
  };
}

function outcomeOf(reply: JobReply, call: WireCall): ThreadOutcome {
  if (reply.kind === "withdrawn") return { kind: "withdrawn" };
  try {
    const value = decodeValue(reply.value);
    if (reply.kind === "error") {
      const missing = missingFunction(value as ErrorWire, call);
      if (missing !== null) return { kind: "unknown", text: encodeText(toWire(missing), "error") };
    }
    const text = encodeText(value, reply.kind);
    checkSize(reply.kind, text, call.maxPayloadBytes);
    return { kind: reply.kind, text };
  } catch (error) {
    return errorOutcome(error);
  }
}

function errorOutcome(error: unknown): ThreadOutcome {
  return { kind: "error", text: encodeText(toWire(error), "error") };
}

/** @throws InvalidPayloadError for more than anybody can have sent. */
function argumentsOf({ args, children }: WireCall): unknown[] {
  const list = decodeText(args);
  const own = Array.isArray(list) ? (list as unknown[]) : [list];
  if (own.length > MAX_ARGUMENTS) throw new InvalidPayloadError(`it has ${own.length} arguments`);
  return children === null ? own : [...own, children.map(decodeText)];
}

/** The error, if it is that this job's module has no such function. */
function missingFunction(wire: ErrorWire, { url, fn, from, v }: WireCall): JobNotFoundError | null {
  const error = "error" in wire ? fromWire(wire) : null;
  if (!(error instanceof JobNotFoundError) || error.url !== url || error.exportName !== fn) return null;
  error.cause ??= skewFrom(from, v);
  return error;
}
