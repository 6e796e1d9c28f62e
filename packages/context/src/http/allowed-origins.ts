/** Which hosts may learn what the context holds. */
import { URL as NodeURL } from "node:url";
import { argumentTypeError } from "../errors.ts";
import { isArray } from "../intrinsics.ts";

/** Options of {@link contextFetch} and {@link contextInterceptor} that say where headers go. */
export interface AllowedOriginsOptions {
  /**
   * The origins that headers are added for, as `https://billing.internal`; paths are ignored. A redirect to elsewhere takes the headers of
   * its request along: refuse those with `redirect: "manual"`. @default every origin
   */
  origins?: readonly (string | URL)[] | undefined;
}

/** @throws TypeError for what is not an array of URLs with an origin. @returns null: every origin. */
export function allowedOrigins(origins: AllowedOriginsOptions["origins"]): ReadonlySet<string> | null {
  if (origins === undefined) return null;
  if (!isArray(origins)) throw argumentTypeError("options.origins", "an array of origins", origins);
  const allowed = new Set<string>();
  for (const [index, each] of origins.entries()) {
    const origin = originOf(each);
    if (origin === null)
      throw argumentTypeError(`options.origins[${index}]`, "a URL with a scheme and a host", each);
    allowed.add(origin);
  }
  return allowed;
}

/** Null for what has none: no URL, or one as `data:`. A URL of a class that a program has in place of Node's is one, too. */
export function originOf(url: unknown): string | null {
  const text = typeof url === "string" ? url : (url as Partial<URL> | null | undefined)?.href;
  const origin = typeof text === "string" && NodeURL.canParse(text) ? new NodeURL(text).origin : "null";
  return origin === "null" ? null : origin;
}
