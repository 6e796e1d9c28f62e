/** A process of one build, asked one thing at a time. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sample } from "../method/scenario.ts";
import type { Answer, Request } from "./protocol.ts";

const ANSWER_TIMEOUT_MS = 120_000;

export class Build {
  readonly #child: ChildProcess;

  /** @param root of the repository that was built. */
  constructor(root: string) {
    this.#child = fork(join(root, "bench/src/against/build-process.ts"), {
      execArgv: ["--expose-gc"],
      cwd: root,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
  }

  /** @throws Error with what the process said, or that it ended or fell silent. */
  async ask(request: Request): Promise<Sample | null> {
    const child = this.#child;
    const finished = new AbortController();
    const answered = new Promise<Answer>((resolve, reject) => {
      child.once("message", (answer: Answer) => resolve(answer));
      child.once("exit", (code, signal) => reject(new Error(`the process ended with ${signal ?? code}`)));
      child.once("error", reject);
    });
    const late = sleep(ANSWER_TIMEOUT_MS, undefined, { signal: finished.signal }).then(() => {
      throw new Error("the process does not answer");
    });
    late.catch(() => {});
    try {
      if (!child.connected) throw new Error("the process has ended");
      child.send(request);
      const answer = await Promise.race([answered, late]);
      if (!answer.ok) throw new Error(answer.error);
      return answer.sample;
    } finally {
      finished.abort();
      answered.catch(() => {});
      for (const event of ["message", "exit", "error"]) child.removeAllListeners(event);
    }
  }

  end(): void {
    if (this.#child.exitCode === null) this.#child.kill("SIGKILL");
  }
}
