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

const version = "1";

/** Of a length: those of the limit. */
const maxLengthDigits = String(carrierLimitBytes).length;

/** UTF-8 takes at most so many bytes for a UTF-16 unit. */
const maxUnitBytes = 3;

/** Of each letter that begins an entry. */
const kinds: ReadonlyMap<string, Pick<CarrierEntry, "reach" | "isPlain" | "isStore">> = new Map(
  ([false, true] as const).flatMap((isStore) =>
    (["thread", "wire"] as const).flatMap((reach) =>
      ([false, true] as const).map(
        (isPlain) => [letterOf(reach, isPlain, isStore), { reach, isPlain, isStore }] as const,
      ),
    ),
  ),
);

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
  return `${letterOf(reach, isPlain, isStore)}${name.length}:${name}${length}:`;
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
  const pieces = [version];
  addPieces(pieces, entries);
  if (!fitPieces(pieces)) throw tooLarge(entries);
  return pieces;
}

export function addPieces(pieces: string[], entries: readonly WrittenEntry[]): void {
  for (let index = 0; index < entries.length; index++) {
    const { prefix, text } = entries[index]!;
    pieces.push(prefix, text);
  }
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

/** @throws ContextTooLargeError */
export function writeCarrier(entries: readonly WrittenEntry[]): ContextCarrier | null {
  const pieces = carrierPieces(entries);
  return pieces === null ? null : joined(pieces);
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
    const kind = kinds.get(carrier[at]!);
    if (kind === undefined) throw new InvalidCarrierError(`no reach at ${at}`);
    const nameStart = startOfSized(carrier, at + 1);
    const nameEnd = endOfSized(carrier, at + 1, nameStart);
    const textStart = startOfSized(carrier, nameEnd);
    const textEnd = endOfSized(carrier, nameEnd, textStart);
    const name = carrier.slice(nameStart, nameEnd);
    if (name === "") throw new InvalidCarrierError(`no name at ${at}`);
    if (entries.has(name)) throw new InvalidCarrierError(`two values for ${stringify(name)}`);
    const { reach, isPlain, isStore } = kind;
    entries.set(name, keep({ reach, name, text: carrier.slice(textStart, textEnd), isPlain, isStore }));
    at = textEnd;
  }
  return entries;
}

/** Where the characters begin whose length stands at `at`. */
function startOfSized(carrier: string, at: number): number {
  const colon = carrier.indexOf(":", at);
  const isPresent = colon > at && colon - at <= maxLengthDigits;
  // "0" alone is a length, "01" is none.
  const hasLeadingZero = carrier.charCodeAt(at) === 48 && colon > at + 1;
  if (!isPresent || hasLeadingZero) throw new InvalidCarrierError(`bad length at ${at}`);
  return colon + 1;
}

/** Where they end. */
function endOfSized(carrier: string, at: number, start: number): number {
  let length = 0;
  for (let index = at; index < start - 1; index++) {
    const digit = carrier.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) throw new InvalidCarrierError(`bad length at ${at}`);
    length = length * 10 + digit;
  }
  const end = start + length;
  if (end > carrier.length) throw new InvalidCarrierError("cut off");
  return end;
}
