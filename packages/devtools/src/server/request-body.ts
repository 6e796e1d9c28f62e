/** The body of a request that controls something: a small JSON object. */
import type { IncomingMessage } from "node:http";
import { type OptionNames, ownOptions } from "@skein/context/errors";

const MAX_BODY_BYTES = 1024;

/** Rejects when it is too long, no JSON, or has other names. */
export async function bodyOf<T extends object>(
  request: IncomingMessage,
  names: OptionNames<T>,
): Promise<Readonly<Partial<T>>> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8") as AsyncIterable<string>) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) throw new RangeError("The body is too long");
  }
  return ownOptions(JSON.parse(body) as T, names, "body");
}
