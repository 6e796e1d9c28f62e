/** Says how far the run is, where nobody watches a terminal: what takes long can be told from what hangs. */
import type { Reporter, TestModule } from "vitest/node";

const EVERY_MS = 15_000;

export default class ProgressReporter implements Reporter {
  readonly #running: Set<string> = new Set();
  #files = 0;
  #over = 0;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  onTestRunStart(specifications: readonly unknown[]): void {
    this.#files = specifications.length;
    this.#startedAt = performance.now();
    if (process.stdout.isTTY) return;
    console.log(`${this.#files} test files`);
    this.#timer = setInterval(() => this.#say(), EVERY_MS);
  }

  onTestModuleStart(module: TestModule): void {
    this.#running.add(module.relativeModuleId);
  }

  onTestModuleEnd(module: TestModule): void {
    this.#running.delete(module.relativeModuleId);
    this.#over++;
  }

  onTestRunEnd(): void {
    clearInterval(this.#timer);
  }

  #say(): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(0);
    console.log(`${seconds} s: ${this.#over} of ${this.#files} files; now ${[...this.#running].join(", ")}`);
  }
}
