import type { Plugin } from "rolldown";
import type { SkeinPluginOptions } from "./options.ts";
import { familyPlugin } from "./rollup-family.ts";

export type { SkeinPluginOptions } from "./options.ts";

/**
 * Puts job modules, and what pool threads start with, into the bundle as chunks of their own. For the formats `es` and `cjs`.
 *
 * @throws TypeError for options that are unknown or of the wrong type.
 * @example
 * import skein from "@skein/unplugin/rolldown";
 * export default { input: "src/main.ts", output: { dir: "dist" }, plugins: [skein()] };
 */
export default function skein(options?: SkeinPluginOptions): Plugin {
  return familyPlugin(options);
}
