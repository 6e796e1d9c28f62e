/**
 * Where an archive is unpacked. Only what a census reads is written: source files, and the package.json that name packages. Every entry is
 * counted and checked all the same. Files are new ones each, and links are never made, so nothing is written through something else.
 */
import { mkdir, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isSourceName } from "../../grammar.ts";
import { errorCode, formatBytes, formatCount, printable } from "../../wording.ts";
import { CensusError } from "../census-error.ts";
import { entryPath } from "./entry-path.ts";
import type { ArchiveLimits } from "./limits.ts";

/** Two entries of one name, or one that is a folder and a file. */
const CLASHES: ReadonlySet<string | undefined> = new Set(["EEXIST", "ENOTDIR", "EISDIR"]);

export class UnpackedTree {
  readonly #root: string;
  readonly #packedBytes: number;
  readonly #limits: ArchiveLimits;
  readonly #signal: AbortSignal;
  #entries = 0;
  #bytes = 0;
  #sources = 0;

  constructor(root: string, packedBytes: number, limits: ArchiveLimits, signal: AbortSignal) {
    this.#root = root;
    this.#packedBytes = packedBytes;
    this.#limits = limits;
    this.#signal = signal;
  }

  /** Of source files that were written. */
  get sources(): number {
    return this.#sources;
  }

  /**
   * Counts an entry.
   * @returns its path.
   * @throws CensusError when there are too many, or its name is refused; the signal's reason.
   */
  enter(name: string): string {
    this.#signal.throwIfAborted();
    if (++this.#entries > this.#limits.entries) {
      throw new CensusError(
        "ERR_CENSUS_ARCHIVE_BOMB",
        `The archive is refused: it has more than ${formatCount(this.#limits.entries)} entries.`,
      );
    }
    return entryPath(name);
  }

  /** Counts unpacked bytes. @throws CensusError when there are too many; the signal's reason. */
  count(bytes: number): void {
    this.#signal.throwIfAborted();
    this.#bytes += bytes;
    const { unpackedBytes, ratio, ratioFromBytes } = this.#limits;
    if (this.#bytes > unpackedBytes) {
      throw new CensusError(
        "ERR_CENSUS_ARCHIVE_BOMB",
        `The archive is refused: unpacked it has more than ${formatBytes(unpackedBytes)}.`,
      );
    }
    if (this.#bytes > ratioFromBytes && this.#bytes > ratio * this.#packedBytes) {
      throw new CensusError(
        "ERR_CENSUS_ARCHIVE_BOMB",
        `The archive is refused: unpacked it is more than ${ratio} times as large as packed.`,
      );
    }
  }

  /** Whether a census reads the file. */
  wants(path: string): boolean {
    return isSourceName(path) || basename(path) === "package.json";
  }

  /** Writes a file. @throws CensusError when there is one of this name; what `content` throws. */
  async write(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const target = join(this.#root, path);
    try {
      await mkdir(dirname(target), { recursive: true });
      const file = await open(target, "wx", 0o600);
      try {
        await file.writeFile(content);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (!CLASHES.has(errorCode(error))) throw error;
      throw new CensusError(
        "ERR_CENSUS_ARCHIVE_BROKEN",
        `The archive is refused: two of its entries are called ${JSON.stringify(printable(path))}.`,
      );
    }
    if (isSourceName(path)) this.#sources++;
  }
}
