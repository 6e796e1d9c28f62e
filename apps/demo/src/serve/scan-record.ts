/**
 * A scan, as it is stored and told of.
 *
 * | state       | means                                         | next                                                |
 * | ----------- | --------------------------------------------- | --------------------------------------------------- |
 * | queued      | waits until fewer others are under way        | scanning, cancelled, interrupted                    |
 * | scanning    | its files are looked for, parsed and compared | done, failed, cancelled, interrupted                |
 * | done        | all is stored, with a digest                  | none                                                |
 * | failed      | could not go on; `message` says why           | none                                                |
 * | cancelled   | somebody has stopped it                       | queued: resumed, with the files that are stored     |
 * | interrupted | its server ended, or its end is not stored    | queued: resumed, with the files that are stored     |
 */
export type ScanState = "queued" | "scanning" | "done" | "failed" | "cancelled" | "interrupted";

export interface ScanSource {
  readonly kind: "path" | "upload";
  /** The path below the root, or what the archive was called. */
  readonly name: string;
}

export interface ScanRecord {
  readonly id: string;
  readonly source: ScanSource;
  state: ScanState;
  /** Of the request that started it. */
  readonly correlationId: string;
  /** ISO 8601, as is `endedAt`. */
  readonly startedAt: string;
  endedAt?: string | undefined;
  readonly files: { total: number; done: number };
  /** Of the files that are done; so are `functions` and `errors`, syntax errors. */
  bytes: number;
  functions: number;
  errors: number;
  /** A sentence, where there is something to say. */
  message?: string | undefined;
  /** Of the result: equal to that of the command for the same files. */
  digest?: string | undefined;
}

export type EndState = Exclude<ScanState, "queued" | "scanning">;

export function isResumable({ state }: ScanRecord): boolean {
  return state === "cancelled" || state === "interrupted";
}
