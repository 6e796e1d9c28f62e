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
}

/** Bytes of UTF-8. */
export const carrierLimitBytes: number = 16 * 1024;

const version = "1";

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
  return { reach, name, chars: `${letter}${name.length}:${name}${text.length}:${text}` };
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

/** @throws InvalidCarrierError if `carrier` was not written by `writeCarrier`. */
export function readCarrier(carrier: ContextCarrier): Map<string, CarrierEntry> {
  if (!fitsCarrier(carrier)) {
    throw new InvalidCarrierError(`larger than ${carrierLimitBytes} bytes`);
  }
  if (!carrier.startsWith(version)) throw new InvalidCarrierError("unknown version");
  if (carrier.length === version.length) throw new InvalidCarrierError("no entries");

  const entries = new Map<string, CarrierEntry>();
  let at = version.length;
  while (at < carrier.length) {
    const kind = kinds.get(carrier[at]!);
    if (kind === undefined) throw new InvalidCarrierError(`no reach at ${at}`);
    const name = readSized(carrier, at + 1);
    const text = readSized(carrier, name.end);
    if (name.chars === "") throw new InvalidCarrierError(`no name at ${at}`);
    if (entries.has(name.chars)) throw new InvalidCarrierError(`two values for ${stringify(name.chars)}`);
    entries.set(name.chars, { ...kind, name: name.chars, text: text.chars });
    at = text.end;
  }
  return entries;
}

function readSized(carrier: string, at: number): { chars: string; end: number } {
  let length = 0;
  let colon = at;
  for (; colon < carrier.length; colon++) {
    const digit = carrier.charCodeAt(colon) - 48;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
    // The limit on the whole text bounds every length; it also ends an endless run of digits.
    if (length > carrierLimitBytes) throw new InvalidCarrierError(`bad length at ${at}`);
  }
  const hasLeadingZero = carrier[at] === "0" && colon > at + 1;
  if (colon === at || hasLeadingZero || carrier[colon] !== ":")
    throw new InvalidCarrierError(`bad length at ${at}`);
  const end = colon + 1 + length;
  if (end > carrier.length) throw new InvalidCarrierError("cut off");
  return { chars: carrier.slice(colon + 1, end), end };
}
