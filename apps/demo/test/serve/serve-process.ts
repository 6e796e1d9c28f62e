/** `census serve` as a process of its own, which a test may kill and start again where it was. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Built: its page is. */
const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export class ServeProcess {
  readonly #options: readonly string[];
  #child: ChildProcess | null = null;
  /** As it was given in the beginning, in every start. */
  #port = "0";
  #url = "";

  /** @param options of `census serve` but the port */
  constructor(options: readonly string[]) {
    this.#options = options;
  }

  get url(): string {
    return this.#url;
  }

  /** @throws when it ends before it has said its URL, with what it said instead. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, "serve", "--port", this.#port, ...this.#options], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    let said = "";
    this.#url = await new Promise((resolve, reject) => {
      const listen = (chunk: string): void => {
        said += chunk;
        const [url] = /http:\/\/\S+/.exec(said) ?? [];
        if (url !== undefined) resolve(url);
      };
      child.stdout.setEncoding("utf8").on("data", listen);
      child.stderr.setEncoding("utf8").on("data", listen);
      child.once("close", (code) => reject(new Error(`census serve ended with ${code}: ${said}`)));
    });
    this.#port = new URL(this.#url).port;
  }

  /** As a crash of the machine would. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill(signal);
    await closed;
  }
}
