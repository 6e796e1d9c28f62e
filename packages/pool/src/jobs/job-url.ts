/** The address of a job module, checked where it is given: code comes from files, never from the network. */
import { isAbsolute } from "node:path";
import { pathToFileURL, URL } from "node:url";

import { argumentTypeError } from "@skein/context/errors";

const expected = "a file: URL or an absolute path";

/**
 * The normalized `file:` URL of a job module.
 *
 * @param name What the caller calls it: errors name it so.
 * @throws TypeError for a relative path, the name of a package, any other scheme (http:, data:, blob:, node:), and other types.
 */
export function resolveJobUrl(url: URL | string, name = "url"): string {
  if (isUrl(url)) return fileUrl(url, name, url);
  if (typeof url !== "string" || url === "")
    throw argumentTypeError(name, `${expected}; ${hint("./name.jobs.ts")}`, url);
  if (isAbsolute(url)) return pathToFileURL(url).href;
  if (!URL.canParse(url)) throw argumentTypeError(name, `${expected}; ${hint(url)}`, url);
  return fileUrl(new URL(url), name, url);
}

/** Only `file:` URLs are loaded; asked again in the thread that imports. */
export function assertFileUrl(url: string): void {
  if (typeof url !== "string" || !url.startsWith("file:")) throw argumentTypeError("url", "a file: URL", url);
}

/** How to write what was probably meant. */
function hint(given: string): string {
  if (/^#|^(?:@[\w.-]+\/)?[a-z\d_-][\w.-]*(?:\/|$)/i.test(given) && !/^[^@/]+\.[cm]?[jt]sx?$/.test(given))
    return `for a module of a package write \`import.meta.resolve(${JSON.stringify(given)})\``;
  const file = given.startsWith(".") ? given : `./${given}`;
  return `for a module next to yours write \`new URL(${JSON.stringify(file)}, import.meta.url)\``;
}

/** By its members: a simulated browser has a class of its own, and both kinds reach us. */
export function isUrl(value: unknown): value is URL {
  if (typeof value !== "object" || value === null) return false;
  const { href, protocol } = value as Partial<URL>;
  return typeof href === "string" && typeof protocol === "string";
}

function fileUrl(url: URL, name: string, given: URL | string): string {
  if (url.protocol !== "file:") throw argumentTypeError(name, expected, String(given));
  return url.href;
}
