/** What the store has of a job that is over, or runs, for whoever waits for it. Anybody who reaches the store may have written it. */
import { ThreadCrashedError } from "@skein/pool";
import { type ErrorWire, fromWire, type JobEnds, type JobReport } from "@skein/pool/engine";
import { decodeText } from "./codec/text.ts";
import { InvalidPayloadError, WorkerLostError } from "./errors.ts";
import { checkSize, readOutcome } from "./wire.ts";

/** What cannot be read is the job's error. */
export function tellOutcome(ends: JobEnds, data: unknown, maxPayloadBytes: number): void {
  try {
    const outcome = readOutcome(data, maxPayloadBytes);
    if (outcome.kind === "withdrawn") ends.arrived(outcome);
    else if (outcome.kind === "crashed") ends.failed(crashOf(outcome.exitCode, outcome.text));
    else if (outcome.kind === "lost") ends.failed(new WorkerLostError(outcome.starts));
    else ends.settled(outcome.kind, valueOf(outcome));
  } catch (error) {
    ends.failed(error as Error);
  }
}

/** @throws InvalidPayloadError */
function crashOf(exitCode: number | null, text: string | undefined): ThreadCrashedError {
  const error = text === undefined ? null : fromWire(valueOf({ kind: "error", text }) as ErrorWire);
  // Made anew: what it says of the job comes from here.
  return error instanceof ThreadCrashedError
    ? error.forOneJob()
    : new ThreadCrashedError(exitCode ?? undefined);
}

/** @throws InvalidPayloadError */
function valueOf({ kind, text }: { readonly kind: "result" | "error"; readonly text: string }): unknown {
  const value = decodeText(text);
  if (kind === "result") return value;
  try {
    if (typeof value !== "object" || value === null) throw new TypeError("it is no record");
    fromWire(value as ErrorWire);
  } catch (cause) {
    throw new InvalidPayloadError("it is no error that a job threw", { cause });
  }
  return value;
}

/** @throws InvalidPayloadError, PayloadTooLargeError */
export function* readReports(data: unknown, maxPayloadBytes: number): Generator<JobReport> {
  const { texts } = (data ?? {}) as { readonly texts?: unknown };
  if (!Array.isArray(texts)) throw new InvalidPayloadError("it is no list of reports");
  for (const text of texts) {
    checkSize("report", String(text), maxPayloadBytes);
    const report = decodeText(String(text)) as Partial<{ kind: unknown; value: unknown }> | null | undefined;
    if (report?.kind === "began") yield { kind: "began" };
    else if (report?.kind === "progress") yield { kind: "progress", value: report.value };
    else throw new InvalidPayloadError("it is no report of a job");
  }
}
