/** One line on standard error that says what is being measured: rewritten on a terminal, one line per scenario elsewhere. */
export class Progress {
  readonly #section: string;
  #scenario = "";
  readonly #startedAt = performance.now();

  constructor(section: string) {
    this.#section = section;
  }

  scenario(name: string, index: number, count: number): void {
    this.#scenario = `${this.#section} ${index + 1}/${count} ${name}`;
    if (!process.stderr.isTTY) process.stderr.write(`${this.#elapsed()} ${this.#scenario}\n`);
  }

  round(round: number, rounds: number, contender: string): void {
    if (!process.stderr.isTTY) return;
    const at = round < 0 ? "warm-up" : `round ${round + 1}/${rounds}`;
    process.stderr.write(`\r\u001b[2K${this.#elapsed()} ${this.#scenario}: ${at}, ${contender}`);
  }

  failure(contender: string, error: string): void {
    process.stderr.write(
      `${process.stderr.isTTY ? "\r\u001b[2K" : ""}FAILED ${this.#scenario}: ${contender}: ${error}\n`,
    );
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\u001b[2K");
    process.stderr.write(`${this.#elapsed()} ${this.#section} done\n`);
  }

  #elapsed(): string {
    return `${((performance.now() - this.#startedAt) / 1000).toFixed(0).padStart(4)} s`;
  }
}
