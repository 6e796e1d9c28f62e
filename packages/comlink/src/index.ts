/**
 * The exports of Comlink, on the real one: change the import, and calls carry the context and always settle. And `spawn`, for objects that live on a
 * thread of a pool.
 */
export {
  createEndpoint,
  finalizer,
  type Local,
  type LocalObject,
  type ProxyMarked,
  type ProxyMethods,
  type ProxyOrClone,
  releaseProxy,
  type RemoteObject,
  transfer,
  type TransferHandler,
  transferHandlers,
  type UnproxyOrClone,
  windowEndpoint,
} from "comlink";
export type { CallOptions } from "./call-options.ts";
export { expose } from "./expose.ts";
export type { AllowedOrigins } from "./exposed.ts";
export type { Endpoint } from "./link.ts";
export { proxy, proxyMarker } from "./marks.ts";
export { type ClassName, spawn, type SpawnOptions } from "./spawn.ts";
export { release, type Remote, withOptions, wrap } from "./wrap.ts";
