/** Unpacks an archive of a kind that its first bytes tell. */
import { open } from "node:fs/promises";
import { describeFileError } from "../../wording.ts";
import { CensusError } from "../census-error.ts";
import type { ArchiveLimits } from "./limits.ts";
import { unpackTar } from "./tar.ts";
import { UnpackedTree } from "./unpacked-tree.ts";
import { unpackZip } from "./zip.ts";

const HEAD_BYTES = 512;
const TAR_MAGIC_AT = 257;

/**
 * Unpacks `archive` below `directory`, which exists and is empty; what has been written by then stays when it is refused.
 * @throws CensusError with the sentence why; the signal's reason.
 */
export async function unpackArchive(
  archive: string,
  directory: string,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<void> {
  const { head, size } = await beginningOf(archive);
  const tree = new UnpackedTree(directory, size, limits, signal);
  try {
    // "PK", then a file, or the end of an archive without any.
    if (["504b0304", "504b0506"].includes(head.toString("hex", 0, 4))) await unpackZip(archive, tree);
    else if (head.toString("hex", 0, 2) === "1f8b") await unpackTar(archive, tree, true);
    else if (head.toString("latin1", TAR_MAGIC_AT, TAR_MAGIC_AT + 5) === "ustar")
      await unpackTar(archive, tree, false);
    else throw new CensusError("ERR_CENSUS_ARCHIVE_TYPE", "This is no zip, tar or tar.gz archive.");
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof CensusError ? error : wordsFor(error);
  }
  if (tree.sources === 0) {
    throw new CensusError(
      "ERR_CENSUS_ARCHIVE_EMPTY",
      "There is no JavaScript or TypeScript file in this archive.",
    );
  }
}

async function beginningOf(archive: string): Promise<{ head: Buffer; size: number }> {
  const file = await open(archive);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return { head: buffer.subarray(0, bytesRead), size: (await file.stat()).size };
  } finally {
    await file.close();
  }
}

function wordsFor(error: unknown): CensusError {
  // What the system says is about this machine, not about the archive.
  if (error instanceof Error && "syscall" in error) {
    const said = describeFileError(error);
    return new CensusError("ERR_CENSUS_STORAGE", `The archive cannot be unpacked here: ${said}.`, {
      cause: error,
    });
  }
  const said = (error instanceof Error ? error.message : String(error)).replace(/[.?]$/, "");
  return new CensusError("ERR_CENSUS_ARCHIVE_BROKEN", `The archive is broken or incomplete: ${said}.`, {
    cause: error,
  });
}
