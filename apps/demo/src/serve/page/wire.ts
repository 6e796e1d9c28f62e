/** What the server says, as the page reads it. */
import type { Settings as ServerSettings } from "../scan-pool.ts";
import type { ScanRecord } from "../scan-record.ts";

export type { Threads } from "../scan-pool.ts";
export type { PackageSums } from "../listings.ts";
export type { LogLine } from "../log-tail.ts";

export type Scan = Readonly<ScanRecord>;
export type Settings = ServerSettings;
export type PolicyName = Settings["policy"];

/** How late the event loop was: the greatest delay of each 100 ms, in milliseconds. */
export interface LoopColumns {
  readonly columns: readonly number[];
}

/** Of one of the tables; which columns it has depends on the table. */
export type Row = Readonly<Record<string, string | number | null>>;

export interface Rows {
  readonly rows: readonly Row[];
  /** How many match, on all pages. */
  readonly total: number;
}
