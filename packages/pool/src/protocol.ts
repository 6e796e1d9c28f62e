/**
 * What host and worker say to each other over the control port, besides shared memory. Nothing here is on the path of a
 * job: a worker takes these messages in when it meets a number that it does not know, or when its event loop runs.
 */
import type { MessagePort } from "node:worker_threads";
import type { Layout } from "./shared/layout.ts";

/** A job function as the worker has to find it. */
export type FunctionSource =
  | { readonly kind: "export"; readonly url: string; readonly name: string }
  | { readonly kind: "inline"; readonly source: string };

/** Both ways: a segment of the sender's arena, before any slot names it; and its end. */
export type SegmentMessage =
  | { readonly type: "segment"; readonly id: number; readonly buffer: SharedArrayBuffer }
  | { readonly type: "retire"; readonly id: number };

/** Both ways: a user's SharedArrayBuffer that a payload names by number. */
export interface SharedBufferMessage {
  readonly type: "shared-buffer";
  readonly id: number;
  readonly buffer: SharedArrayBuffer;
}

export type HostMessage =
  | SegmentMessage
  | SharedBufferMessage
  | { readonly type: "shared-buffer-gone"; readonly id: number }
  | { readonly type: "function"; readonly id: number; readonly source: FunctionSource }
  /** The flag in the slot was set: for jobs that wait for their signal in the event loop. */
  | { readonly type: "cancel"; readonly slot: number }
  /** No job will come any more: leave through `process.exit`, so that exit handlers run and output is flushed. */
  | { readonly type: "close" };

export type WorkerMessage =
  | SegmentMessage
  | SharedBufferMessage
  /** The inbox was empty and the host's bell asleep. */
  | { readonly type: "bell" };

/** `workerData` of a pool thread. */
export interface ThreadData {
  readonly control: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly layout: Layout;
  /** Index of the thread: its parking word. Re-used after a thread has died. */
  readonly index: number;
  /** Never re-used within a pool. */
  readonly serial: number;
  readonly port: MessagePort;
  readonly spinLimitUs: number;
  readonly initialize: string | null;
}
