/**
 * The flows of this thread: storages that are not ours and travel as our own values do. What they hold is read in the caller when a
 * context leaves the thread, one text for each store.
 *
 * Storages of others (`flow`) are no part of the context: they change without us. They are read when a context leaves the thread, and
 * each store keeps its text. So the arena finds such contexts by their text, where others are found by their identity. On arrival their
 * text leaves the context and goes into the storages, once per distinct context: what is in a storage is never in the context too, and
 * the storage is what the next hop reads. In a batch they are entered when the pump asks, so no code of users runs while items move.
 */
import { isolated } from "./ambient.ts";
import { flowsTo, withEntry, writeValue } from "./carrier-encoding.ts";
import { fitsAlone, fitsCarrier } from "./carrier-text.ts";
import type { CarrierReach, WrittenEntry } from "./carrier-text.ts";
import type { ContextKey } from "./context-key.ts";
import type { HeldValue } from "./context-state.ts";
import { claimAlone, releaseName } from "./flowing-names.ts";
import { is } from "./intrinsics.ts";
import { RecentMap } from "./recent-map.ts";
import { shared } from "./this-copy.ts";

/** What a flow does, with every option resolved. */
export interface FlowParts {
  readonly name: string;
  /** Its reach is the `flow` of the key. */
  readonly key: ContextKey;
  readonly capture: () => unknown;
  readonly enter: (value: unknown, fn: () => unknown) => unknown;
  /** For a storage of Node's: has the value from here on. */
  readonly enterHere: ((value: unknown) => void) | null;
  /** Stores change in place: each is read anew each time, and each job has a copy of its own. */
  readonly isMutable: boolean;
  readonly ignoresErrors: boolean;
}

export interface Flow extends FlowParts {
  /** Of the stores that were sent lately. */
  readonly texts: { get(store: object): HeldValue | undefined; set(store: object, held: HeldValue): void };
  /** Of stores that are no objects, the last one. */
  lastPlain: HeldValue;
}

interface Flows {
  /** Never changes: another one takes its place. */
  list: readonly Flow[];
  /** Hot paths look here, and no farther while there is none. */
  isEmpty: boolean;
  /** Goes up whenever a flow comes or goes: what was made of a carrier before may be out of date. */
  changes: number;
  /** A job or message that a flow's own `capture` or codec sends goes without. */
  isReading: boolean;
}

/** @internal For the packages of Skein. */
export const flows: Flows = shared("flows", () => ({
  list: [],
  isEmpty: true,
  changes: 0,
  isReading: false,
}));

/** @throws DuplicateNameError if a flow or an AsyncLocal of this thread flows under this name. */
export function addFlow(parts: FlowParts): Flow {
  claimAlone(parts.name, parts.key);
  const flow: Flow = {
    ...parts,
    texts: new RecentMap(),
    lastPlain: { value: undefined, written: undefined },
  };
  changeTo([...flows.list, flow]);
  return flow;
}

/** Does nothing the second time. */
export function removeFlow(flow: Flow): void {
  if (!flows.list.includes(flow)) return;
  releaseName(flow.name, flow.key);
  changeTo(flows.list.filter((other) => other !== flow));
}

function changeTo(list: readonly Flow[]): void {
  flows.list = list;
  flows.isEmpty = list.length === 0;
  flows.changes++;
}

/**
 * @internal What the flows hold now and goes as far as `reach`; null when that is nothing. The entry of an unchanged store is the same
 * object. Runs code of users.
 *
 * @param last What it gave before: that list again, if it has the same entries.
 * @throws what `capture` throws, ContextEncodeError.
 */
export function readFlows(
  reach: CarrierReach,
  last: readonly WrittenEntry[] | null = null,
): readonly WrittenEntry[] | null {
  if (flows.isReading) return null;
  const { list } = flows;
  let entries: WrittenEntry[] | null = null;
  /** So many are as in the last list; the others are in `entries`, with these, as soon as there is one. */
  let same = 0;
  flows.isReading = true;
  try {
    for (let index = 0; index < list.length; index++) {
      const flow = list[index]!;
      const entry = flowsTo(flow.key.flow, reach) ? readFlow(flow) : null;
      if (entry === null) continue;
      if (entries === null && last !== null && same < last.length && last[same] === entry) same++;
      else entries = withEntry(entries ?? (same === 0 ? null : last!.slice(0, same)), entry);
    }
  } finally {
    flows.isReading = false;
  }
  if (entries !== null) return entries;
  return same === 0 ? null : same === last!.length ? last : last!.slice(0, same);
}

function readFlow(flow: Flow): WrittenEntry | null {
  if (!flow.ignoresErrors) return writtenNow(flow);
  try {
    const entry = writtenNow(flow);
    return entry !== null && fitsAlone(entry) ? entry : null;
  } catch {
    return null;
  }
}

function writtenNow(flow: Flow): WrittenEntry | null {
  const store = flow.capture();
  if (store === undefined) return null;
  const held = flow.isMutable ? { value: store, written: undefined } : heldFor(flow, store);
  return held.written ?? writeValue(flow.key, held);
}

function heldFor(flow: Flow, store: unknown): HeldValue {
  const isObject = (typeof store === "object" && store !== null) || typeof store === "function";
  const known = isObject ? flow.texts.get(store) : flow.lastPlain;
  if (known !== undefined && is(known.value, store)) return known;
  const held: HeldValue = { value: store, written: undefined };
  if (isObject) flow.texts.set(store, held);
  // A string that is too large to travel is not kept.
  else if (typeof store !== "string" || fitsCarrier(store)) flow.lastPlain = held;
  return held;
}

/** As the engine calls it: what it sets does not reach whoever sends the value. */
export function isolatedCapture(capture: () => unknown): () => unknown {
  return () => isolated(capture, []);
}
