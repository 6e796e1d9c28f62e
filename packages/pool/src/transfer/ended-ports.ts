/**
 * Ports whose other end was closed while they waited here. Node refuses to send such a port; whoever gets it is to hear that it is closed, as if
 * it had been sent in time.
 */
import { MessageChannel, MessagePort, type Transferable } from "node:worker_threads";
import type { Carried } from "../codec/carried.ts";
import { clone } from "./clone.ts";

/** The same with a port that closes at once for each that has ended. All ports are new objects afterwards. */
export function withoutEndedPorts({ id, values, transfer }: Carried): Carried {
  const now = new Map<unknown, MessagePort>();
  for (const object of transfer) if (object instanceof MessagePort) now.set(object, portInPlaceOf(object));
  return {
    id,
    values: values.map((value) => now.get(value) ?? value),
    transfer: transfer.map((object): Transferable => now.get(object) ?? object),
  };
}

function portInPlaceOf(port: MessagePort): MessagePort {
  try {
    return clone(port, [port]);
  } catch {
    const { port1, port2 } = new MessageChannel();
    port1.close();
    return port2;
  }
}
