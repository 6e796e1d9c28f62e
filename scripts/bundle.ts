/**
 * The JavaScript of a published package: joins `src` of the package in the working directory into a few files in `dist`, next to the
 * declarations that `tsc` has put there. Node looks up, reads and links modules one by one, on the main thread and again on every
 * thread of a pool, so their number is what a start costs (ARCHITECTURE.md, "few files").
 *
 * One file for each entry of `exports` and each module that is named as an argument, and one, `common.js`, for what more than one of
 * them imports: no module is ever there twice. Other packages are imported, not included.
 */
import { globSync, readFileSync, rmSync } from "node:fs";
import { rolldown } from "rolldown";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly "@skein/source": string }>>;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a package.json of this repository
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const exported = Object.values(manifest.exports).flatMap((target) =>
  typeof target === "string" ? [] : [target["@skein/source"]],
);
const entries = [...exported, ...process.argv.slice(2)].map((file) => file.replace(/^\.\//, ""));

for (const file of globSync("dist/**/*.{js,js.map}")) rmSync(file);
const bundle = await rolldown({
  input: Object.fromEntries(entries.map((file) => [file.replace(/^src\/|\.ts$/g, ""), file])),
  platform: "node",
  external: /^(node:|@skein\/)/,
});
await bundle.write({
  dir: "dist",
  format: "esm",
  sourcemap: true,
  // The package ships `src`.
  sourcemapExcludeSources: true,
  entryFileNames: "[name].js",
  chunkFileNames: "[name].js",
  codeSplitting: { groups: [{ name: "common", minShareCount: 2 }] },
});
await bundle.close();
