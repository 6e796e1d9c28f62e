import { parentPort } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import * as work from "./work.mjs";

Comlink.expose(
  { ...work, echoMoved: (buffer) => Comlink.transfer(buffer, [buffer]) },
  nodeEndpoint(parentPort),
);
