import type { MessagePort } from "node:worker_threads";
import { move } from "@skein/pool/worker";

export function* numbers(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

export function* chunks(count: number, bytes: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(bytes);
}

export function* movedChunks(count: number, bytes: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    const chunk = new Uint8Array(bytes);
    yield move(chunk, [chunk.buffer]);
  }
}

export function one(): number {
  return 1;
}

/** Posts arrays of so many numbers, each when the one before was answered; null at the end. */
export async function postNumbers(port: MessagePort, count: number, perMessage: number): Promise<void> {
  for (let first = 0; first < count; first += perMessage) {
    const length = Math.min(perMessage, count - first);
    const numbers = Array.from({ length }, (_, i) => first + i);
    await answered(port, () => port.postMessage(perMessage === 1 ? numbers[0] : numbers));
  }
  port.postMessage(null);
  port.close();
}

/** Posts chunks that are transferred, at most sixteen ahead of the answers. */
export async function postChunks(port: MessagePort, count: number, bytes: number): Promise<void> {
  let credit = 16;
  let granted = (): void => {};
  port.on("message", () => {
    credit++;
    granted();
  });
  for (let i = 0; i < count; i++) {
    if (credit === 0)
      await new Promise<void>((resolve) => {
        granted = resolve;
      });
    credit--;
    const chunk = new Uint8Array(bytes);
    port.postMessage(chunk, [chunk.buffer]);
  }
  port.postMessage(null);
  port.close();
}

export function readable(count: number, bytes: number): ReadableStream<Uint8Array> {
  let left = count;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new Uint8Array(bytes));
      else controller.close();
    },
  });
  return move(stream, [stream as never]);
}

function answered(port: MessagePort, post: () => void): Promise<void> {
  return new Promise((resolve) => {
    port.once("message", () => resolve());
    post();
  });
}
