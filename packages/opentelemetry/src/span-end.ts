import { type Span, SpanStatusCode } from "@opentelemetry/api";

/** What a message of a TracingChannel says when its operation is over. */
interface Ended {
  readonly outcome: "completed" | "failed" | "canceled" | "refused" | null;
  readonly error?: unknown;
}

/** The error is recorded; a job that was cancelled has no error status. */
export function endWithOutcome(span: Span, { outcome, error }: Ended): void {
  span.setAttribute("skein.job.outcome", outcome ?? "unknown");
  if (outcome === "failed" || outcome === "refused") {
    if (error instanceof Error) span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : "" });
  }
  span.end();
}
