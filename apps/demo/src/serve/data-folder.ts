/** The folder with all that is kept: the database, the log, and unpacked uploads. One server has it at a time. */
import { mkdirSync, mkdtempSync, realpathSync, renameSync, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UsageError } from "../command-line.ts";
import { describeFileError } from "../wording.ts";

/** A log that is larger at the start is put aside, in place of the one that was before. */
const LOG_BYTES = 16_000_000;

export class DataFolder {
  /** Absolute, links resolved. */
  readonly path: string;
  readonly database: string;
  readonly log: string;
  readonly uploads: string;
  readonly #lock: DatabaseSync;

  /**
   * Makes it, if it is not there.
   * @param path null: below the user's state folder, or a temporary one where that cannot be written
   * @throws UsageError when it cannot be written, or another server has it.
   */
  constructor(path: string | null) {
    const folder = path === null ? defaultFolder() : resolve(path);
    try {
      mkdirSync(join(folder, "uploads"), { recursive: true, mode: 0o700 });
      this.path = realpathSync(folder);
      this.database = join(this.path, "census.db");
      this.log = join(this.path, "census.log");
      this.uploads = join(this.path, "uploads");
      this.#lock = new DatabaseSync(join(this.path, "lock.db"));
    } catch (error) {
      throw new UsageError(`cannot write to ${folder}: ${describeFileError(error)}`);
    }
    try {
      // Held until this process ends, however it does.
      this.#lock.exec("BEGIN EXCLUSIVE");
    } catch {
      this.#lock.close();
      throw new UsageError(`another server has ${this.path}: give this one another --data`);
    }
    if ((statSync(this.log, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES)
      renameSync(this.log, `${this.log}.1`);
  }

  close(): void {
    this.#lock.close();
  }
}

function defaultFolder(): string {
  const state = process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state");
  const folder = join(state, "skein-census");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch {
    return mkdtempSync(join(tmpdir(), "census-"));
  }
}
