import { move } from "@skein/pool/worker";

export * from "./work.mjs";

export function echoMoved(buffer) {
  return move(buffer, [buffer]);
}
