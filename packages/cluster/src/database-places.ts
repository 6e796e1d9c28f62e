/** Where the files of an embedded database lie. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

const { process } = globalThis;

/** The longest path of a socket, on any system. */
const SOCKET_BYTES = 103;

/** @returns the folder's real path; it is made if it is not there. */
export function ownFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return realpathSync(path);
}

/** Where the process that has the folder's database says where it listens. */
export function addressFile(folder: string): string {
  return join(folder, "owner.address");
}

/** Where the database of a folder listens, or did: that is up to the process that has it, whose TMPDIR may be another one. */
export function addressOf(folder: string): string {
  try {
    return readFileSync(addressFile(folder), "utf8") || socketOf(folder);
  } catch {
    return socketOf(folder);
  }
}

/**
 * Where the database of a folder listens if this process starts it. Not in the folder: the path of a socket has to be short.
 * @throws Error when somebody else could have put it there.
 */
export function socketOf(folder: string): string {
  const name = createHash("sha256").update(folder).digest("hex").slice(0, 24);
  if (process.platform === "win32") return `\\\\.\\pipe\\skein-${name}`;
  const uid = process.getuid!();
  const file = join(`skein-${uid}`, `${name}.sock`);
  const socket = [tmpdir(), "/tmp"]
    .map((temporary) => join(temporary, file))
    .find((path) => Buffer.byteLength(path) <= SOCKET_BYTES)!;
  const parent = dirname(socket);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const state = lstatSync(parent);
  if (!state.isDirectory() || state.uid !== uid || (state.mode & 0o077) !== 0)
    throw new Error(
      `${parent} must be a folder that belongs to this user alone; remove it, or correct its owner and its rights`,
    );
  return socket;
}

/** A new database with its schema, from which others begin: making one takes seconds. */
export function snapshotFile(versions: string): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return join(ownFolder(join(cache, "skein")), `database-${versions}.tar.gz`);
}
