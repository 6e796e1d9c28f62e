/** What may be scanned by its path: folders below one root, wherever links lead. */
import { realpathSync, statSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { UsageError } from "../command-line.ts";
import { describeFileError } from "../wording.ts";
import { CensusError } from "./census-error.ts";

const MAX_LENGTH = 4096;

export class ScanRoot {
  /** Absolute, links resolved. */
  readonly directory: string;

  /** @throws UsageError when there is no such folder. */
  constructor(directory: string) {
    let isDirectory: boolean;
    try {
      this.directory = realpathSync(directory);
      isDirectory = statSync(directory).isDirectory();
    } catch (error) {
      throw new UsageError(`cannot read ${directory}: ${describeFileError(error)}`);
    }
    if (!isDirectory) throw new UsageError(`${directory} is not a directory`);
  }

  /**
   * @param path relative to the root; empty or ".": the root itself
   * @returns the folder, links resolved, and its path below the root.
   * @throws CensusError for what is no folder, or leads out of the root.
   */
  resolve(path: string): { readonly name: string; readonly directory: string } {
    if (path.length > MAX_LENGTH || path.includes("\0")) throw refused("This is no path of a folder.");
    if (isAbsolute(path) || /^[A-Za-z]:/.test(path) || path.includes("\\"))
      throw refused("Give the path relative to the root, with forward slashes.");
    const directory = this.#real(resolve(this.directory, path));
    return { name: relative(this.directory, directory).replaceAll(sep, "/") || ".", directory };
  }

  /** The same for a folder that was resolved before: another root may have been chosen since, or a link put in its place. */
  check(directory: string): void {
    if (this.#real(directory) !== directory) throw refused("The folder of this scan is now a link.");
  }

  #real(path: string): string {
    // The same words for what lies outside and what is not there: whoever asks does not learn what is outside.
    const outside = refused("There is no such folder below the root.");
    if (!this.#contains(path)) throw outside;
    let real: string;
    try {
      real = realpathSync(path);
      if (!this.#contains(real)) throw outside;
      if (!statSync(real).isDirectory()) throw refused("This is a file. Give the path of a folder.");
    } catch (error) {
      if (error instanceof CensusError) throw error;
      throw refused(`There is no such folder below the root: ${describeFileError(error)}.`);
    }
    return real;
  }

  #contains(path: string): boolean {
    const root = this.directory.endsWith(sep) ? this.directory : `${this.directory}${sep}`;
    return path === this.directory || path.startsWith(root);
  }
}

function refused(message: string): CensusError {
  return new CensusError("ERR_CENSUS_PATH", message);
}
