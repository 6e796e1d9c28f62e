/**
 * The text of a context that travels.
 *
 *   carrier = "1" entry*            the format's version, then the entries, at least one
 *   entry   = reach name text       reach: "t" may enter threads, "w" may go on the wire too
 *   name    = length ":" chars      length: decimal count of UTF-16 units, without leading zeros
 *   text    = length ":" chars
 *
 * Lengths instead of quotes: nothing is escaped, and JSON inside stays as it was.
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
}

/** An entry as it stands in a carrier. */
export interface WrittenEntry {
  readonly reach: CarrierReach;
  readonly name: string;
  readonly chars: string;
  readonly sizeBytes: number;
}

/** Bytes of UTF-8. */
export const carrierLimitBytes: number = 16 * 1024;

const version = "1";

export function writeEntry({ reach, name, text }: CarrierEntry): WrittenEntry {
  const chars = `${reach === "wire" ? "w" : "t"}${name.length}:${name}${text.length}:${text}`;
  return { reach, name, chars, sizeBytes: Buffer.byteLength(chars) };
}

/**
 * Every entry begins with an ASCII letter, so that the sizes add up, whatever surrogates stand at the ends.
 * @throws ContextTooLargeError if the text would be larger than `carrierLimitBytes`.
 */
export function writeCarrier(entries: readonly WrittenEntry[]): ContextCarrier | null {
  if (entries.length === 0) return null;
  let carrier = version;
  let totalBytes = version.length;
  for (const { chars, sizeBytes } of entries) {
    carrier += chars;
    totalBytes += sizeBytes;
  }
  if (totalBytes > carrierLimitBytes) {
    const largest = entries.reduce((a, b) => (b.sizeBytes > a.sizeBytes ? b : a));
    throw new ContextTooLargeError(largest.name, totalBytes, carrierLimitBytes);
  }
  return carrier;
}

/** @throws InvalidCarrierError if `carrier` was not written by `writeCarrier`. */
export function readCarrier(carrier: ContextCarrier): Map<string, CarrierEntry> {
  if (carrier.length > carrierLimitBytes || Buffer.byteLength(carrier) > carrierLimitBytes) {
    throw new InvalidCarrierError(`larger than ${carrierLimitBytes} bytes`);
  }
  if (!carrier.startsWith(version)) throw new InvalidCarrierError("unknown version");
  if (carrier.length === version.length) throw new InvalidCarrierError("no entries");

  const entries = new Map<string, CarrierEntry>();
  let at = version.length;
  while (at < carrier.length) {
    const letter = carrier[at];
    if (letter !== "t" && letter !== "w") throw new InvalidCarrierError(`no reach at ${at}`);
    const name = readSized(carrier, at + 1);
    const text = readSized(carrier, name.end);
    if (name.chars === "") throw new InvalidCarrierError(`no name at ${at}`);
    if (entries.has(name.chars)) throw new InvalidCarrierError(`two values for ${stringify(name.chars)}`);
    entries.set(name.chars, {
      reach: letter === "w" ? "wire" : "thread",
      name: name.chars,
      text: text.chars,
    });
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
