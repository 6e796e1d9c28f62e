/** Something that a queue or a scheduler runs once. */
export interface WorkItem {
  /** Runs it. An error thrown here is nobody's: the queue reports it as an uncaught exception. */
  invoke(): void;
  /** Called instead of `invoke` when no scheduler could be made to run it. */
  fail(error: unknown): void;
}
