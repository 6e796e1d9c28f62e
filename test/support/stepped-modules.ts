/**
 * `import … from "./programs.ts?stepped"`: the programs of the model tests, and the pool's own code under them, made to stop before every
 * atomic operation (stepping.ts). What is imported without the query is as it is written.
 */
import { globSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Plugin } from "vitest/config";
import { Stepping } from "./stepping.ts";

const QUERY = "?stepped";
const pool = new URL("../../packages/pool/", import.meta.url);
const model = new URL("test/shared/model/", pool);
const operations = new URL("stepped-atomics.ts", model);
const atomics = fileURLToPath(new URL("src/shared/atomics.ts", pool));

function filesThatStep(): URL[] {
  const shared = globSync("src/shared/**/*.ts", { cwd: fileURLToPath(pool) });
  return [
    ...shared.map((file) => new URL(file, pool)).filter(({ href }) => href !== pathToFileURL(atomics).href),
    new URL("src/host/orphaned-slots.ts", pool),
    ...["programs.ts", "broken-deque.ts"].map((file) => new URL(file, model)),
  ];
}

export function steppedModules(): Plugin {
  let made: Stepping | undefined;
  // Asked by whichever hook comes first: what was resolved before may be known from a cache.
  const stepping = (): Stepping => (made ??= new Stepping(filesThatStep(), operations, "generators"));
  return {
    name: "stepped-modules",
    enforce: "pre",
    // What one file becomes depends on all of them: which functions step.
    configureVitest({ defineCacheKeyGenerator }) {
      defineCacheKeyGenerator(({ id }) => (id.endsWith(QUERY) ? stepping().digest : undefined));
    },
    resolveId(source, importer) {
      const isWithin = importer?.endsWith(QUERY) === true;
      if (importer === undefined || !source.startsWith(".") || !(isWithin || source.endsWith(QUERY)))
        return null;
      const path = fileURLToPath(
        new URL(source.replace(QUERY, ""), pathToFileURL(importer.replace(QUERY, ""))),
      );
      if (path === atomics) return fileURLToPath(operations);
      return stepping().has(pathToFileURL(path).href) ? path + QUERY : path;
    },
    load(id) {
      if (!id.endsWith(QUERY)) return null;
      return { code: stepping().transformed(pathToFileURL(id.slice(0, -QUERY.length)).href), map: null };
    },
  };
}
