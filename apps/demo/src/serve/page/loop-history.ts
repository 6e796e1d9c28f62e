/** How late the event loop was, a column per 100 ms, and where a setting was changed. */
import type { Settings } from "./wire.ts";

export const COLUMN_MS = 100;

/** A minute and a half: more than a screen shows. */
const KEPT = 900;

export interface Mark {
  /** The number of the first column after the change. */
  readonly column: number;
  /** What is another than before: "yield", "4 threads". */
  readonly label: string;
  readonly settings: Settings;
}

/** What a setting did for as long as it held. */
export interface Effect {
  readonly settings: Settings;
  readonly seconds: number;
  readonly medianMs: number;
  readonly greatestMs: number;
}

export class LoopHistory {
  /** NaN where nobody knows: the connection was lost. */
  #columns: number[] = [];
  #marks: Mark[] = [];
  #count = 0;

  /** How many there were, those that are forgotten too. */
  get count(): number {
    return this.#count;
  }

  get marks(): readonly Mark[] {
    return this.#marks;
  }

  /** NaN if it is not known. */
  at(column: number): number {
    return this.#columns[column - (this.#count - this.#columns.length)] ?? NaN;
  }

  add(columns: readonly number[]): void {
    this.#columns = [...this.#columns, ...columns].slice(-KEPT);
    this.#count += columns.length;
    const oldest = this.#count - this.#columns.length;
    // The last one before the oldest column holds there.
    while (this.#marks.length > 1 && this.#marks[1]!.column <= oldest) this.#marks.shift();
  }

  /** The columns of a time without a connection are missing. */
  gap(): void {
    if (this.#count > 0 && !Number.isNaN(this.at(this.#count - 1))) this.add([NaN]);
  }

  mark(settings: Settings): void {
    const before = this.#marks.at(-1)?.settings;
    const label = changeOf(before, settings);
    if (label === "") return;
    this.#marks.push({ column: this.#count, label, settings });
  }

  /** The newest `limit`, newest first. */
  effects(limit: number): Effect[] {
    const effects: Effect[] = [];
    for (let i = this.#marks.length - 1; i >= 0 && effects.length < limit; i--) {
      const { column, settings } = this.#marks[i]!;
      const end = this.#marks[i + 1]?.column ?? this.#count;
      const columns = Array.from({ length: end - column }, (_, each) => this.at(column + each))
        .filter((ms) => !Number.isNaN(ms))
        .toSorted((a, b) => a - b);
      if (columns.length === 0) continue;
      effects.push({
        settings,
        seconds: (columns.length * COLUMN_MS) / 1000,
        medianMs: columns[Math.floor(columns.length / 2)]!,
        greatestMs: columns.at(-1)!,
      });
    }
    return effects;
  }
}

function changeOf(before: Settings | undefined, { policy, threads }: Settings): string {
  const changes: string[] = [];
  if (policy !== before?.policy) changes.push(policy);
  if (threads !== before?.threads) changes.push(`${threads} ${threads === 1 ? "thread" : "threads"}`);
  return changes.join(", ");
}
