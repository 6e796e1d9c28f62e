/**
 * The TracingChannel `skein:batch`: one operation for each time that a batch goes to the pump, on the thread of the consumer. A store that a
 * subscriber binds to `start` is in place for the pump, and after each of its awaits; otherwise it has the empty context.
 *
 * Events     `start`, the pump, `end`, then, when what it returned has settled, `error` if it failed, `asyncStart` and `asyncEnd`; once each,
 *            and before the batch ends: its items and their contexts are still there.
 * What subscribers throw is an uncaught exception, as Node has it, and the batch is none the worse.
 */
import { type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import type { AsyncScope } from "@skein/context";
import { isThenable } from "./native-promise.ts";

/** The one message of a batch, of all events of `tracing:skein:batch:*`. */
export interface TracedBatch {
  /** The `name` of the consumer. */
  readonly name: string | null;
  readonly slot: number;
  /** How many items it has. */
  readonly size: number;
  /** 1, and one more for each time that the pump has failed. */
  readonly attempt: number;
  /**
   * The context in which an item was pushed, by its index; until `asyncEnd`. May run code of a `flow`, and throw what that throws. Null for
   * a consumer without `flowContext`.
   */
  readonly contextOf: ((index: number) => AsyncScope) | null;
  /** From `asyncStart` on. */
  outcome: "completed" | "failed" | null;
  /** From `error` on. */
  error?: unknown;
}

const tracing: TracingChannel<TracedBatch, TracedBatch> = tracingChannel<TracedBatch, TracedBatch>(
  "skein:batch",
);
/** Captured: the properties of the channel can be replaced. */
const { start, end, asyncStart, asyncEnd, error: failure } = tracing;

/** Whether somebody subscribes to any event of the channel. */
export function someoneTracesBatches(): boolean {
  return (
    asyncEnd.hasSubscribers ||
    start.hasSubscribers ||
    end.hasSubscribers ||
    failure.hasSubscribers ||
    asyncStart.hasSubscribers
  );
}

/**
 * Calls `pump` within the stores of the subscribers. What it returns, or a promise for that, if it is one.
 * @throws what `pump` throws.
 */
export function traceBatch(
  about: Omit<TracedBatch, "outcome" | "error">,
  pump: () => PromiseLike<void> | void,
): PromiseLike<void> | void {
  const batch: TracedBatch = { ...about, outcome: null };
  return start.runStores(batch, () => {
    let returned: PromiseLike<void> | void;
    try {
      returned = pump();
    } catch (error) {
      end.publish(batch);
      settle(batch, "failed", error);
      throw error;
    }
    end.publish(batch);
    if (isThenable(returned)) return follow(batch, returned);
    settle(batch, "completed");
    return undefined;
  });
}

async function follow(batch: TracedBatch, returned: PromiseLike<void>): Promise<void> {
  try {
    await returned;
  } catch (error) {
    settle(batch, "failed", error);
    throw error;
  }
  settle(batch, "completed");
}

function settle(batch: TracedBatch, outcome: "completed" | "failed", error?: unknown): void {
  batch.outcome = outcome;
  if (outcome === "failed") {
    batch.error = error;
    failure.publish(batch);
  }
  asyncStart.publish(batch);
  asyncEnd.publish(batch);
}
