/** Ids of messages and signals. Several may call over one link, also other copies of this package, and plain Comlink: each knows its own by their prefix. */
import { randomBytes } from "node:crypto";

const ofThisCopy = randomBytes(9).toString("base64url");
let last = 0;

/** One that no other id begins with. */
export function newIdPrefix(): string {
  return `${ofThisCopy}.${++last}.`;
}
