/** The built command, in a process of its own. */
import { fileURLToPath } from "node:url";
import { type ChildOptions, type Ended, runNode } from "../../../test/support/child.ts";

export const command: string = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
export const fixtures: string = fileURLToPath(new URL("fixtures", import.meta.url));

/** Runs `skein` with these arguments, in the folder of the fixtures if no other is given. */
export function skein(args: readonly string[], options?: Omit<ChildOptions, "args">): Promise<Ended> {
  return runNode({ cwd: fixtures, ...options, args: [command, ...args] });
}
