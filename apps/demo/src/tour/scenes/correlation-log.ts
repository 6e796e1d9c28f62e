/** A log that any thread appends to: a line is one write, so lines never mix. */
import { appendFileSync, readFileSync } from "node:fs";
import { threadId } from "node:worker_threads";
import { correlationId } from "@skein/context/http";
import { contextFields } from "@skein/context/log";

export interface LoggedStep {
  readonly step: string;
  readonly thread: number;
  readonly id: string | null;
}

export function logStep(log: string, step: string): void {
  // tour: begin
  appendFileSync(log, `${JSON.stringify({ thread: threadId, ...contextFields(), step })}\n`);
  // tour: end
}

export function readSteps(log: string): LoggedStep[] {
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const fields = JSON.parse(line) as Record<string, unknown>;
      const id = fields[correlationId.name ?? ""];
      return {
        step: String(fields["step"]),
        thread: Number(fields["thread"]),
        id: typeof id === "string" ? id : null,
      };
    });
}
