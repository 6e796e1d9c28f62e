/** What a call says of its job, and the job that goes into the store for it. */
import { type CarriedJob, decodeValue } from "@skein/pool/engine";
import { randomUUID } from "node:crypto";
import { encodeText } from "./codec/text.ts";
import type { EncodedChild } from "./flow.ts";
import type { NewJob } from "./new-job.ts";
import { defaultDelivery, type Delivery } from "./run-options.ts";
import { now } from "./timers.ts";
import { checkSize, digestOf, type ExportSource, requestOf } from "./wire.ts";

/** Of a job whose caller, and whose module, say nothing of `retries`. */
const LOST_RETRIES = 2;

/** What `SubmitOptions.own` says of a job. */
export interface Submission extends Delivery {
  /** Whether the job is in the store already, under its key. */
  readonly isAttached?: boolean;
  /** What runs before it. */
  readonly children?: readonly EncodedChild[];
}

/** What is known of a call beside that. */
export interface SubmittedCall {
  readonly source: ExportSource;
  readonly submission: Submission;
  readonly id: string;
  readonly queue: string;
  readonly maxPayloadBytes: number;
  /** The name of a module's queue. @throws RangeError for a module that has none */
  readonly queueOf: (url: string) => string;
}

/** @throws PayloadTooLargeError, NotCloneableError */
export function newJobOf(job: CarriedJob, call: SubmittedCall): NewJob {
  const { args, context, reports } = job.request;
  const { priority, timeoutMs, runTimeoutMs, retries, saidRetries } = job.options;
  const { key, attempts, backoffMs, children } = call.submission;
  const text = encodeText(decodeValue(args), "args");
  checkSize("argument list", text, call.maxPayloadBytes);
  const isKeyed = key !== undefined;
  const added: NewJob = {
    id: call.id,
    queue: call.queue,
    request: requestOf(call.source, {
      args: text,
      digest: isKeyed ? digestOf(text) : null,
      context,
      // Whoever attaches later may listen.
      reports: isKeyed || reports !== null,
      lostRetries: saidRetries ?? LOST_RETRIES,
      threadRetries: retries,
      leftMs: null,
      // It ends the wait of one caller, and the job is also that of others.
      runTimeoutMs: isKeyed ? null : (runTimeoutMs ?? null),
      children: null,
    }),
    priority: priority + 1,
    attempts,
    backoffMs,
    expiresAt: timeoutMs === undefined || isKeyed ? null : now() + timeoutMs,
    children: [],
  };
  return children === undefined ? added : withChildren(added, children, call);
}

/** They run in its context, as the options of each say. */
function withChildren(job: NewJob, encoded: readonly EncodedChild[], call: SubmittedCall): NewJob {
  const children = encoded.map((child) => {
    checkSize("argument list", child.args, call.maxPayloadBytes);
    const { args, source, options } = child;
    const { priority, timeoutMs, runTimeoutMs, retries, saidRetries, flowContext } = options;
    const { attempts, backoffMs } = (options.own as Delivery | undefined) ?? defaultDelivery;
    const added: NewJob = {
      id: randomUUID(),
      queue: call.queueOf(source.url),
      request: {
        ...job.request,
        fn: source.name,
        args,
        digest: null,
        context: flowContext ? job.request.context : null,
        reports: false,
        lostRetries: saidRetries ?? LOST_RETRIES,
        threadRetries: retries,
        runTimeoutMs: runTimeoutMs ?? null,
        children: null,
      },
      priority: priority + 1,
      attempts,
      backoffMs,
      expiresAt: timeoutMs === undefined ? null : now() + timeoutMs,
      children: [],
    };
    return child.children === null ? added : withChildren(added, child.children, call);
  });
  return { ...job, request: { ...job.request, children: children.map(({ id }) => id) }, children };
}
