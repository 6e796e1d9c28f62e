/**
 * The text of a context that travels.
 *
 *   carrier = "1" entry*            the format's version, then the entries, at least one
 *   entry   = kind name text        kind: "t" may enter threads, "w" may go on the wire too; "s" and "r": the same, of a store that `flow` has
 *                                   read. A capital: the text is a string itself, not what a codec made of a value
 *   name    = length ":" chars      length: decimal count of UTF-16 units, without leading zeros
 *   text    = length ":" chars
 *
 * Lengths instead of quotes: nothing is escaped, JSON inside stays as it was, and strings need none. Quoting a kilobyte took longer
 * than everything else that is done with it.
 * Exactly one text exists for a list of entries, so a text that parses can be passed on untouched.
 */
import { Buffer } from "node:buffer";
import { ContextTooLargeError, InvalidCarrierError } from "./context-errors.ts";
import type { ContextFlow } from "./context-key.ts";
import { stringify } from "./intrinsics.ts";

/** A context as text, made by `toCarrier` and read by `fromCarrier`. Opaque; at most 16 KiB of UTF-8. */
export type ContextCarrier = string;

/** How far a carrier goes: into pool threads, or to other machines. */
export type CarrierReach = Exclude<ContextFlow, "local">;

export interface CarrierEntry {
  readonly reach: CarrierReach;
  readonly name: string;
  readonly text: string;
  /** Whether `text` is the value, a string without lone surrogates, and no codec's work. */
  readonly isPlain: boolean;
  /** Of a storage that is not ours, read by `flow`: no field of log lines. */
  readonly isStore: boolean;
}

/** An entry as it stands in a carrier. */
export interface WrittenEntry {
  readonly reach: CarrierReach;
  readonly name: string;
  /** All that stands before `text`. */
  readonly prefix: string;
  readonly text: string;
}

/** Bytes of UTF-8. */
export const carrierLimitBytes: number = 16 * 1024;

export const version = "1";

const codeOf0 = "0".charCodeAt(0);
/** It comes behind the digits. */
const colon = ":".charCodeAt(0) - codeOf0;
/** Of a length: those of the limit. */
const maxLengthDigits = String(carrierLimitBytes).length;

/** UTF-8 takes at most so many bytes for a UTF-16 unit. */
const maxUnitBytes = 3;

type Kind = Pick<CarrierEntry, "reach" | "isPlain" | "isStore">;
/** By the code of the letter that begins an entry. */
const kinds: (Kind | null)[] = Array.from({ length: 128 }, () => null);
for (const isStore of [false, true])
  for (const reach of ["thread", "wire"] as const)
    for (const isPlain of [false, true])
      kinds[letterOf(reach, isPlain, isStore).charCodeAt(0)] = { reach, isPlain, isStore };

function letterOf(reach: CarrierReach, isPlain: boolean, isStore: boolean): string {
  if (isStore) return reach === "wire" ? (isPlain ? "R" : "r") : isPlain ? "S" : "s";
  return reach === "wire" ? (isPlain ? "W" : "w") : isPlain ? "T" : "t";
}

export function writeEntry({ reach, name, text, isPlain, isStore }: CarrierEntry): WrittenEntry {
  return { reach, name, prefix: prefixOf(reach, name, isPlain, isStore, text.length), text };
}

/** What stands before the text of an entry. */
export function prefixOf(
  reach: CarrierReach,
  name: string,
  isPlain: boolean,
  isStore: boolean,
  length: number,
): string {
  return `${startOf(reach, name, isPlain, isStore)}${length}:`;
}

/** What stands before the length of the text. */
export function startOf(reach: CarrierReach, name: string, isPlain: boolean, isStore: boolean): string {
  return `${letterOf(reach, isPlain, isStore)}${name.length}:${name}`;
}

/** Whether the text is within the limit. Counts bytes only where the length leaves a doubt: counting takes longer than writing. */
export function fitsCarrier(chars: string): boolean {
  return chars.length * maxUnitBytes <= carrierLimitBytes || Buffer.byteLength(chars) <= carrierLimitBytes;
}

export function fitsAlone({ prefix, text }: WrittenEntry): boolean {
  return (
    (prefix.length + text.length) * maxUnitBytes <= carrierLimitBytes ||
    Buffer.byteLength(prefix) + Buffer.byteLength(text) <= carrierLimitBytes
  );
}

/**
 * A carrier in pieces, to be written one behind the other: joined to one string, V8 would copy them once more before it writes them.
 * Null for no entries.
 *
 * @throws ContextTooLargeError if the text would be larger than `carrierLimitBytes`.
 */
