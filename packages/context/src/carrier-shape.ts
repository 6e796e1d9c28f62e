/**
 * What carriers of one program have in common: which values they have, and to which flows of this thread those belong. Most carriers are
 * like the one before, with other texts. Such a one is recognized by its letters and names, and not taken apart: in bytes it costs no call out
 * of JavaScript, as a rule.
 */
import { Buffer } from "node:buffer";
import { decodeText } from "./carried-values.ts";
import { digitsOf, lengthAt, readCarrier, startOf, version } from "./carrier-text.ts";
import type { CarrierEntry, ContextCarrier } from "./carrier-text.ts";
import { fromCharCode } from "./intrinsics.ts";
import { flows } from "./registered-flows.ts";
import type { Flow } from "./registered-flows.ts";

interface ShapedEntry {
  /** All that stands before the length of its text. */
  readonly start: string;
  /** The same in UTF-8. */
  readonly startBytes: Uint8Array;
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

/** Makes a string of UTF-8. */
export type TextOf = (bytes: Uint8Array, start: number, end: number) => string;

const codeOfVersion = version.charCodeAt(0);
const codeOf0 = "0".charCodeAt(0);
const colon = ":".charCodeAt(0);
/** Longer texts are made by a call out of JavaScript. */
const shortText = 16;

let last: CarrierShape | null = null;

function lastShape(): CarrierShape | null {
  return last !== null && last.asOf === flows.changes ? last : null;
}

/** @param carrier Made by `toCarrier` of this process. */
export function shapeOf(carrier: ContextCarrier): CarrierShape {
  const known = lastShape();
  return known !== null && isLike(known, carrier) ? known : (last = newShape(carrier));
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
  const startBytes = Buffer.from(start);
  return {
    // A copy: the name is a part of the carrier, and would keep all of it.
    start: startBytes.toString(),
    startBytes,
    isPlain,
    flow: flows.list.find((flow) => flow.name === name) ?? null,
  };
}

/** Of a carrier whose shape `isOfStorages`: the text of each value. */
export interface CarriedStores {
  readonly shape: CarrierShape;
  readonly texts: readonly string[];
}

export function storesOf(shape: CarrierShape, carrier: ContextCarrier): CarriedStores {
  let at = version.length;
  const texts = shape.entries.map(({ start }) => {
    const length = lengthAt(carrier, at + start.length);
    at += start.length + digitsOf(length) + 1 + length;
    return carrier.slice(at - length, at);
  });
  return { shape, texts };
}

/** The same of the bytes of a carrier of this process. Null: it is not like the one before, has other values too, or is not all ASCII. */
export function storesIn(
  bytes: Uint8Array,
  start: number,
  end: number,
  textOf: TextOf,
): CarriedStores | null {
  const shape = lastShape();
  if (shape === null || !shape.isOfStorages || bytes[start] !== codeOfVersion) return null;
  const { entries } = shape;
  let texts: string[] | null = null;
  let at = start + 1;
  for (let index = 0; index < entries.length; index++) {
    const { startBytes } = entries[index]!;
    for (let i = 0; i < startBytes.length; i++) if (bytes[at + i] !== startBytes[i]) return null;
    at += startBytes.length;
    let length = 0;
    for (; at < end && bytes[at] !== colon; at++) length = length * 10 + bytes[at]! - codeOf0;
    const textAt = at + 1;
    at = textAt + length;
    if (at > end || !isAscii(bytes, textAt, at)) return null;
    const text = length > shortText ? textOf(bytes, textAt, at) : shortTextOf(bytes, textAt, at);
    if (texts === null) texts = [text];
    else texts.push(text);
  }
  return texts === null || at !== end ? null : { shape, texts };
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= bytes[at]!;
  return bits < 0x80;
}

function shortTextOf(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let at = start;
  for (; at + 4 <= end; at += 4)
    text += fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
  for (; at < end; at++) text += fromCharCode(bytes[at]!);
  return text;
}

/** The carrier that the stores came with. */
export function carrierOf({ shape, texts }: CarriedStores): ContextCarrier {
  return shape.entries.reduce(
    (carrier, { start }, index) => `${carrier}${start}${texts[index]!.length}:${texts[index]!}`,
    version,
  );
}

/**
 * Runs codecs of users.
 * @throws InvalidCarrierError if a codec refuses its text.
 */
export function enterStores({ shape, texts }: CarriedStores): void {
  const { entries } = shape;
  for (let index = 0; index < entries.length; index++) {
    const { isPlain, flow } = entries[index]!;
    const value = valueFor(flow!, texts[index]!, isPlain);
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
