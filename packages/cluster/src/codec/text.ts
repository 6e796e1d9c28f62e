/** A value as one text: its first letter says in which form. J is JSON, where that is exact; R is rich-writer.ts. */
import { InvalidPayloadError } from "../errors.ts";
import { isExactJson } from "./exact-json.ts";
import { readRich } from "./rich-reader.ts";
import { writeRich } from "./rich-writer.ts";

/**
 * @param path What the value is called in errors, such as `result`.
 * @throws NotCloneableError with the path of what only memory can carry.
 */
export function encodeText(value: unknown, path: string): string {
  return isExactJson(value) ? `J${JSON.stringify(value)}` : `R${writeRich(value, path)}`;
}

/** @throws InvalidPayloadError for any text that `encodeText` does not write. */
export function decodeText(text: string): unknown {
  try {
    if (text.startsWith("J")) return JSON.parse(text.slice(1));
    if (text.startsWith("R")) return readRich(text.slice(1));
  } catch (error) {
    if (error instanceof InvalidPayloadError) throw error;
    throw new InvalidPayloadError("it cannot be parsed", { cause: error });
  }
  throw new InvalidPayloadError(
    `its form ${JSON.stringify(text.slice(0, 1))} is unknown here; this version reads J and R`,
  );
}
