/** What a worker's pool runs: one job of the cluster, from text to text, on the thread where its module and its error classes are. */
import { AsyncScope } from "@skein/context";
import { subscribe } from "node:diagnostics_channel";
import { JobNotFoundError } from "@skein/pool";
import {
  decodeValue,
  encodeValue,
  type ErrorWire,
  fromWire,
  runJob,
  suppressTracing,
  toWire,
} from "@skein/pool/engine";
import { job } from "@skein/pool/worker";
import { decodeText, encodeText } from "./codec/text.ts";
import { SUBMITTED, type Submitted, type ThreadOutcome, type ThreadReport } from "./thread-call.ts";
import { checkSize, skewFrom, type WireRequest } from "./wire.ts";

suppressTracing(import.meta.url);

/** Says to the report port of the job that runs: it has submitted a job to a cluster. Nothing of it goes anywhere. */
class Child {
  /** A function, since no port to another thread takes one: the listeners of jobs that are the pool's own never see it. */
  readonly task: () => PromiseLike<unknown>;

  constructor(task: PromiseLike<unknown>) {
    this.task = () => task;
  }
}

subscribe(SUBMITTED, (message) => {
  try {
    job.progress(new Child((message as Submitted).task));
  } catch {
    // It is a job of the pool's own, or none: nobody gives up a slot.
  }
});

/**
 * @param url The module, as the worker's own list has it.
 * @param words Of the call's CallState.
 * @param attempt 1 for the first.
 * @param children Results that are its last argument, as texts; null: there is no such argument.
 */
export async function runWireJob(
  url: string,
  request: WireRequest,
  words: Int32Array,
  attempt: number,
  children: readonly string[] | null,
  maxPayloadBytes: number,
): Promise<ThreadOutcome> {
  try {
    // Inside, `job` is the cluster's job; what it reports goes out as progress of the pool's.
    const outside = AsyncScope.capture();
    const report = (said: ThreadReport): void => outside.run(() => job.progress(said));
    let waitsFor = 0;
    const wait = ({ task }: Child): void => {
      if (waitsFor++ === 0) report("waits");
      const over = (): void => {
        if (--waitsFor === 0) report("proceeds");
      };
      task().then(over, over);
    };
    const { reply } = await runJob({
      fn: { kind: "export", url, name: request.fn, ...(request.each && { each: true }) },
      args: encodeValue(argumentsOf(request, children), "args").value,
      context: request.context,
      state: words,
      isRemote: true,
      attempt,
      reports: {
        postMessage(said) {
          if (said.kind === "progress" && said.value instanceof Child) {
            wait(said.value);
            return;
          }
          if (!request.reports) return;
          const text = encodeText(said, "report");
          checkSize("report", text, maxPayloadBytes);
          report({ text });
        },
      },
    });
    if (reply.kind === "withdrawn") return { kind: "withdrawn" };
    const value = decodeValue(reply.value);
    if (reply.kind === "error") {
      const missing = missingFunction(value as ErrorWire, url, request);
      if (missing !== null) return { kind: "unknown", text: encodeText(toWire(missing), "error") };
    }
    const text = encodeText(value, reply.kind);
    checkSize(reply.kind, text, maxPayloadBytes);
    return { kind: reply.kind, text };
  } catch (error) {
    return { kind: "error", text: encodeText(toWire(error), "error") };
  }
}

function argumentsOf({ args }: WireRequest, children: readonly string[] | null): unknown[] {
  const list = decodeText(args);
  const own = Array.isArray(list) ? (list as unknown[]) : [list];
  return children === null ? own : [...own, children.map(decodeText)];
}

/** The error, if it is that this job's module has no such function. */
function missingFunction(
  wire: ErrorWire,
  url: string,
  { fn, from, v }: WireRequest,
): JobNotFoundError | null {
  const error = "error" in wire ? fromWire(wire) : null;
  if (!(error instanceof JobNotFoundError) || error.url !== url || error.exportName !== fn) return null;
  error.cause ??= skewFrom(from, v);
  return error;
}
