/** Servers that tests start for themselves, as child processes, from Debian's packages. */
import { type ChildProcess, spawn, type SpawnOptions, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { timeLimit } from "./time-limit.ts";

const INSTALL = join(import.meta.dirname, "../../scripts/install-test-servers.sh");
/** A limit for what hangs, not for what is slow. */
const START_TIMEOUT_MS = timeLimit(30_000);
const ATTEMPTS = 3;

export interface Server {
  /** The program. */
  readonly name: string;
  readonly isInstalled: () => boolean;
}

/** @returns null, having said why, when there is no such server here and none can be installed. @throws in CI instead. */
export async function startServer<T>(
  { name, isInstalled }: Server,
  start: () => Promise<T>,
): Promise<T | null> {
  if (!isInstalled()) {
    const canInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
    const { status } = canInstall ? spawnSync(INSTALL, { stdio: "inherit" }) : { status: 1 };
    if (status !== 0 || !isInstalled()) {
      const reason = `${name} is not installed; scripts/install-test-servers.sh would install it on Debian`;
      if (process.env["CI"] !== undefined) throw new Error(reason);
      console.log(`Skipped: ${reason}`);
      return null;
    }
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      // Somebody may have taken the port, or the memory.
      if (attempt === ATTEMPTS) throw error;
      console.log(`${name} did not start, attempt ${attempt} of ${ATTEMPTS}: ${String(error)}`);
    }
  }
}

export class ServerProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param started What it prints when it takes connections. */
  static async start(
    program: string,
    args: readonly string[],
    started: RegExp,
    options: SpawnOptions,
  ): Promise<ServerProcess> {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const isUp = Promise.withResolvers<void>();
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (started.test(output)) isUp.resolve();
      });
    }
    child.on("error", isUp.reject);
    child.on("exit", (code, signal) => isUp.reject(new Error(`it ended with ${signal ?? code}`)));
    const limit = setTimeout(
      () => isUp.reject(new Error(`not up after ${START_TIMEOUT_MS} ms`)),
      START_TIMEOUT_MS,
    );
    const server = new ServerProcess(child);
    try {
      await isUp.promise;
      return server;
    } catch (error) {
      await server.end("SIGKILL");
      throw new Error(`${program} did not start: ${output}`, { cause: error });
    } finally {
      clearTimeout(limit);
    }
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill(signal);
    await exit;
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
