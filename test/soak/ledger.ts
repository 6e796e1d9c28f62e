/** Who was submitted, who has settled: independent of what the pool itself counts. */

export type Outcome = "done" | "failed" | "canceled" | "timed out" | "crashed" | "not cloneable";

const outcomeOf: Readonly<Record<string, Outcome>> = {
  ERR_SKEIN_JOB_CANCELED: "canceled",
  ABORT_ERR: "canceled",
  ERR_SKEIN_JOB_TIMEOUT: "timed out",
  ERR_SKEIN_THREAD_CRASHED: "crashed",
  ERR_SKEIN_NOT_CLONEABLE: "not cloneable",
};

export function outcomeOfError(error: unknown): Outcome {
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (name === "AbortError") return "canceled";
  return (typeof code === "string" ? outcomeOf[code] : undefined) ?? "failed";
}

interface Entry {
  readonly kind: string;
  settlements: number;
}

export class Ledger {
  readonly #open: Map<number, Entry> = new Map();
  readonly #kinds: Map<string, Map<Outcome, number>> = new Map();
  readonly faults: string[] = [];
  #ids = 0;
  submitted = 0;
  settled = 0;

  get outstanding(): number {
    return this.#open.size;
  }

  /** Kinds of the jobs that have not settled, with how many there are. */
  get waiting(): string {
    const counts = new Map<string, number>();
    for (const { kind } of this.#open.values()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return [...counts].map(([kind, count]) => `${count} ${kind}`).join(", ");
  }

  /**
   * Follows a task. Each of its two callbacks may be called once, together.
   * @param check Says what is wrong with the outcome, or null.
   */
  follow(
    kind: string,
    task: PromiseLike<unknown>,
    check: (outcome: Outcome, value: unknown) => string | null,
    jobs = 1,
  ): void {
    const id = this.#ids++;
    this.submitted += jobs;
    const entry: Entry = { kind, settlements: 0 };
    this.#open.set(id, entry);
    const settle = (outcome: Outcome, value: unknown): void => {
      if (++entry.settlements > 1) this.fault(`${kind} settled ${entry.settlements} times`);
      if (!this.#open.delete(id)) return;
      this.settled += jobs;
      this.#count(kind, outcome);
      const problem = check(outcome, value);
      if (problem !== null) this.fault(`${kind}: ${problem}`);
    };
    task.then(
      (value) => settle("done", value),
      (error) => settle(outcomeOfError(error), error),
    );
  }

  /** Keeps the first of them; a flood says no more. */
  fault(text: string): void {
    if (this.faults.length < 50) this.faults.push(text);
  }

  /** One line for each kind. */
  table(): string {
    return [...this.#kinds]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([kind, outcomes]) => {
        const parts = [...outcomes].map(([outcome, count]) => `${outcome} ${count}`);
        return `  ${kind.padEnd(34)} ${parts.join(", ")}`;
      })
      .join("\n");
  }

  #count(kind: string, outcome: Outcome): void {
    let outcomes = this.#kinds.get(kind);
    if (outcomes === undefined) this.#kinds.set(kind, (outcomes = new Map()));
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
}
