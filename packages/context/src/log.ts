/** The current context as fields of a log line. */
import { activeSpan } from "./active-span.ts";
import { current } from "./ambient.ts";
import { absent } from "./context-key.ts";
import type { ContextState } from "./context-state.ts";
import { findByName, namesClaimed } from "./flowing-names.ts";
import { define } from "./intrinsics.ts";
import { threadFields } from "./line-fields.ts";
import { RecentMap } from "./recent-map.ts";

interface CachedFields {
  readonly fields: Readonly<Record<string, unknown>>;
  /** A local defined later may find its value in a carried context: then the fields are read again. */
  readonly asOf: number;
}

const cache = new RecentMap<ContextState, CachedFields>();

/**
 * The fields of a log line: the `mixin` of a pino logger, on the main thread and in jobs.
 *
 * - The locals that flow to threads or on the wire, by name. Only values that were set; defaults, and values that their codec refuses, are
 *   left out. In a job also those whose module was not imported on the thread: as JSON gives them, or as their text. Never the store of a
 *   `flow`.
 * - `trace_id` and `span_id` while a span of OpenTelemetry is active.
 * - On a pool thread `threadId`, and in a job `jobId`: the same for all lines of a job. Only forks that their own thread calls in `join` share one.
 *
 * A local of one of these names takes precedence. The context is read once; each call gives a copy, because loggers write into what a mixin
 * returns.
 *
 * @example
 * const log = pino({ mixin: contextFields }, pino.destination({ dest: 1, sync: true }));
 */
export function contextFields(): Record<string, unknown> {
  const state = current();
  // As it is before codecs are called: these may make a local.
  const asOf = namesClaimed();
  let cached = cache.get(state);
  if (cached === undefined || cached.asOf !== asOf) {
    cached = { fields: readFields(state), asOf };
    cache.set(state, cached);
  }
  return { ...threadFields(), ...activeSpan(), ...cached.fields };
}

function readFields({ carried, keys, held }: ContextState): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const add = (name: string, value: unknown): void => {
    if (value !== absent && value !== undefined) define(fields, name, value, true);
  };
  for (const name of carried?.names ?? []) {
    try {
      add(name, carried!.lookupForLog(name, findByName(name)));
    } catch {
      // A log line must not fail because another machine sent a bad value; whoever reads the local is told.
    }
  }
  for (const [index, { name, flow }] of keys.entries())
    if (flow !== "local" && name !== undefined) add(name, held[index]!.value);
  return fields;
}
