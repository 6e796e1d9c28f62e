import { move } from "piscina";

export * from "./work.mjs";

export function echoMoved(buffer) {
  return move(buffer);
}
