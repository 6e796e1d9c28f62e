import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import type { Header } from "tar-stream";
import { printable } from "../../wording.ts";
import { CensusError } from "../census-error.ts";
import type { UnpackedTree } from "./unpacked-tree.ts";

const BLOCK_BYTES = 512;

/** Unpacks a tar archive, packed with gzip or not, as it is read. @throws CensusError, or what is wrong with the bytes. */
export async function unpackTar(file: string, tree: UnpackedTree, isPacked: boolean): Promise<void> {
  if (!isPacked) await requireEnd(file);
  const entries = extract();
  // All bytes, what lies between the files too.
  const counted = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      tree.count(chunk.byteLength);
      yield chunk;
    }
  };
  const source = createReadStream(file);
  const fed = isPacked
    ? pipeline(source, createGunzip(), counted, entries)
    : pipeline(source, counted, entries);
  // It may fail while an entry is written: from now on somebody listens.
  const failure = fed.then(
    () => null,
    (reason: unknown) => reason,
  );
  try {
    for await (const entry of entries) await unpackEntry(entry, tree);
  } catch (error) {
    entries.destroy();
    const isOurs = error instanceof CensusError || (error instanceof Error && "syscall" in error);
    // That there were no more bytes says less than why.
    throw isOurs ? error : ((await failure) ?? error);
  }
  const cause = await failure;
  if (cause !== null) throw cause;
}

async function unpackEntry(
  entry: AsyncIterable<unknown> & { readonly header: Header },
  tree: UnpackedTree,
): Promise<void> {
  const { name, type } = entry.header;
  const path = tree.enter(name);
  const isFile = type === "file" || type === "contiguous-file";
  if (!isFile && type !== "directory") {
    throw new CensusError(
      "ERR_CENSUS_ARCHIVE_LINK",
      `The archive is refused: ${JSON.stringify(printable(name))} is a link or a device, not a file.`,
    );
  }
  if (isFile && tree.wants(path)) await tree.write(path, entry as AsyncIterable<Buffer>);
  else for await (const _ of entry); // The next one comes after it.
}

/** An archive that was cut off between two files has nothing else to tell it by than its end: empty blocks. */
async function requireEnd(file: string): Promise<void> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const block = Buffer.alloc(BLOCK_BYTES, 1);
    if (size >= BLOCK_BYTES) await handle.read(block, 0, BLOCK_BYTES, size - BLOCK_BYTES);
    if (block.some((byte) => byte !== 0)) throw new Error("its end is missing");
  } finally {
    await handle.close();
  }
}
