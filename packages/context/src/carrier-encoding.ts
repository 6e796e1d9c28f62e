import { writeCarrier } from "./carrier-text.ts";
import type { CarrierEntry, CarrierReach, ContextCarrier } from "./carrier-text.ts";
import { ContextEncodeError } from "./context-errors.ts";
import { absent } from "./context-key.ts";
import type { ContextKey } from "./context-key.ts";
import type { ContextState } from "./context-state.ts";

/** The values of a state that flow as far as `reach`, as one text; null when there are none. */
export function encodeState(state: ContextState, reach: CarrierReach): ContextCarrier | null {
  const entries: CarrierEntry[] = [];
  if (state.carried !== null) {
    for (const entry of state.carried.entries()) if (flowsTo(entry.reach, reach)) entries.push(entry);
  }
  for (const key of state.keys) {
    if (key.flow === "local" || key.name === undefined || !flowsTo(key.flow, reach)) continue;
    const value = state.lookup(key);
    if (value === absent || value === undefined) continue;
    entries.push({ reach: key.flow, name: key.name, text: encodeValue(key, key.name, value) });
  }
  return writeCarrier(entries);
}

function flowsTo(flow: CarrierReach, reach: CarrierReach): boolean {
  return reach === "thread" || flow === "wire";
}

function encodeValue(key: ContextKey, name: string, value: unknown): string {
  let text: unknown;
  try {
    text = key.codec.encode(value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ContextEncodeError(name, reason, { cause });
  }
  if (typeof text !== "string") throw new ContextEncodeError(name, `its codec gave a ${typeof text}`);
  return text;
}
