/** The names in an archive, which anybody can have made up. */
import { printable } from "../../wording.ts";
import { CensusError } from "../census-error.ts";

const MAX_LENGTH = 1024;
const MAX_PART_BYTES = 255;
const MAX_DEPTH = 64;

/**
 * The path that a name stands for, relative to where the archive is unpacked; empty for that folder itself.
 * @throws CensusError for a name that leads elsewhere, or that not every file system has.
 */
export function entryPath(name: string): string {
  const refuse = (what: string): never => {
    const shown = JSON.stringify(printable(name.slice(0, 100)));
    throw new CensusError("ERR_CENSUS_ARCHIVE_PATH", `The archive is refused: its entry ${shown} ${what}.`);
  };
  // oxlint-disable-next-line no-control-regex -- NUL and its like are what this is about
  if (/[\u0000-\u001f\u007f]/.test(name)) refuse("has control characters in its name");
  if (name.includes("\\")) refuse("has a backslash in its name");
  if (name.startsWith("/") || /^[A-Za-z]:/.test(name)) refuse("has an absolute path");
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) refuse("leads out of the archive");
  if (name.length > MAX_LENGTH || parts.length > MAX_DEPTH) refuse("has too long a path");
  if (parts.some((part) => Buffer.byteLength(part) > MAX_PART_BYTES)) refuse("has too long a name");
  return parts.join("/");
}
