/** What a ledger tells its thread, and asks of it. None of it runs user code, but for `queued`, which is always the last step. */
export interface LedgerThread {
  /** A job will be outstanding, and none was. */
  active(): void;
  /** The last outstanding job has settled. */
  idle(): void;
  /** Jobs were queued: somebody has to run them. May start a thread, and so call listeners of the user's. */
  queued(exclusive: boolean): void;
  /** The cancel flag of a running job was set: the thread with this serial may be waiting in its event loop. */
  cancelRequested(serial: number, slot: number): void;
  /** Takes in what threads have posted, without waiting. */
  takeMessages(): void;
  /** What jobs have reported until now is to be passed on to this thread: `ledger.told(id)` follows. Never on the host, which has it. */
  wantReports(id: number): void;
  /** A job that was asked to stop has not: the thread with this serial has to be ended. */
  terminate(serial: number): void;
  /** Somebody waits for the next item of a stream. */
  awaited(): void;
}
