/**
 * What drives a generator method: runs its body until that waits for something pending, and is then the continuation of
 * that wait.
 *
 * Life     the body runs on the caller's stack until its first real wait; only then is there a box, one for all
 *          the waits of the call (A9.3). On completion it lets go of everything (A9.7).
 * Context  captured at a wait if it has changed since the last one; the body resumes in it (A9.4). Our own locals are compared;
 *          a storage of others counts as changed only together with ours, or where storages run on async_hooks.
 * Changes  of ExecutionContext and SynchronizationContext inside, and of any AsyncLocalStorage, never reach the caller, nor whoever
 *          completes an operation (A9.1): whatever resumes a continuation puts the latter back.
 */

import { AsyncScope, ExecutionContext } from "@skein/context";
import { InvalidOperationError } from "@skein/context/errors";
import { enqueueAsynchronous } from "../asynchronous-queue.ts";
import { isThenable } from "../adopt.ts";
import { isAwaitable } from "../awaiting/awaiter.ts";
import { suspensionFor } from "../awaiting/foreign-awaiter.ts";
import { isSuspension } from "../awaiting/suspension.ts";
import type { Resumable, Suspension } from "../awaiting/suspension.ts";
import { enqueue } from "../continuation-policy.ts";
import type { Place } from "../continuation-policy.ts";
import { capturedPlace } from "../task-scheduler.ts";
import { reportUncaught } from "../uncaught.ts";
import { forgetMethod, watchMethod } from "./abandoned-methods.ts";
import type { AsyncMethodBuilder, MethodBody } from "./method-builder.ts";
import { TaskBuilder } from "./task-builder.ts";

type Body = Generator<unknown, unknown, unknown>;

/**
 * Methods that begin inside each other's first part use the caller's stack. Beyond this depth one begins from the queue
 * instead of overflowing it.
 */
const MAX_START_DEPTH = 200;

let startDepth = 0;

/** Calls a generator method. What it throws goes to the builder. */
export function startMethod<This, A extends unknown[], R>(
  body: MethodBody<This, A, unknown>,
  thisArg: This,
  args: A,
  builder: AsyncMethodBuilder<R>,
): R {
  startDepth++;
  try {
    ExecutionContext.isolate(begin<This, A, R>, body, thisArg, args, builder);
  } finally {
    startDepth--;
  }
  return builder.task;
}

function begin<This, A extends unknown[], R>(
  fn: MethodBody<This, A, unknown>,
  thisArg: This,
  args: A,
  builder: AsyncMethodBuilder<R>,
): void {
  let body: Body;
  try {
    body = Reflect.apply(fn, thisArg, args);
  } catch (error) {
    fail(builder, error);
    return;
  }
  if (startDepth > MAX_START_DEPTH) new MethodBox(body, builder).beginLater();
  else driveMethod(body, builder, null, NEXT, undefined);
}

type Step = IteratorResult<unknown, unknown> | Suspension<unknown>;

/** How the body is to go on. */
const NEXT = 0;
const THROW = 1;

/** What a box waits for that begins from the queue. */
const START = "start";

/** Seen by this file alone. */
class MethodBox implements Resumable {
  policy: Place = "inline";
  readonly isAwait = true;
  body: Body | null;
  builder: AsyncMethodBuilder<unknown> | null;
  /** Null while it runs. */
  wait: Suspension<unknown> | typeof START | null = null;
  /** A plain `yield`: the outcome is sent into the body. After `yield*` the body fetches it by itself. */
  sendsOutcome = false;
  scope: AsyncScope | null = null;
  context: ExecutionContext | null = null;
  /** How often contexts had been changed when the body was last resumed. */
  changes = -1;
  failure: { readonly error: unknown } | null = null;

  constructor(body: Body, builder: AsyncMethodBuilder<unknown>) {
    this.body = body;
    this.builder = builder;
    watchMethod(this, body);
  }

  beginLater(): void {
    this.wait = START;
    this.captureContext();
    enqueue(this, capturedPlace() ?? "asynchronous", false);
  }

  /** `body` is another one when a method returned something to be waited for. */
  waitFor(wait: Suspension<unknown>, sendsOutcome: boolean, body: Body): void {
    if (this.body !== body) this.body = body;
    this.wait = wait;
    if (this.sendsOutcome !== sendsOutcome) this.sendsOutcome = sendsOutcome;
    this.captureContext();
    try {
      wait.suspend(this);
    } catch (error) {
      // The awaiter refused. The body is told, but not from inside its own wait.
      if (this.wait === wait) this.fail(error);
      else reportUncaught(error);
    }
  }

  /** @throws InvalidOperationError when nobody waits here: some source calls back twice (A8.2). */
  invoke(): void {
    const scope = this.scope;
    if (this.wait === null || scope === null)
      throw new InvalidOperationError("A continuation of a generator method was invoked twice");
    scope.runOnce(resumeBox, this);
  }

