/**
 * The thread's side of an engine without shared memory: runs one job, in its context and with nothing of anybody else's, and makes its
 * reply. As worker/job-runner.ts, which does the same for a pool's own threads.
 */
import { CarriedScope, ExecutionContext } from "@skein/context";
import { toWire } from "../codec/error-wire.ts";
import { JobCanceledError, NotSupportedError } from "../errors.ts";
import { forgetMovesOf, withoutUncloneable } from "../jobs/chunk-job.ts";
import type { JobFunction } from "../jobs/exported-function.ts";
import { someoneTracesRuns, traceRun } from "../jobs/run-tracing.ts";
import { type AnyGenerator, isGenerator } from "../jobs/generators.ts";
import { isThenable } from "../jobs/thenable.ts";
import { CallState } from "../shared/call-state.ts";
import { moveListOf } from "../transfer/move.ts";
import { jobsElsewhere } from "../worker/current-job.ts";
import { type KnownFunction, KnownFunctions } from "../worker/known-functions.ts";
import { findExportsBy } from "../worker/loaded-exports.ts";
import { loadJobModule } from "../worker/load-module-here.ts";
import { ModuleTable } from "../worker/module-table.ts";
import { apply, leaveCurrent, publishStart, restoreCurrent, scopeFrom } from "../worker/surroundings.ts";
import { CallInProgress } from "./call-in-progress.ts";
import { decodeArguments, decodeValue, dropValue, encodeValue } from "./encoded-value.ts";
import type { JobRequest, SentReply } from "./job-request.ts";
import { ownValue, Promise } from "../shared/intrinsics.ts";

let onStuck = (): void => {};
const functions = new KnownFunctions(new ModuleTable(() => onStuck(), loadJobModule));
findExportsBy(functions.exported);
const withdrawn: SentReply = { reply: { kind: "withdrawn" }, transfer: [] };

/**
 * Calls back when a module has failed for good here, and would not elsewhere: see worker/module-table.ts. Without a listener the pool replaces the
 * thread, on one of its own; on any other it stays so.
 */
export function whenStuck(listener: () => void): void {
  onStuck = listener;
}

/**
 * Runs a job on this thread, for an adapter's thread: loads its module, enters its context, calls its function. Jobs may overlap. Inside,
 * `@skein/pool/worker` knows the job.
 *
 * @returns the reply for whoever sent the request: no promise when the function has returned at once. A promise never rejects.
 */
export function runJob(request: JobRequest): SentReply | Promise<SentReply> {
  let sent: SentReply | null = null;
  let tell: ((reply: SentReply) => void) | null = null;
  const done = (reply: SentReply): void => {
    if (tell === null) sent = reply;
    else tell(reply);
  };
  startJob(request, done, (call) => call());
  return (
    sent ??
    new Promise((resolve) => {
      tell = resolve;
    })
  );
}

/**
 * The same with a callback: at once when the function has returned, and no promise.
 *
 * @param place Calls `call` once, where functions are called whose module had to be loaded first.
 */
export function startJob(
  request: JobRequest,
  done: (sent: SentReply) => void,
  place: (call: () => void) => void,
): void {
  const state = new CallState(request.state);
  if (!state.begin()) {
    done(withdrawn);
    return;
  }
  request.reports?.postMessage({ kind: "began" });
  const end = (sent: SentReply): void => {
    state.end();
    done(sent);
  };
  const known = functions.of(request.fn);
  try {
    if (known.fn === null) functions.resolve(known);
  } catch (error) {
    refuse(request, known.explain(error), end);
    return;
  }
  if (known.fn !== null) call(request, state, known, known.fn, end, place);
  else void loadAndCall(request, state, known, end, place);
}

async function loadAndCall(
  request: JobRequest,
  state: CallState,
  known: KnownFunction,
  end: (sent: SentReply) => void,
  place: (call: () => void) => void,
): Promise<void> {
  let fn: JobFunction;
  try {
    fn = await functions.load(known);
  } catch (error) {
    refuse(request, known.explain(error), end);
    return;
  }
  place(() => {
    if (state.isStopping)
      refuse(request, new JobCanceledError(undefined, "The job was asked to stop before it began"), end);
    else call(request, state, known, fn, end, place);
  });
}

