/**
 * What carriers of one program have in common: which values they have, and to which flows of this thread those belong. Most carriers are
 * like the one before, with other texts. Such a one is recognized by its letters and names, and not taken apart.
 */
import { Buffer } from "node:buffer";
import { decodeText } from "./carried-values.ts";
import { digitsOf, lengthAt, readCarrier, startOf, version } from "./carrier-text.ts";
import type { CarrierEntry, ContextCarrier } from "./carrier-text.ts";
import { flows } from "./registered-flows.ts";
import type { Flow } from "./registered-flows.ts";

interface ShapedEntry {
  /** All that stands before the length of its text. */
  readonly start: string;
  readonly isPlain: boolean;
  /** Null: the value is of the context, and none of a storage. */
  readonly flow: Flow | null;
}

export interface CarrierShape {
  readonly entries: readonly ShapedEntry[];
  /** Whether none of the values is of a storage. */
  readonly isOfContext: boolean;
  /** Whether all of them are of storages of Node's, which are entered in place, and shared by all who come with this text. */
  readonly isOfStorages: boolean;
  /** What belongs to a flow changes when one comes or goes. */
  readonly asOf: number;
}

let last: CarrierShape | null = null;

/** @param carrier Made by `toCarrier` of this process. */
export function shapeOf(carrier: ContextCarrier): CarrierShape {
  if (last !== null && last.asOf === flows.changes && isLike(last, carrier)) return last;
  return (last = newShape(carrier));
}

function isLike({ entries }: CarrierShape, carrier: ContextCarrier): boolean {
  let at = version.length;
  for (let index = 0; index < entries.length; index++) {
    const { start } = entries[index]!;
    if (!carrier.startsWith(start, at)) return false;
    const length = lengthAt(carrier, at + start.length);
    at += start.length + digitsOf(length) + 1 + length;
  }
  return at === carrier.length;
}

function newShape(carrier: ContextCarrier): CarrierShape {
  const entries = [...readCarrier(carrier, shapedEntry).values()];
  return {
    entries,
    isOfContext: entries.every(({ flow }) => flow === null),
    isOfStorages: entries.every(({ flow }) => flow !== null && flow.enterHere !== null && !flow.isMutable),
    asOf: flows.changes,
  };
}

function shapedEntry({ reach, name, isPlain, isStore }: CarrierEntry): ShapedEntry {
  const start = startOf(reach, name, isPlain, isStore);
  return {
    // A copy: the name is a part of the carrier, and would keep all of it.
    start: Buffer.from(start, "utf16le").toString("utf16le"),
    isPlain,
    flow: flows.list.find((flow) => flow.name === name) ?? null,
  };
}

/**
 * Enters all values of a carrier whose shape `isOfStorages`. Runs codecs of users.
 * @throws InvalidCarrierError if a codec refuses its text.
 */
export function enterStorages({ entries }: CarrierShape, carrier: ContextCarrier): void {
  let at = version.length;
  for (let index = 0; index < entries.length; index++) {
    const { start, isPlain, flow } = entries[index]!;
    const length = lengthAt(carrier, at + start.length);
    const textAt = at + start.length + digitsOf(length) + 1;
    at = textAt + length;
    const value = valueFor(flow!, carrier.slice(textAt, at), isPlain);
    if (value !== undefined) flow!.enterHere!(value);
  }
}

/** Undefined: it is left out. */
function valueFor({ name, key, ignoresErrors }: Flow, text: string, isPlain: boolean): unknown {
  try {
    return decodeText(key.codec, name, text, isPlain);
  } catch (error) {
    if (!ignoresErrors) throw error;
    return undefined;
  }
}
