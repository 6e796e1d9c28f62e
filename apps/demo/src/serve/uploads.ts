/** Archives that come as the body of a request: received, unpacked, kept as long as their scan may need the files. */
import { randomUUID } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { mkdir, open, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { describeFileError, errorCode, formatBytes } from "../wording.ts";
import type { ArchiveLimits } from "./archive/limits.ts";
import { unpackArchive } from "./archive/unpack.ts";
import { CensusError } from "./census-error.ts";

/** Each may need the space of an unpacked archive. */
const MAX_UNDER_WAY = 4;

export class Uploads {
  readonly #folder: string;
  readonly #limits: ArchiveLimits;
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();

  /** @param folder exists, and is nobody else's. */
  constructor(folder: string, limits: ArchiveLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Deletes what belongs to no scan that can be resumed: a process may end at any time. */
  clean(resumable: ReadonlySet<string>): void {
    for (const id of readdirSync(this.#folder))
      if (!resumable.has(id)) rmSync(join(this.#folder, id), { recursive: true, force: true });
  }

  /** @throws CensusError when the body says that it is larger than it may be. Before anything of it is read. */
  checkLength(contentLength: string | undefined): void {
    if (Number(contentLength ?? 0) > this.#limits.packedBytes) throw this.#tooLarge();
  }

  /**
   * Receives and unpacks an archive, then calls `begin` with a new id and where the files are. When any of this fails, nothing is left on disk.
   * @param name what the files are said to belong to, if no package.json among them says so.
   * @throws CensusError, and whatever `begin` throws.
   */
  async accept<T>(body: IncomingMessage, name: string, begin: (id: string, root: string) => T): Promise<T> {
    if (this.#closing.signal.aborted) throw closing();
    if (this.#underWay.size >= MAX_UNDER_WAY) {
      throw new CensusError(
        "ERR_CENSUS_BUSY",
        `There are ${MAX_UNDER_WAY} uploads under way. Try again in a moment.`,
      );
    }
    const work = this.#accept(body, name, begin);
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /** Deletes the files of a scan. */
  async remove(id: string): Promise<void> {
    await rm(join(this.#folder, id), { recursive: true, force: true });
  }

  /** Refuses what comes, and stops unpacking. What is still received ends with its connection: then `settled` resolves. */
  close(): void {
    this.#closing.abort(closing());
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async #accept<T>(body: IncomingMessage, name: string, begin: (id: string, root: string) => T): Promise<T> {
    const id = randomUUID();
    const folder = join(this.#folder, id);
    const archive = join(folder, "archive");
    const root = join(folder, "files");
    try {
      await mkdir(root, { recursive: true, mode: 0o700 });
      await this.#receive(body, archive);
      await unpackArchive(archive, root, this.#limits, this.#closing.signal);
      await rm(archive);
      // Without it, whatever package this folder happens to lie in would be taken for theirs.
      await writeFile(join(folder, "package.json"), JSON.stringify({ name }));
      return begin(id, root);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async #receive(body: IncomingMessage, archive: string): Promise<void> {
    const file = await open(archive, "wx", 0o600);
    try {
      let bytes = 0;
      // The connection has an answer to carry, also when the rest is not read.
      for await (const chunk of body.iterator({ destroyOnReturn: false })) {
        const part = chunk as Buffer;
        bytes += part.byteLength;
        if (bytes > this.#limits.packedBytes) throw this.#tooLarge();
        this.#closing.signal.throwIfAborted();
        await file.writeFile(part);
      }
    } catch (error) {
      if (errorCode(error) === "ECONNRESET")
        throw new CensusError("ERR_CENSUS_REQUEST", "The connection ended before the archive did.");
      if (!(error instanceof Error) || !("syscall" in error)) throw error;
      const said = describeFileError(error);
      throw new CensusError("ERR_CENSUS_STORAGE", `The archive cannot be stored here: ${said}.`, {
        cause: error,
      });
    } finally {
      await file.close();
    }
  }

  #tooLarge(): CensusError {
    const { packedBytes } = this.#limits;
    return new CensusError(
      "ERR_CENSUS_TOO_LARGE",
      `The archive is larger than ${formatBytes(packedBytes)}, which is the limit.`,
    );
  }
}

function closing(): CensusError {
  return new CensusError("ERR_CENSUS_CLOSING", "The server is closing. Upload the archive again later.");
}
