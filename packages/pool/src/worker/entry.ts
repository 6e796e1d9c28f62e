/** The first module of a pool thread: puts the parts together over the shared memory it was given, then dispatches. */
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { Decoder } from "../codec/decoder.ts";
import { Encoder } from "../codec/encoder.ts";
import { JobCanceledError } from "../errors.ts";
import type { HostMessage, ThreadData, WorkerMessage } from "../protocol.ts";
import { Arena, ReturnedBlocks } from "../shared/arena.ts";
import { Inbox } from "../shared/inbox.ts";
import { JobQueues } from "../shared/job-queues.ts";
import { Parking } from "../shared/parking.ts";
import { SegmentDirectory } from "../shared/segments.ts";
import { SharedBuffers } from "../shared/shared-buffers.ts";
import { SlotTable } from "../shared/slot.ts";
import { ContextScopes } from "./context-scopes.ts";
import { installCurrentJob } from "./current-job.ts";
import { DispatchLoop } from "./dispatch-loop.ts";
import { FunctionTable } from "./function-table.ts";
import { JobRunner } from "./job-runner.ts";
import { OutcomeWriter } from "./outcome-writer.ts";

const {
  control: controlBuffer,
  slots: slotsBuffer,
  layout,
  index,
  serial,
  port,
  ...options
} = workerData as ThreadData;

const control = new Int32Array(controlBuffer);
const slots = new SlotTable(slotsBuffer, layout);
const segments = new SegmentDirectory(takeMessages);
const functions = new FunctionTable(takeMessages);
const sharedBuffers = new SharedBuffers(serial, takeMessages, {
  announce: (id, buffer) => post({ type: "shared-buffer", id, buffer }),
  gone: null,
});
const arena = new Arena(
  serial,
  {
    announce: (id, buffer) => post({ type: "segment", id, buffer }),
    retire: (id) => post({ type: "retire", id }),
  },
  new ReturnedBlocks(control, layout, index),
);
const current = installCurrentJob(slots);
const outcomes = new OutcomeWriter(
  slots,
  new Inbox(control, layout, slots),
  new Encoder(sharedBuffers),
  arena,
  index,
  () => post({ type: "bell" }),
);
const runner = new JobRunner(
  slots,
  segments,
  new Decoder(sharedBuffers),
  functions,
  new ContextScopes(slots, segments),
  outcomes,
  current,
);
const parking = new Parking(control, layout);
const loop = new DispatchLoop(
  index,
  new JobQueues(control, layout, slots),
  parking,
  runner,
  options.spinLimitUs,
);

// The listener keeps this thread's event loop alive; the host's side of the worker is unref'ed.
port.on("message", handle);
if (options.initialize !== null) await import(options.initialize);
// Until here the host counts this thread as one that never got ready.
parking.setBusy(index);
setImmediate(loop.onTurn);

function post(message: WorkerMessage): void {
  port.postMessage(message);
}

/** Without waiting: also from within the dispatch loop, while the event loop stands still. */
function takeMessages(): void {
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (received === undefined) return;
    handle(received.message as HostMessage);
  }
}

function handle(message: HostMessage): void {
  switch (message.type) {
    case "segment":
      segments.add(message.id, message.buffer);
      break;
    case "retire":
      segments.drop(message.id);
      break;
    case "shared-buffer":
      sharedBuffers.add(message.id, message.buffer);
      break;
    case "shared-buffer-gone":
      sharedBuffers.drop(message.id);
      break;
    case "function":
      functions.add(message.id, message.source);
      break;
    case "cancel":
      if (current.slot === message.slot && slots.isCancelRequested(message.slot))
        current.controller?.abort(new JobCanceledError());
      break;
    case "close":
      process.exit();
  }
}
