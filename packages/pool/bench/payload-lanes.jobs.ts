import { move } from "@skein/pool/worker";

export function echo(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes;
}

export function echoMoved(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return move(bytes, [bytes.buffer]);
}
