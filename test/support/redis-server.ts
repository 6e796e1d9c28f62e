/** A Redis of our own: Debian's `redis-server` on a free loopback port, with its data in a folder of its own. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timeLimit } from "./time-limit.ts";

const PROGRAM = "/usr/bin/redis-server";
const INSTALL = join(import.meta.dirname, "../../scripts/install-test-servers.sh");
const STARTED = /Ready to accept connections/;
const START_TIMEOUT_MS = timeLimit(30_000);
const ATTEMPTS = 3;

export interface RedisServerOptions {
  /** Whether each write is on the disk before it is answered: `restart` finds all of them again. @default false */
  readonly appendOnly?: boolean;
}

/** @returns null, having said why, when there is no Redis here and none can be installed. @throws in CI instead. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer | null> {
  if (!existsSync(PROGRAM)) {
    const canInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
    const { status } = canInstall ? spawnSync(INSTALL, { stdio: "inherit" }) : { status: 1 };
    if (status !== 0 || !existsSync(PROGRAM)) {
      const reason =
        "redis-server is not installed; scripts/install-test-servers.sh would install it on Debian";
      if (process.env["CI"] !== undefined) throw new Error(reason);
      console.log(`Skipped: ${reason}`);
      return null;
    }
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await RedisServer.start(options);
    } catch (error) {
      // Somebody may have taken the port, or the memory.
      if (attempt === ATTEMPTS) throw error;
      console.log(`redis-server did not start, attempt ${attempt} of ${ATTEMPTS}: ${String(error)}`);
    }
  }
}

export class RedisServer implements AsyncDisposable {
  readonly url: string;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: ChildProcess | null = null;

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
    await this.#kill();
    await new Promise((resolve) => setTimeout(resolve, downMs));
    await this.#run();
  }

  async #run(): Promise<void> {
    const server = spawn(PROGRAM, this.#args, { cwd: this.#folder, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = server;
    let output = "";
    const started = Promise.withResolvers<void>();
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (STARTED.test(output)) started.resolve();
      });
    }
    server.on("error", started.reject);
    server.on("exit", (code, signal) => started.reject(new Error(`it ended with ${signal ?? code}`)));
    const limit = setTimeout(
      () => started.reject(new Error(`not up after ${START_TIMEOUT_MS} ms`)),
      START_TIMEOUT_MS,
    );
    try {
      await started.promise;
    } catch (error) {
      throw new Error(`redis-server did not start: ${output}`, { cause: error });
    } finally {
      clearTimeout(limit);
    }
  }

  async #kill(): Promise<void> {
    const server = this.#process;
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exit = once(server, "exit");
    server.kill("SIGKILL");
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Free a moment ago: whoever needs it for sure tries again. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