  /** Nobody could be made to run this: the body learns it where it waits. */
  fail(error: unknown): void {
    this.failure = { error };
    enqueueAsynchronous(this);
  }

  release(): void {
    forgetMethod(this);
    this.body = null;
    this.builder = null;
    this.scope = null;
    this.context = null;
  }

  private captureContext(): void {
    // The common case: nobody has set anything since the body was resumed.
    if (this.scope !== null && this.changes === AsyncScope.changes) return;
    const context = ExecutionContext.capture();
    if (this.scope !== null && context === this.context && context !== null) return;
    this.context = context;
    this.scope = new AsyncScope();
  }
}

/** Its name marks, in a stack trace, that a method was resumed rather than called. */
function resumeBox(box: MethodBox): void {
  const { body, builder, wait } = box;
  box.wait = null;
  if (body === null || builder === null) return;
  box.changes = AsyncScope.changes;
  if (box.failure !== null) {
    const { error } = box.failure;
    box.failure = null;
    driveMethod(body, builder, box, THROW, error);
  } else if (box.sendsOutcome && wait !== null && wait !== START) {
    sendOutcome(body, builder, box, wait);
  } else {
    driveMethod(body, builder, box, NEXT, undefined);
  }
}

function sendOutcome(
  body: Body,
  builder: AsyncMethodBuilder<unknown>,
  box: MethodBox,
  wait: Suspension<unknown>,
): void {
  let mode = NEXT;
  let outcome: unknown;
  try {
    outcome = wait.getResult();
  } catch (error) {
    mode = THROW;
    outcome = error;
  }
  driveMethod(body, builder, box, mode, outcome);
}

/** Runs the body until it completes or has to wait. Its name ends the frames of a method in stack traces. */
function driveMethod(
  body: Body,
  builder: AsyncMethodBuilder<unknown>,
  box: MethodBox | null,
  mode: number,
  sent: unknown,
): void {
  let step: Step;
  try {
    step = mode === THROW ? body.throw(sent) : body.next(sent);
  } catch (error) {
    box?.release();
    fail(builder, error);
    return;
  }
  if (isSuspension(step)) (box ?? new MethodBox(body, builder)).waitFor(step, false, body);
  else if (step.done === true) finish(step.value, body, builder, box);
  else waitForYielded(step.value, body, builder, box);
}

/** A `return`: the result, unless it is something to be waited for. */
function finish(
  result: unknown,
  body: Body,
  builder: AsyncMethodBuilder<unknown>,
  box: MethodBox | null,
): void {
  if ((typeof result === "object" && result !== null) || typeof result === "function") {
    let isPending: boolean;
    try {
      isPending = isAwaitable(result) || isThenable(result);
    } catch (error) {
      // An object whose `then` cannot be read rejects, as in an async function.
      box?.release();
      fail(builder, error);
      return;
    }
    if (isPending) {
      if (builder instanceof TaskBuilder && builder.task === result) {
        box?.release();
        fail(builder, new TypeError("A task cannot wait for itself"));
        return;
      }
      driveMethod(passOn(result), builder, box, NEXT, undefined);
      return;
    }
  }
  box?.release();
  succeed(builder, result);
}

/** A plain `yield`. */
function waitForYielded(
  value: unknown,
  body: Body,
  builder: AsyncMethodBuilder<unknown>,
  box: MethodBox | null,
): void {
  for (let yielded = value; ;) {
    let mode = NEXT;
    let sent: unknown;
    try {
      const wait = suspensionFor(yielded);
      if (!wait.isCompleted) {
        (box ?? new MethodBox(body, builder)).waitFor(wait, true, body);
        return;
      }
      sent = wait.getResult();
    } catch (error) {
      mode = THROW;
      sent = error;
    }
    let step: Step;
    try {
      step = mode === THROW ? body.throw(sent) : body.next(sent);
    } catch (error) {
      box?.release();
      fail(builder, error);
      return;
    }
    if (isSuspension(step)) {
      (box ?? new MethodBox(body, builder)).waitFor(step, false, body);
      return;
    }
    if (step.done === true) {
      finish(step.value, body, builder, box);
      return;
    }
    yielded = step.value;
  }
}

/** What an `async` function does with a promise that it returns. */
function* passOn(result: unknown): Generator<unknown, unknown, unknown> {
  return yield result;
}

function succeed(builder: AsyncMethodBuilder<unknown>, result: unknown): void {
  try {
    builder.setResult(result);
  } catch (error) {
    reportUncaught(error);
  }
}

function fail(builder: AsyncMethodBuilder<unknown>, error: unknown): void {
  try {
    builder.setError(error);
  } catch (failure) {
    reportUncaught(failure);
  }
}
