/** The task that PiscinaEngine gives to a Piscina: it runs one job on its thread. */
import { createRequire } from "node:module";
import type { Transferable } from "node:worker_threads";
import { type JobReply, type JobRequest, runJob } from "@skein/pool/engine";

const { process } = globalThis;

/** As much as is used here of the package. */
interface PiscinaModule {
  move(value: object): unknown;
  readonly transferableSymbol: symbol;
  readonly valueSymbol: symbol;
}

export async function run(request: JobRequest): Promise<unknown> {
  const { reply, transfer } = await runJob(request);
  return transfer.length === 0 ? reply : moved(reply, transfer);
}

let piscina: PiscinaModule | null = null;

/** Marked by the very copy of Piscina that runs this thread, which alone knows its own mark. Its file there is the thread's. */
function moved(reply: JobReply, transfer: readonly Transferable[]): unknown {
  piscina ??= createRequire(process.argv[1]!)("piscina") as PiscinaModule;
  return piscina.move({ [piscina.transferableSymbol]: transfer, [piscina.valueSymbol]: reply });
}
