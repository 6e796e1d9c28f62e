import { parentPort } from "node:worker_threads";
import { type JobRequest, runJob } from "@skein/pool/engine";

/** One job at a time, as the others of the suite. */
let last: Promise<void> = Promise.resolve();

parentPort!.on("message", ([id, request]: [number, JobRequest]) => {
  last = last.then(async () => {
    const { reply, transfer } = await runJob(request);
    parentPort!.postMessage([id, reply], transfer);
  });
});
