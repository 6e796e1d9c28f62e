/** Which jobs stand out. */
export interface Emphasis {
  /** 0: none. */
  readonly selected: number;
  /** Null: all. */
  readonly found: ReadonlySet<number> | null;
}

const UNFOUND_ALPHA = 0.14;

export function alphaOf({ found }: Emphasis, job: number): number {
  return found === null || found.has(job) ? 1 : UNFOUND_ALPHA;
}
