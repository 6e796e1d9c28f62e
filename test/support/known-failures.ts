/**
 * What is known to fail, and why. A test that meets a failure asks here. One that is listed and passes is reported as well, so that the list
 * only shrinks.
 */
export class KnownFailures {
  readonly #reasons: ReadonlyMap<string, string>;

  constructor(reasons: Readonly<Record<string, string>>) {
    this.#reasons = new Map(Object.entries(reasons));
  }

  /** @returns what to complain about: a `problem` (null for none) that the list does not know, or one that is listed and gone; else null. */
  verdict(name: string, problem: string | null): string | null {
    const reason = this.#reasons.get(name);
    if (reason === undefined) return problem === null ? null : `${name}: ${problem}`;
    return problem === null ? `${name} passes now. Take it from the list of known failures` : null;
  }
}
