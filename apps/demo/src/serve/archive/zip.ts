import { crc32 } from "node:zlib";
import * as yauzl from "yauzl";
import { printable } from "../../wording.ts";
import { CensusError } from "../census-error.ts";
import type { UnpackedTree } from "./unpacked-tree.ts";

const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;

/** Unpacks a zip archive, one entry after the other. @throws CensusError, or what is wrong with the bytes. */
export async function unpackZip(file: string, tree: UnpackedTree): Promise<void> {
  const zip = await yauzl.openPromise(file, { decodeStrings: false, validateEntrySizes: true });
  for await (const entry of zip.eachEntry()) {
    const name = yauzl.getFileNameLowLevel(
      entry.generalPurposeBitFlag,
      entry.fileNameRaw,
      entry.extraFields,
      true,
    );
    const path = tree.enter(name);
    refuseSpecial(name, entry);
    // What is declared: a stream with more bytes, or with fewer, fails.
    tree.count(entry.uncompressedSize);
    if (name.endsWith("/") || !tree.wants(path)) continue;
    await tree.write(path, contentOf(zip, entry));
  }
}

function refuseSpecial(name: string, entry: yauzl.Entry): void {
  const shown = JSON.stringify(printable(name));
  if (entry.isEncrypted()) {
    throw new CensusError("ERR_CENSUS_ARCHIVE_ENCRYPTED", `The archive is refused: ${shown} is encrypted.`);
  }
  // Zero where the archive was made on a system without such types.
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE;
  if (type !== 0 && type !== REGULAR && type !== DIRECTORY) {
    throw new CensusError(
      "ERR_CENSUS_ARCHIVE_LINK",
      `The archive is refused: ${shown} is a link or a device, not a file.`,
    );
  }
}

/** Opened when it is read, not before: a stream that fails while nobody listens ends the process. */
async function* contentOf(zip: yauzl.ZipFile, entry: yauzl.Entry): AsyncGenerator<Buffer> {
  const stream = await zip.openReadStreamPromise(entry);
  stream.on("error", () => {});
  let sum = 0;
  for await (const chunk of stream) {
    sum = crc32(chunk as Buffer, sum);
    yield chunk as Buffer;
  }
  if (sum !== entry.crc32) throw new Error("a checksum is wrong");
}
