import { argumentTypeError } from "../argument-errors.ts";
import { AsyncLocal } from "../async-local.ts";

const headerShape = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** @throws TypeError unless `header` is the name of a header, and `local` an AsyncLocal. */
export function requireIdOptions(header: unknown, local: unknown): void {
  if (typeof header !== "string" || !headerShape.test(header)) {
    throw argumentTypeError("options.header", "the name of an HTTP header", header);
  }
  if (!(local instanceof AsyncLocal)) throw argumentTypeError("options.local", "an AsyncLocal", local);
}
