/**
 * What is known to fail, and why. A test that meets a failure asks here; one that is listed and passes is reported as well, so that the list
 * only shrinks.
 */
export class KnownFailures {
  readonly #reasons: Map<string, string>;

  constructor(reasons: Readonly<Record<string, string>>) {
    this.#reasons = new Map(Object.entries(reasons));
  }

  /** @throws when `problem`, null for none, is not what the list says of `name`. */
  check(name: string, problem: string | null): void {
    const reason = this.#reasons.get(name);
    this.#reasons.delete(name);
    if (reason === undefined && problem !== null) throw new Error(`${name}: ${problem}`);
    if (reason !== undefined && problem === null)
      throw new Error(`${name} passes now. Take it from the list of known failures`);
  }

  /** Entries that nobody has asked for. */
  get unused(): string[] {
    return [...this.#reasons.keys()];
  }
}
