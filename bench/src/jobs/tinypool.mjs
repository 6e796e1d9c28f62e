import { Tinypool } from "tinypool";

export * from "./work.mjs";

export function echoMoved(buffer) {
  return Tinypool.move(buffer);
}
