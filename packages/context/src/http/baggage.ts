import { Buffer } from "node:buffer";
import { argumentRangeError, argumentTypeError } from "../errors.ts";

/** A remark about a baggage member, with or without a value. */
export interface BaggageProperty {
  readonly key: string;
  readonly value?: string;
}

/** One name and value that travels with a request. Values are plain text here and percent-encoded on the wire. */
export interface BaggageMember {
  readonly key: string;
  readonly value: string;
  readonly properties?: readonly BaggageProperty[];
}

/** The members in their order. A key may come twice; the specification leaves its meaning to the application. */
export type Baggage = readonly BaggageMember[];

const memberLimit = 64;
const sizeLimitBytes = 8192;
const tokenShape = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const encodedShape = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
// What a value may not hold as it is: anything but baggage-octets, and "%" itself.
const reserved = /[^\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+/g;

/**
 * The `baggage` header of W3C Baggage.
 * @see https://www.w3.org/TR/baggage/
 */
export const baggage = {
  /**
   * What the header says. Members that are malformed are left out, and so are those beyond 64 or 8192 bytes, as they came or as
   * `format` would write them: a lone "%" and bytes that are not UTF-8 get longer. What this gives can always be sent on.
   */
  parse(text: string): Baggage {
    const members: BaggageMember[] = [];
    let sizeBytes = 0;
    let writtenBytes = 0;
    for (const part of text.split(",")) {
      sizeBytes += Buffer.byteLength(part) + 1;
      if (sizeBytes - 1 > sizeLimitBytes || members.length === memberLimit) break;
      const member = parseMember(part);
      if (member === null) continue;
      writtenBytes += formatMember(member).length + 1;
      if (writtenBytes - 1 > sizeLimitBytes) break;
      members.push(member);
    }
    return members;
  },

  /**
   * The header; empty for no members.
   * @throws TypeError if a key is not an HTTP token.
   * @throws RangeError beyond 64 members or 8192 bytes.
   */
  format(value: Baggage): string {
    if (value.length > memberLimit)
      throw argumentRangeError("members", `at most ${memberLimit}`, value.length);
    const text = value.map(formatMember).join(",");
    if (text.length > sizeLimitBytes)
      throw argumentRangeError("baggage", `at most ${sizeLimitBytes} bytes`, text.length);
    return text;
  },
};

function parseMember(text: string): BaggageMember | null {
  const [head = "", ...rest] = text.split(";");
  const pair = parsePair(head);
  if (pair?.value === undefined) return null;
  const properties: BaggageProperty[] = [];
  for (const part of rest) {
    const property = parsePair(part);
    if (property === null) return null;
    properties.push(property);
  }
  const { key, value } = pair;
  return properties.length === 0 ? { key, value } : { key, value, properties };
}

function parsePair(text: string): BaggageProperty | null {
  const equals = text.indexOf("=");
  const key = trim(equals === -1 ? text : text.slice(0, equals));
  if (!tokenShape.test(key)) return null;
  if (equals === -1) return { key };
  const encoded = trim(text.slice(equals + 1));
  return encodedShape.test(encoded) ? { key, value: decode(encoded) } : null;
}

function formatMember({ key, value, properties = [] }: BaggageMember): string {
  const pairs = properties.map((property) => formatPair(property.key, property.value));
  return [formatPair(key, value), ...pairs].join(";");
}

function formatPair(key: string, value: string | undefined): string {
  if (!tokenShape.test(key)) throw argumentTypeError("key", "an HTTP token", key);
  if (value === undefined) return key;
  if (typeof value !== "string") throw argumentTypeError("value", "a string", value);
  return `${key}=${value.toWellFormed().replace(reserved, encodeBytes)}`;
}

function encodeBytes(text: string): string {
  let encoded = "";
  for (const byte of Buffer.from(text)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return encoded;
}

/** Bytes that are not UTF-8 become U+FFFD, as the specification asks; a "%" without two digits stays as it is. */
function decode(encoded: string): string {
  return encoded.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll("%", ""), "hex").toString(),
  );
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}
