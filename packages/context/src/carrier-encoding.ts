import { carrierPieces, fitPieces, fitsAlone, piecesBehind, prefixOf, writeCarrier } from "./carrier-text.ts";
import type { CarrierReach, ContextCarrier, WrittenEntry } from "./carrier-text.ts";
import { ContextEncodeError } from "./context-errors.ts";
import type { ContextFlow, ContextKey } from "./context-key.ts";
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
  return writeCarrier(entriesOf(state, reach));
}

/**
 * What `encodeState` would give, and these entries besides, in pieces; each stands in for what the state has under its name. Null when there
 * is nothing.
 *
 * @param own The text of the state, as far as it was made already.
 * @throws ContextTooLargeError
 */
export function piecesWith(
  state: ContextState,
  reach: CarrierReach,
  own: ContextCarrier | null | undefined,
  added: readonly WrittenEntry[],
): readonly string[] | null {
  if (own === null) return carrierPieces(added);
  if (own !== undefined && added.length === 0) return [own];
  if (own !== undefined && !added.some(({ name }) => hasEntry(state, name))) {
    const pieces = piecesBehind(own, added);
    if (fitPieces(pieces)) return pieces;
  }
  const entries = entriesOf(state, reach);
  if (added.length === 0) return carrierPieces(entries);
  const kept = entries.filter(({ name }) => !added.some((other) => other.name === name));
  return carrierPieces([...kept, ...added]);
}

function hasEntry({ keys, carried }: ContextState, name: string): boolean {
  return carried?.values.has(name) === true || keys.some((key) => key.name === name && key.flow !== "local");
}

function entriesOf(state: ContextState, reach: CarrierReach): readonly WrittenEntry[] {
  let entries: WrittenEntry[] | null = null;
  if (state.carried !== null) {
    for (const entry of state.carried.written())
      if (flowsTo(entry.reach, reach)) entries = withEntry(entries, entry);
  }
  const { keys, held } = state;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    if (key.name === undefined || !flowsTo(key.flow, reach)) continue;
    const value = held[index]!;
    if (value.value !== undefined) entries = withEntry(entries, value.written ?? writeValue(key, value));
  }
  return entries ?? [];
}

/** The list with one more; null: an empty one. */
export function withEntry(list: WrittenEntry[] | null, entry: WrittenEntry): WrittenEntry[] {
  if (list === null) return [entry];
  list.push(entry);
  return list;
}

export function flowsTo(flow: ContextFlow, reach: CarrierReach): boolean {
  return flow === "wire" || (flow === "thread" && reach === "thread");
}

/** JSON would only quote it. UTF-8 has no lone surrogates: those it escapes. */
function isPlain(key: ContextKey, value: unknown): value is string {
  return key.codec === jsonCodec && typeof value === "string" && isWellFormed(value);
}

/** For a key that has a name and flows. @throws ContextEncodeError */
export function writeValue(key: ContextKey, value: HeldValue): WrittenEntry {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const { name, flow: reach, isStore } = key as ContextKey & { name: string; flow: CarrierReach };
  const content = value.value;
  const plain = isPlain(key, content);
  const text = plain ? content : encodeValue(key, name, content);
  let known = plain ? key.plainPrefix : key.encodedPrefix;
  if (known?.length !== text.length) {
    known = { length: text.length, prefix: prefixOf(reach, name, plain, isStore, text.length) };
    if (plain) key.plainPrefix = known;
    else key.encodedPrefix = known;
  }
  const written: WrittenEntry = { reach, name, prefix: known.prefix, text };
  // A text that cannot travel is not worth its memory.
  if (fitsAlone(written)) value.written ??= written;
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
  if (key.codec !== jsonCodec && !isWellFormed(text))
    throw new ContextEncodeError(
      name,
      "its codec gave text with lone surrogates, which cannot be sent. Have it give bytes as base64, and strings as JSON",
    );
  return text;
}

function reasonOf(cause: unknown): string {
  try {
    return cause instanceof Error ? cause.message : String(cause);
  } catch {
    return "its codec threw something that has no text";
  }
}
