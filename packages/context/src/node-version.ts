/**
 * The oldest Node.js that Skein runs on. An older one lacks built-ins, and would fail in ways that do not say so. It is refused when this
 * package is loaded, which all others of Skein load first.
 */
import { withCode } from "./argument-errors.ts";

const { process } = globalThis;

/** @param node As `process.versions.node` has it. Bun and Deno give that of the Node.js that they follow. */
export function isSupported(node: string): boolean {
  const [major = 0, minor = 0] = node.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/** @throws Error on a Node.js that is too old. */
export function requireNode(): void {
  const { node } = process.versions;
  if (isSupported(node)) return;
  const error = new Error(`Skein needs Node.js 22.18 or later, and this is ${node}. Install a newer one`);
  throw withCode(error, "ERR_SKEIN_UNSUPPORTED");
}
