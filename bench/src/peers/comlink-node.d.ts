/** The adapter ships its types under a name that does not belong to the file that Node loads. */
declare module "comlink/dist/esm/node-adapter.mjs" {
  import type { Worker } from "node:worker_threads";
  import type { Endpoint } from "comlink";
  export default function nodeEndpoint(endpoint: Worker): Endpoint;
}
