import type { Plugin } from "vite";
import type { SkeinPluginOptions } from "./options.ts";
import { familyPlugin } from "./rollup-family.ts";

export type { SkeinPluginOptions } from "./options.ts";

/**
 * Puts job modules, and what pool threads start with, into builds for servers (`build.ssr`) as chunks of their own. The development
 * server needs no plugin: there each module keeps its own URL.
 *
 * @throws TypeError for options that are unknown or of the wrong type.
 * @example
 * import skein from "@skein/unplugin/vite";
 * export default { build: { ssr: "src/main.ts" }, plugins: [skein()] };
 */
export default function skein(options?: SkeinPluginOptions): Plugin {
  const references = new Set<string>();
  return {
    ...familyPlugin(options, references),
    apply: "build",
    enforce: "pre",
    // Vite itself would put the public URL there, by which browsers load assets.
    resolveFileUrl({ referenceId, relativePath, format }) {
      if (!references.has(referenceId)) return null;
      const here = format === "cjs" ? 'require("node:url").pathToFileURL(__filename)' : "import.meta.url";
      return `new URL(${JSON.stringify(relativePath)}, ${here}).href`;
    },
    applyToEnvironment: ({ config }) => config.consumer === "server",
  };
}