/** The function will not be called: nobody receives its arguments. */
function refuse(request: JobRequest, error: unknown, end: (sent: SentReply) => void): void {
  dropValue(request.args);
  end(errorReply(error, isBytesOnly(request)));
}

function call(
  request: JobRequest,
  state: CallState,
  known: KnownFunction,
  fn: JobFunction,
  end: (sent: SentReply) => void,
  place: (call: () => void) => void,
): void {
  const { args, context, reports, attempt } = request;
  const isRemote = ownValue(request, "isRemote") === true;
  const bytesOnly = isBytesOnly(request);
  const streams = ownValue(request, "streams");
  const received = ownValue(request, "received");
  const outside = leaveCurrent();
  let sent: SentReply;
  try {
    const list = (received === undefined ? decodeValue(args) : decodeArguments(args, received)) as unknown[];
    const scope = scopeFrom(
      context === null ? null : new CarriedScope(ExecutionContext.fromCarrier(context)),
    );
    const job = new CallInProgress(state, reports, scope);
    publishStart(known.source, scope);
    const storage = jobsElsewhere();
    const callInJob = (): unknown => storage.run(job, apply, fn, list);
    const returned = scope.run(() =>
      someoneTracesRuns(known.source)
        ? traceRun(known.source, { id: job.id, attempt, waitMs: null, isRemote }, callInJob)
        : callInJob(),
    );
    const open = (generator: AnyGenerator): void => {
      if (streams === undefined) throw new NotSupportedError("streams", "This engine", "a generator");
      const inJob = (step: () => unknown): unknown => inScope(() => scope.run(() => storage.run(job, step)));
      streams({
        next: () => inJob(() => generator.next()),
        return: () => inJob(() => generator.return(undefined)),
        place,
        returned: (value) => end(resultReply(value, bytesOnly)),
        failed: (error) => end(errorReply(known.explain(error), bytesOnly)),
      });
    };
    if (isThenable(returned)) {
      void settleLater(known, returned, bytesOnly, end, open);
      return;
    }
    if (typeof returned === "object" && returned !== null && isGenerator(returned)) {
      open(returned);
      return;
    }
    sent = resultReply(returned, bytesOnly);
  } catch (error) {
    sent = errorReply(known.explain(error), bytesOnly);
  } finally {
    restoreCurrent(outside);
  }
  end(sent);
}

function isBytesOnly(request: JobRequest): boolean {
  return ownValue(request, "bytesOnly") === true;
}

/** With nothing current, as a function is called. */
function inScope<R>(fn: () => R): R {
  const outside = leaveCurrent();
  try {
    return fn();
  } finally {
    restoreCurrent(outside);
  }
}

async function settleLater(
  known: KnownFunction,
  returned: PromiseLike<unknown>,
  bytesOnly: boolean,
  end: (sent: SentReply) => void,
  open: (generator: AnyGenerator) => void,
): Promise<void> {
  let sent: SentReply;
  try {
    const result = await returned;
    if (typeof result === "object" && result !== null && isGenerator(result)) {
      open(result);
      return;
    }
    sent = resultReply(result, bytesOnly);
  } catch (error) {
    sent = errorReply(known.explain(error), bytesOnly);
  }
  end(sent);
}

/** A value that cannot be cloned becomes an error of the job. */
function resultReply(result: unknown, bytesOnly: boolean): SentReply {
  try {
    const moved = moveListOf(result);
    const { value, transfer } = encodeValue(result, "result", { transfer: moved, bytesOnly });
    if (moved !== null) forgetMovesOf(result);
    return { reply: { kind: "result", value }, transfer };
  } catch (error) {
    const shorter = withoutUncloneable(result, error);
    return shorter === null ? errorReply(error, bytesOnly) : resultReply(shorter, bytesOnly);
  }
}

function errorReply(error: unknown, bytesOnly: boolean): SentReply {
  try {
    return encodedError(error, bytesOnly);
  } catch (notSent) {
    return encodedError(notSent, bytesOnly);
  }
}

function encodedError(error: unknown, bytesOnly: boolean): SentReply {
  const { value, transfer } = encodeValue(toWire(error, bytesOnly), "error", { bytesOnly });
  return { reply: { kind: "error", value }, transfer };
}
