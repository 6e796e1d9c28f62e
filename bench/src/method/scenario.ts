/**
 * What a section of the benchmark consists of. A section answers one question with some scenarios; a scenario is one
 * situation in which contenders take turns; a contender is one product in one configuration.
 *
 * Only names, titles, units and samples reach the raw file. Questions, figures and reasons are read from the section when a
 * report is written, so the text can be mended without measuring again.
 */

/** How much is measured. A section sizes its scenarios by it. */
export interface Scale {
  readonly mode: "full" | "quick";
  /** Measured rounds of each contender, after the warm-up. */
  readonly rounds: number;
  /** The first in full mode, the second in quick mode. */
  pick<T>(full: T, quick: T): T;
}

/** One number per metric: what one round has measured. A metric that a contender cannot have is left out. */
export type Sample = Readonly<Record<string, number>>;

export interface Metric {
  /** The key of its number in a Sample. */
  readonly key: string;
  /** As in the head of a table: `round trip p99`. */
  readonly title: string;
  /** Decides how numbers are written: see `report/quantities.ts`. */
  readonly unit: Unit;
  /** `neither` is shown and not judged. */
  readonly better: "higher" | "lower" | "neither";
}

export type Unit =
  | "jobs/s"
  | "requests/s"
  | "operations/s"
  | "ns"
  | "us"
  | "ms"
  | "bytes"
  | "MB"
  | "MB/s"
  | "%"
  | "x"
  | "count";

/**
 * `skein`: ours. `peer`: judged against. `native`: what the platform offers without any library, also judged against.
 * `reference`: a line to read the others by (a raw port, a bare ring, one thread), compared and never counted as won or lost.
 */
export type Kind = "skein" | "peer" | "native" | "reference";

/** A contender that has been opened and waits for its next round. */
export interface Run {
  /**
   * One round. The garbage of earlier rounds is collected before; whatever is wrong with a result throws, and the contender
   * is reported as failed.
   */
  round(): Promise<Sample>;
  close(): Promise<void>;
}

export interface Contender {
  /** Unique in its scenario, and the same in all scenarios of a figure: `piscina, 64 in flight`. */
  readonly name: string;
  readonly kind: Kind;
  /** The product: configurations of one product are told apart by `name` only, and its best one is what we are judged by. */
  readonly product: string;
  /** What was set, as one would write it: `concurrentTasksPerWorker: 64`. */
  readonly configuration: string;
  open(): Promise<Run>;
}

export interface Scenario {
  /** Unique in its section, kebab-case. */
  readonly name: string;
  readonly title: string;
  readonly metrics: readonly Metric[];
  /** The first of kind `skein` is the one that all others are compared with. */
  readonly contenders: readonly Contender[];
  /** Scenarios of one group are the points of one line: `at` is where on the x axis. */
  readonly group?: string;
  readonly at?: number;
  /** Rounds of each contender that are thrown away; 1 if left out. */
  readonly warmUps?: number;
  /** Instead of the scale's, for rounds that take seconds. At least 7 in full mode. */
  readonly rounds?: number;
  /** A round that takes longer has failed; 60 s if left out. */
  readonly timeoutMs?: number;
  /** Runs with `--against`: cheap, and its skein contenders need nothing that older builds lack. */
  readonly regression?: boolean;
  /** Of a process there, 3 if left out; fewer for rounds that take seconds. */
  readonly roundsAgainst?: number;
}

/** A picture: lines over the scenarios of a group, or bars for the contenders of one scenario. */
export interface Figure {
  /** File name without extension. */
  readonly name: string;
  /** The title, a question that the picture answers. */
  readonly question: string;
  /** A group for lines, a scenario's name for bars. */
  readonly of: string;
  readonly kind: "lines" | "bars";
  readonly metric: string;
  /** Of the x axis of lines. */
  readonly x?: { readonly title: string; readonly log?: boolean };
  readonly log?: boolean;
  /** Only these contenders; all if left out. The report's table always shows all. */
  readonly contenders?: readonly string[];
}

/** Why we lose, in as many places as one mechanism reaches, and what would change it. Printed under a loss that it fits, never otherwise, with what it rests on. */
export interface Reason {
  /**
   * `measured`: an experiment took the cause away, and the loss went; `evidence` names its command. `code`: what the code does is certain,
   * that it makes the difference is not. Left out: a supposition.
   */
  readonly basis?: "measured" | "code";
  readonly evidence?: string;
  /** Names of scenarios or groups; all if left out. */
  readonly of?: string | readonly string[];
  readonly metric?: string;
  /** A product, or one of its configurations by name. */
  readonly product?: string;
  /** Without numbers, those are generated beside it; with the file, under `packages`, in which it can be seen. */
  readonly why: string;
  readonly change: string;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  /** What a reader wants to know. */
  readonly question: string;
  /** How it was measured, in a few sentences; settings that were tried are told here. */
  readonly method: string;
  scenarios(scale: Scale): readonly Scenario[] | Promise<readonly Scenario[]>;
  /** Titles of groups, for the head of their tables. */
  readonly groups?: Readonly<Record<string, string>>;
  readonly figures?: readonly Figure[];
  readonly reasons?: readonly Reason[];
}
