/** The address of a job module, checked where it is given: code comes from files, never from the network. */
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";

import { argumentTypeError } from "@skein/context/errors";

const expected =
  "a file: URL or an absolute path; for a module next to yours write `new URL('./name.jobs.ts', import.meta.url)`";

/**
 * The normalized `file:` URL of a job module.
 *
 * @param name What the caller calls it, for messages.
 * @throws TypeError for a relative path, for any other scheme (http:, data:, blob:, node:), and for other types.
 */
export function resolveJobUrl(url: URL | string, name = "url"): string {
  if (url instanceof URL) return fileUrl(name, url, url);
  if (typeof url !== "string" || url === "") throw argumentTypeError(name, expected, url);
  if (isAbsolute(url)) return pathToFileURL(url).href;
  if (!URL.canParse(url)) throw argumentTypeError(name, expected, url);
  return fileUrl(name, new URL(url), url);
}

/** Only `file:` URLs are loaded; asked again in the thread that imports. */
export function assertFileUrl(url: string): void {
  if (typeof url !== "string" || !url.startsWith("file:")) throw argumentTypeError("url", "a file: URL", url);
}

function fileUrl(name: string, url: URL, given: URL | string): string {
  if (url.protocol !== "file:") throw argumentTypeError(name, expected, String(given));
  return url.href;
}
