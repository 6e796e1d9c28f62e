/** The process that makes the load. Its argument: the digests that heavy replies must hold. */
import { setPriority } from "node:os";
import { constantRate } from "./constant-rate.ts";
import type { LoadQuestion } from "./protocol.ts";
import { saturation } from "./saturation.ts";

// On a machine of its own it would not have to wait for the server's threads. Threads that it starts inherit this.
try {
  setPriority(-10);
} catch {
  // Only some users may. The report shows how late requests were sent.
}

const digests = JSON.parse(process.argv[2] ?? "[]") as readonly number[];

process.on("message", (question: LoadQuestion) => void answer(question));
process.on("disconnect", abandoned);
process.send?.(null);

async function answer(question: LoadQuestion): Promise<void> {
  switch (question.ask) {
    case "constantRate":
      process.send?.(await constantRate(question.plan, digests));
      return;
    case "saturation":
      process.send?.(await saturation(question.plan, digests));
      return;
    case "stop":
      process.off("disconnect", abandoned);
      process.send?.(null, undefined, undefined, () => process.disconnect());
  }
}

function abandoned(): void {
  process.exit(1);
}
