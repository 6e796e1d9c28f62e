/** A Postgres of our own: Debian's server on a free loopback port, with its data in a folder of its own, and nothing of it safe on the disk. */
import { execFile } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, ServerProcess, startServer } from "./server-process.ts";

const VERSIONS = "/usr/lib/postgresql";
const STARTED = /database system is ready to accept connections/;

/** @returns null, having said why, when there is no Postgres here and none can be installed. @throws in CI instead. */
export async function startPostgres(): Promise<PostgresServer | null> {
  return await startServer({ name: "postgres", isInstalled: () => programs() !== null }, () =>
    PostgresServer.start(programs()!),
  );
}

/** Their folder. */
function programs(): string | null {
  const versions = existsSync(VERSIONS)
    ? readdirSync(VERSIONS).toSorted((a, b) => Number(b) - Number(a))
    : [];
  return (
    versions
      .map((version) => join(VERSIONS, version, "bin"))
      .find((folder) => existsSync(join(folder, "initdb"))) ?? null
  );
}

export class PostgresServer implements AsyncDisposable {
  readonly url: string;
  readonly #programs: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #user = unprivileged();
  #process: ServerProcess | null = null;

  private constructor(programFolder: string, folder: string, port: number) {
    this.url = `postgres://skein@127.0.0.1:${port}/postgres`;
    this.#programs = programFolder;
    this.#folder = folder;
    this.#port = port;
  }

  static async start(programFolder: string): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), "skein-postgres-"));
    const postgres = new PostgresServer(programFolder, folder, await freePort());
    try {
      await postgres.#make();
      await postgres.#run();
      return postgres;
    } catch (error) {
      await postgres[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends it as a crash would, and starts it again on the same port. */
  async restart(): Promise<void> {
    await this.#process?.end("SIGQUIT");
    await this.#run();
  }

  async #make(): Promise<void> {
    if (this.#user !== null) chownSync(this.#folder, this.#user.uid, this.#user.gid);
    const args = [
      "-D",
      this.#folder,
      "-U",
      "skein",
      "--auth=trust",
      "--no-sync",
      "--locale=C",
      "--encoding=UTF8",
    ];
    await promisify(execFile)(join(this.#programs, "initdb"), args, { cwd: this.#folder, ...this.#user });
  }

  async #run(): Promise<void> {
    const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"];
    const args = [
      "-D",
      this.#folder,
      "-p",
      String(this.#port),
      ...settings.flatMap((setting) => ["-c", setting]),
    ];
    const options = { cwd: this.#folder, ...this.#user };
    this.#process = await ServerProcess.start(join(this.#programs, "postgres"), args, STARTED, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.end("SIGQUIT");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** It refuses to run as root: then it runs as the user that Debian makes for it. Null: we are not root. */
function unprivileged(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const entry = readFileSync("/etc/passwd", "utf8").match(/^postgres:[^:]*:(\d+):(\d+):/m);
  if (entry === null) throw new Error("There is no user postgres");
  return { uid: Number(entry[1]), gid: Number(entry[2]) };
}
