/** The job: it computes without a pause, reports how far it is, and checks whether the caller wants it to stop. */
import { hash } from "node:crypto";
import { job } from "@skein/pool/worker";

/** The PIN with this SHA-256, by trying all; undefined when there is none, or when the caller has cancelled. */
export function findPin(wanted: string, digits: number): string | undefined {
  const count = 10 ** digits;
  for (let i = 0; i < count; i++) {
    if (job.isCancellationRequested) return undefined; // reads shared memory, so it works in a loop that never awaits
    if (i % (count / 4) === 0) job.progress(i / count);
    const pin = String(i).padStart(digits, "0");
    if (hash("sha256", pin) === wanted) return pin;
  }
  return undefined;
}
