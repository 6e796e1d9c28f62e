/**
 * A RabbitMQ of our own: Debian's `rabbitmq-server` on free loopback ports, with its own data, name and cookie. Nothing of the
 * machine's own broker, if it has one, is touched.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "amqplib";
import type { ChannelModel } from "amqplib";
import { timeLimit } from "../support/time-limit.ts";

/** The scripts themselves: Debian's wrapper in /usr/sbin would change the user to `rabbitmq`. */
const PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const EPMD = "/usr/bin/epmd";
const INSTALL = join(import.meta.dirname, "../../scripts/install-test-servers.sh");
/** What the server prints when it takes connections. */
const STARTED = /completed with \d+ plugins/;
/** Five seconds on a quiet machine. A limit for what hangs, not for what is slow. */
const START_TIMEOUT_MS = timeLimit(180_000);
const STOP_TIMEOUT_MS = timeLimit(60_000);
const ATTEMPTS = 3;

/** @returns null, having said why, when there is no broker here and none can be installed. @throws in CI instead. */
export async function startRabbitMq(): Promise<RabbitMq | null> {
  if (!existsSync(PROGRAM)) {
    const canInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
    const { status } = canInstall ? spawnSync(INSTALL, { stdio: "inherit" }) : { status: 1 };
    if (status !== 0 || !existsSync(PROGRAM)) {
      const reason =
        "rabbitmq-server is not installed; scripts/install-test-servers.sh would install it on Debian";
      if (process.env["CI"] !== undefined) throw new Error(reason);
      console.log(`Skipped: ${reason}`);
      return null;
    }
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await RabbitMq.start();
    } catch (error) {
      // Somebody may have taken one of the ports, or the memory.
      if (attempt === ATTEMPTS) throw error;
      console.log(`rabbitmq-server did not start, attempt ${attempt} of ${ATTEMPTS}: ${String(error)}`);
    }
  }
}

export class RabbitMq implements AsyncDisposable {
  readonly url: string;
  readonly #folder: string;
  readonly #processes: readonly ChildProcess[];

  private constructor(url: string, folder: string, processes: readonly ChildProcess[]) {
    this.url = url;
    this.#folder = folder;
    this.#processes = processes;
  }

  static async start(): Promise<RabbitMq> {
    const folder = mkdtempSync(join(tmpdir(), "skein-rabbitmq-"));
    const [port = 0, distributionPort = 0, epmdPort = 0] = await freePorts(3);
    writeFileSync(join(folder, "rabbitmq.conf"), `listeners.tcp.1 = 127.0.0.1:${port}\n`);
    writeFileSync(join(folder, "env.conf"), "");
    writeFileSync(join(folder, "enabled_plugins"), "[].\n");
    const env = {
      PATH: `${process.env["PATH"]}:/usr/sbin:/usr/bin:/bin`,
      LANG: "C.UTF-8",
      HOME: folder,
      ERL_EPMD_PORT: String(epmdPort),
      ERL_EPMD_ADDRESS: "127.0.0.1",
      RABBITMQ_NODENAME: `skein-${port}@localhost`,
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
      RABBITMQ_DIST_PORT: String(distributionPort),
      RABBITMQ_CONF_ENV_FILE: join(folder, "env.conf"),
      RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "enabled_plugins"),
      RABBITMQ_MNESIA_BASE: join(folder, "data"),
      RABBITMQ_LOG_BASE: join(folder, "log"),
      RABBITMQ_PID_FILE: join(folder, "pid"),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
    };
    // Erlang would start this one by itself, as a daemon that outlives the test.
    const names = spawn(EPMD, ["-port", String(epmdPort), "-address", "127.0.0.1"], {
      env,
      stdio: "ignore",
    });
    const broker = spawn(PROGRAM, [], {
      env,
      cwd: folder,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const started = Promise.withResolvers<void>();
    for (const stream of [broker.stdout, broker.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (STARTED.test(output)) started.resolve();
      });
    }
    for (const [name, child] of Object.entries({ names, broker })) {
      child.on("error", started.reject);
      child.on("exit", (code, signal) => started.reject(new Error(`${name} ended with ${signal ?? code}`)));
    }
    const limit = setTimeout(
      () => started.reject(new Error(`not up after ${START_TIMEOUT_MS} ms`)),
      START_TIMEOUT_MS,
    );
    const server = new RabbitMq(`amqp://guest:guest@127.0.0.1:${port}`, folder, [broker, names]);
    try {
      await started.promise;
      const connection = await server.connect();
      await connection.close();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw new Error(`rabbitmq-server did not start: ${output}`, { cause: error });
    } finally {
      clearTimeout(limit);
    }
  }

  connect(): Promise<ChannelModel> {
    return connect(this.url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, "exit");
      signalTo(child, "SIGTERM");
      const isOver = await Promise.race([exit, delay(STOP_TIMEOUT_MS, null, { ref: false })]);
      if (isOver === null) {
        signalTo(child, "SIGKILL");
        await exit;
      }
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The script's own children are in its group. */
function signalTo(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.spawnfile === PROGRAM && child.pid !== undefined) process.kill(-child.pid, signal);
  else child.kill(signal);
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