export function carrierPieces(entries: readonly WrittenEntry[]): string[] | null {
  if (entries.length === 0) return null;
  const pieces = piecesBehind(version, entries);
  if (!fitPieces(pieces)) throw tooLarge(entries);
  return pieces;
}

/** @param entries At least one. The array is not grown for the first: that would give it room for 17 more. */
export function piecesBehind(start: string, entries: readonly WrittenEntry[]): string[] {
  const { prefix: firstPrefix, text: firstText } = entries[0]!;
  const pieces = [start, firstPrefix, firstText];
  for (let index = 1; index < entries.length; index++) {
    const { prefix, text } = entries[index]!;
    pieces.push(prefix, text);
  }
  return pieces;
}

/** Whether all together are within the limit. Every entry begins with an ASCII letter, so that the sizes add up, whatever surrogates are at its end. */
export function fitPieces(pieces: readonly string[]): boolean {
  let units = 0;
  for (let index = 0; index < pieces.length; index++) units += pieces[index]!.length;
  return units * maxUnitBytes <= carrierLimitBytes || Buffer.byteLength(joined(pieces)) <= carrierLimitBytes;
}

export function joined(pieces: readonly string[]): string {
  let text = "";
  for (let index = 0; index < pieces.length; index++) text += pieces[index]!;
  return text;
}

/** What `carrierPieces` gives, as one. @throws ContextTooLargeError */
export function writeCarrier(entries: readonly WrittenEntry[]): ContextCarrier | null {
  if (entries.length === 0) return null;
  let text = version;
  for (let index = 0; index < entries.length; index++) {
    const { prefix, text: value } = entries[index]!;
    text += prefix + value;
  }
  if (!fitsCarrier(text)) throw tooLarge(entries);
  return text;
}

function tooLarge(entries: readonly WrittenEntry[]): ContextTooLargeError {
  let totalBytes = version.length;
  let largest = entries[0]!;
  let largestBytes = 0;
  for (const entry of entries) {
    const bytes = Buffer.byteLength(entry.prefix) + Buffer.byteLength(entry.text);
    totalBytes += bytes;
    if (bytes <= largestBytes) continue;
    largest = entry;
    largestBytes = bytes;
  }
  return new ContextTooLargeError(largest.name, totalBytes, carrierLimitBytes);
}

/**
 * @param keep Makes of each entry what the map holds.
 * @throws InvalidCarrierError if `carrier` was not written by `writeCarrier`.
 */
export function readCarrier<E>(carrier: ContextCarrier, keep: (entry: CarrierEntry) => E): Map<string, E> {
  if (!fitsCarrier(carrier)) {
    throw new InvalidCarrierError(`larger than ${carrierLimitBytes} bytes`);
  }
  if (!carrier.startsWith(version)) throw new InvalidCarrierError("unknown version");
  if (carrier.length === version.length) throw new InvalidCarrierError("no entries");

  const entries = new Map<string, E>();
  let at = version.length;
  while (at < carrier.length) {
    const code = carrier.charCodeAt(at);
    const kind = code < kinds.length ? kinds[code]! : null;
    if (kind === null) throw new InvalidCarrierError(`no reach at ${at}`);
    const nameLength = lengthAt(carrier, at + 1);
    const nameStart = at + 2 + digitsOf(nameLength);
    const nameEnd = nameStart + nameLength;
    if (nameLength === 0) throw new InvalidCarrierError(`no name at ${at}`);
    const textLength = lengthAt(carrier, nameEnd);
    const textStart = nameEnd + 1 + digitsOf(textLength);
    const textEnd = textStart + textLength;
    if (textEnd > carrier.length) throw new InvalidCarrierError("cut off");
    const name = carrier.slice(nameStart, nameEnd);
    if (entries.has(name)) throw new InvalidCarrierError(`two values for ${stringify(name)}`);
    const { reach, isPlain, isStore } = kind;
    entries.set(name, keep({ reach, name, text: carrier.slice(textStart, textEnd), isPlain, isStore }));
    at = textEnd;
  }
  return entries;
}

/** The length that stands at `at`, before its colon. @throws InvalidCarrierError if there is none. */
export function lengthAt(carrier: string, at: number): number {
  let length = 0;
  for (let index = at; index < carrier.length && index <= at + maxLengthDigits; index++) {
    const digit = carrier.charCodeAt(index) - codeOf0;
    if (digit === colon && index > at) return length;
    if (digit < 0 || digit > 9) break;
    // "0" alone is a length, "01" is none.
    if (length === 0 && index > at) break;
    length = length * 10 + digit;
  }
  throw new InvalidCarrierError(`bad length at ${at}`);
}

export function digitsOf(length: number): number {
  let digits = 1;
  for (let rest = length; rest >= 10; rest /= 10) digits++;
  return digits;
}
