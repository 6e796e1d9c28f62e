/** What a module is called in the store, where the paths of one machine mean nothing. */
import { URL } from "node:url";
import { argumentRangeError } from "@skein/context/errors";
import { isName } from "./wire.ts";

export class ModuleNames {
  readonly #urls = new Map<string, string>();

  /**
   * The file's name without `.jobs` and extension: `geo` for `geo.jobs.ts`, and for `dist/geo.jobs.js` on another machine.
   * @throws RangeError for a name that cannot be used, or that another module has.
   */
  of(url: string): string {
    const file = new URL(url).pathname.split("/").at(-1)!;
    const name = file.replace(/\.[cm]?[jt]sx?$/, "").replace(/\.jobs$/, "");
    if (!isName(name))
      throw argumentRangeError("url", "a job module whose file name has letters, digits, _ and - alone", url);
    const other = this.#urls.get(name);
    if (other === undefined) this.#urls.set(name, url);
    else if (other !== url)
      throw argumentRangeError(
        "url",
        `a job module with a file name of its own: ${other} is "${name}" too`,
        url,
      );
    return name;
  }
}
