/** A process that answers questions, one at a time. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

type Question = { readonly ask: string };

export class AskedProcess<Q extends Question, Answers extends Readonly<Record<Q["ask"], unknown>>> {
  readonly #child: ChildProcess;
  readonly #name: string;

  private constructor(child: ChildProcess, name: string) {
    this.#child = child;
    this.#name = name;
  }

  /** Starts the module, and waits for its first message. */
  static async start<Q extends Question, Answers extends Readonly<Record<Q["ask"], unknown>>>(
    module: URL,
    args: readonly string[],
    flags: readonly string[] = [],
  ): Promise<{ process: AskedProcess<Q, Answers>; first: unknown }> {
    const child = fork(module, args, { execArgv: [...process.execArgv, ...flags] });
    const started = new AskedProcess<Q, Answers>(child, module.pathname.split("/").at(-1) ?? "");
    return { process: started, first: await started.#message() };
  }

  /** Rejects when the process has ended, or ends before it has answered. */
  ask<K extends Q["ask"]>(question: Extract<Q, { ask: K }>): Promise<Answers[K]> {
    if (this.#hasEnded()) return Promise.reject(new Error(`${this.#name} has ended`));
    const answer = this.#message();
    this.#send(question);
    return answer as Promise<Answers[K]>;
  }

  /**
   * Has the process end by itself, which it does when nothing is left to do.
   *
   * @throws Error if it has to be killed, or ends with another code than 0.
   */
  async stop(graceMs: number = 5000): Promise<void> {
    if (this.#hasEnded()) return;
    const exit = once(this.#child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    this.#send({ ask: "stop" });
    const [code, signal] = await exit;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`${this.#name} did not end cleanly: ${signal ?? `exit code ${code}`}`);
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #send(question: Question): void {
    this.#child.send(question, () => {
      // The channel is gone: the end of the process tells it.
    });
  }

  #message(): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const onMessage = (message: unknown): void => {
      this.#child.off("exit", onExit);
      resolve(message);
    };
    const onExit = (code: number | null, signal: string | null): void => {
      this.#child.off("message", onMessage);
      reject(new Error(`${this.#name} has ended: ${signal ?? `exit code ${code}`}`));
    };
    this.#child.once("message", onMessage);
    this.#child.once("exit", onExit);
    return promise;
  }
}
