import { MessageChannel, receiveMessageOnPort, type Transferable } from "node:worker_threads";
import { structuredClone } from "../shared/intrinsics.ts";

/**
 * As `structuredClone` with a transfer list. Some test environments hide that: then through a port.
 * @throws what Node says when it refuses a value. Nothing was detached then.
 */
export function clone<T>(value: T, transfer: readonly Transferable[]): T {
  if (structuredClone !== undefined) return structuredClone(value, { transfer: [...transfer] });
  const { port1, port2 } = new MessageChannel();
  try {
    port1.postMessage(value, transfer);
    return (receiveMessageOnPort(port2) as { message: T }).message;
  } finally {
    port1.close();
  }
}
