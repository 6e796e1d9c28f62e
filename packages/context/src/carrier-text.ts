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
  readonly chars: string;
  /** What a pool of this thread keeps for a store: it lives as long, and must not refer to any context. The last pool has the place. */
  attached: { readonly owner: object } | null;
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
  const letter = letterOf(reach, isPlain, isStore);
  return { reach, name, chars: `${letter}${name.length}:${name}${text.length}:${text}`, attached: null };
}

/** Whether the text is within the limit. Counts bytes only where the length leaves a doubt: counting takes longer than writing. */
export function fitsCarrier(chars: string): boolean {
  return chars.length * maxUnitBytes <= carrierLimitBytes || Buffer.byteLength(chars) <= carrierLimitBytes;
}

/**
 * Every entry begins with an ASCII letter, so that the sizes add up, whatever surrogates stand at the ends.
 * @throws ContextTooLargeError if the text would be larger than `carrierLimitBytes`.
 */
export function writeCarrier(entries: readonly WrittenEntry[]): ContextCarrier | null {
  if (entries.length === 0) return null;
  let carrier = version;
  for (const { chars } of entries) carrier += chars;
  if (!fitsCarrier(carrier)) throw tooLarge(entries);
  return carrier;
}

function tooLarge(entries: readonly WrittenEntry[]): ContextTooLargeError {
  let totalBytes = version.length;
  let largest = entries[0]!;
  let largestBytes = 0;
  for (const entry of entries) {
    const bytes = Buffer.byteLength(entry.chars);
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
