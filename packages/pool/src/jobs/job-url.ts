/** The address of a job module, checked where it is given: code comes from files, never from the network. */
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";

import { argumentTypeError } from "@skein/context/errors";

const expected =
  "a file: URL or an absolute path; for a module next to yours write `new URL('./name.jobs.ts', import.meta.url)`";

/**
 * The normalized `file:` URL of a job module.
 *
 * @throws TypeError for a relative path, for any other scheme (http:, data:, blob:, node:), and for other types.
 */
export function resolveJobUrl(url: URL | string): string {
  if (url instanceof URL) return fileUrl(url, url);
  if (typeof url !== "string" || url === "") throw argumentTypeError("url", expected, url);
  if (isAbsolute(url)) return pathToFileURL(url).href;
  if (!URL.canParse(url)) throw argumentTypeError("url", expected, url);
  return fileUrl(new URL(url), url);
}

/** Only `file:` URLs are loaded; asked again in the thread that imports. */
export function assertFileUrl(url: string): void {
  if (typeof url !== "string" || !url.startsWith("file:")) throw argumentTypeError("url", "a file: URL", url);
}

function fileUrl(url: URL, given: URL | string): string {
  if (url.protocol !== "file:") throw argumentTypeError("url", expected, String(given));
  return url.href;
}
