/** A Redis of our own: Debian's `redis-server` on a free loopback port, with its data in a folder of its own. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, ServerProcess, startServer } from "./server-process.ts";

const PROGRAM = "/usr/bin/redis-server";
const STARTED = /Ready to accept connections/;

export interface RedisServerOptions {
  /** Whether each write is on the disk before it is answered: `restart` finds all of them again. @default false */
  readonly appendOnly?: boolean;
}

/** @returns null, having said why, when there is no Redis here and none can be installed. @throws in CI instead. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer | null> {
  const server = { name: "redis-server", isInstalled: () => existsSync(PROGRAM) };
  return await startServer(server, () => RedisServer.start(options));
}

export class RedisServer implements AsyncDisposable {
  readonly url: string;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: ServerProcess | null = null;

  private constructor(folder: string, port: number, { appendOnly = false }: RedisServerOptions) {
    this.url = `redis://127.0.0.1:${port}`;
    this.#folder = folder;
    const durability = appendOnly ? ["--appendonly", "yes", "--appendfsync", "always"] : [];
    this.#args = [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--dir",
      folder,
      "--save",
      "",
      ...durability,
    ];
  }

  static async start(options: RedisServerOptions): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), "skein-redis-"));
    const redis = new RedisServer(folder, await freePort(), options);
    try {
      await redis.#run();
      return redis;
    } catch (error) {
      await redis[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Kills it, and starts it again on the same port some time later. */
  async restart(downMs: number): Promise<void> {
    await this.#process?.end("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, downMs));
    await this.#run();
  }

  async #run(): Promise<void> {
    this.#process = await ServerProcess.start(PROGRAM, this.#args, STARTED, { cwd: this.#folder });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.end("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
