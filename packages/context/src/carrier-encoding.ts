import { fitsCarrier, writeCarrier, writeEntry } from "./carrier-text.ts";
import type { CarrierReach, ContextCarrier, WrittenEntry } from "./carrier-text.ts";
import { ContextEncodeError } from "./context-errors.ts";
import type { ContextKey } from "./context-key.ts";
import type { ContextState, HeldValue } from "./context-state.ts";
import { isWellFormed } from "./intrinsics.ts";
import { jsonCodec } from "./json-codec.ts";

/**
 * The values of a state that flow as far as `reach`, as one text; null when there are none.
 *
 * A codec may do what it likes here, also ask for the text of this very state: nothing of the state changes but texts
 * that are not there yet, and the first one that was made is kept.
 */
export function encodeState(state: ContextState, reach: CarrierReach): ContextCarrier | null {
  const entries: WrittenEntry[] = [];
  if (state.carried !== null) {
    for (const entry of state.carried.written()) if (flowsTo(entry.reach, reach)) entries.push(entry);
  }
  const { keys, held } = state;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    if (key.flow === "local" || key.name === undefined || !flowsTo(key.flow, reach)) continue;
    const value = held[index]!;
    if (value.value !== undefined) entries.push(value.written ?? writeValue(key, key.name, key.flow, value));
  }
  return writeCarrier(entries);
}

function flowsTo(flow: CarrierReach, reach: CarrierReach): boolean {
  return reach === "thread" || flow === "wire";
}

/** JSON would only quote it. UTF-8 has no lone surrogates: those it escapes. */
function isPlain(key: ContextKey, value: unknown): value is string {
  return key.codec === jsonCodec && typeof value === "string" && isWellFormed(value);
}

function writeValue(key: ContextKey, name: string, reach: CarrierReach, value: HeldValue): WrittenEntry {
  const content = value.value;
  const written = isPlain(key, content)
    ? writeEntry({ reach, name, text: content, isPlain: true })
    : writeEntry({ reach, name, text: encodeValue(key, name, content), isPlain: false });
  // A text that cannot travel is not worth its memory.
  if (fitsCarrier(written.chars)) value.written ??= written;
  return value.written ?? written;
}

function encodeValue(key: ContextKey, name: string, value: unknown): string {
  let text: unknown;
  try {
    text = key.codec.encode(value);
  } catch (cause) {
    // A codec that asks for its own text again and again ends here once for each time: one error is enough.
    if (cause instanceof ContextEncodeError && cause.localName === name) throw cause;
    throw new ContextEncodeError(name, reasonOf(cause), { cause });
  }
  if (typeof text !== "string") throw new ContextEncodeError(name, `its codec gave a ${typeof text}`);
  return text;
}

function reasonOf(cause: unknown): string {
  try {
    return cause instanceof Error ? cause.message : String(cause);
  } catch {
    return "its codec threw something that has no text";
  }
}
