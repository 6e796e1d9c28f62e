import { hash } from "node:crypto";
import { job } from "@skein/pool/worker";

/** Stands for a compiler or a bundler: it needs the CPU, and turns the results of earlier steps into its own. */
export function make(name: string, inputs: readonly string[]): string {
  let digest = name;
  for (let i = 0; i < 20_000; i++) digest = hash("sha256", digest);
  return inputs.length === 0 ? name : `${name}(${inputs.join(" ")})`;
}

/** Work that can wait: it goes on until it is asked to stop. */
export function tidyUp(): void {
  job.progress("begun");
  while (!job.isCancellationRequested);
}
