/** Archives, good and hostile, byte by byte. */
import { buffer } from "node:stream/consumers";
import { crc32, deflateRawSync } from "node:zlib";
import { pack } from "tar-stream";
import type { Header } from "tar-stream";

export interface ZipEntry {
  readonly name: string;
  readonly data?: string | Buffer;
  /** What is said of the data, if not the truth. */
  readonly size?: number;
  readonly crc?: number;
  /** 1: encrypted. */
  readonly flags?: number;
  /** As of Unix: what kind of file it is. */
  readonly mode?: number;
}

const UTF8 = 0x800;
const DEFLATED = 8;

export function zipOf(...entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data = "", size, crc, flags = 0, mode = 0o100644 } of entries) {
    const content = Buffer.from(data);
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags | UTF8, 2);
    common.writeUInt16LE(DEFLATED, 4);
    common.writeUInt32LE(crc ?? crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size ?? content.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const file = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, Buffer.from(name), packed]);
    const more = Buffer.alloc(14);
    more.writeUInt32LE((mode << 16) >>> 0, 6);
    more.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\u0001\u0002\u0014\u0003", "latin1"), common, more, Buffer.from(name));
    files.push(file);
    offset += file.length;
  }
  const entriesOfDirectory = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(entriesOfDirectory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, entriesOfDirectory, Buffer.from("PK\u0005\u0006"), end]);
}

export type TarEntry = Pick<Header, "name"> & Partial<Header> & { readonly data?: string | Buffer };

export async function tarOf(...entries: readonly TarEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { data, ...headers } of entries) {
    if (data === undefined) archive.entry(headers);
    else archive.entry(headers, data);
  }
  archive.finalize();
  return await buffer(archive);
}
