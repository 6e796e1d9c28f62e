/** One message per job, an id and a value; no errors, no context, no cancellation. */
import { parentPort, workerData } from "node:worker_threads";
import * as work from "./work.mjs";

const job = Object.fromEntries(Object.entries(work))[workerData.job];

if (workerData.batched) {
  parentPort.on("message", ({ ids, values }) => {
    parentPort.postMessage({ ids, values: values.map(job) });
  });
} else if (workerData.job === "echoMoved") {
  parentPort.on("message", ({ id, value }) => parentPort.postMessage({ id, value }, [value]));
} else {
  parentPort.on("message", ({ id, value }) => parentPort.postMessage({ id, value: job(value) }));
}
