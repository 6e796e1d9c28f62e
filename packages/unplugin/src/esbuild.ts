/**
 * esbuild lets no plugin emit chunks. So the files are built after the program, by a second build with the same settings, into the folder
 * `skein` of the output. While the program is built their URLs are placeholders: only then is it known in which folder each output lies.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import type { BuildOptions, BuildResult, Metafile, OutputFile, Plugin, PluginBuild } from "esbuild";
import { MagicString } from "magic-string";
import { findUrls } from "./find-urls.ts";
import { type JobModuleTest, jobModuleTest, type SkeinPluginOptions } from "./options.ts";
import { inUrl, uniqueNameOf } from "./own-files.ts";

export type { SkeinPluginOptions } from "./options.ts";

type Format = "esm" | "cjs";

/** By path: the output of the second build, relative to the folder of the output, without an extension. */
type Wanted = Map<string, string>;

const NAME = "skein";
const bases: Readonly<Record<Format, string>> = {
  esm: "import.meta.url",
  cjs: 'require("node:url").pathToFileURL(__filename)',
};
const extensions: Readonly<Record<Format, string>> = { esm: ".mjs", cjs: ".cjs" };
const placeholder = /skein-file:([^"'`]+?) *(?=["'`])/g;
/** Room for "../" in a placeholder. URLs ignore spaces at the end, and the columns in source maps stay right. */
const SPARE = " ".repeat(12);

/**
 * Puts job modules, and what pool threads start with, into the folder `skein` of the output. For bundles in the formats `esm` and `cjs`.
 * Of several plugins that load a file esbuild asks the first only: put this one behind those that compile.
 *
 * @throws TypeError for options that are unknown or of the wrong type.
 * @example
 * import skein from "@skein/unplugin/esbuild";
 * await build({ entryPoints: ["src/main.ts"], bundle: true, platform: "node", format: "esm", outdir: "dist", plugins: [skein()] });
 */
export default function skein(options?: SkeinPluginOptions): Plugin {
  const isJobModule = jobModuleTest(options);
  return {
    name: NAME,
    setup(build) {
      const { initialOptions } = build;
      if (initialOptions.bundle !== true) return;
      const own = { ...initialOptions };
      const wanted: Wanted = new Map();
      const inputs = new Set<string>();
      build.onStart(() => wanted.clear());
      placeUrls(build, isJobModule, wanted, inputs);
      // Says which outputs there are.
      initialOptions.metafile = true;
      build.onEnd(async (result) => {
        const { metafile } = result;
        if (metafile === undefined || result.errors.length > 0) return;
        if (own.metafile !== true) delete (result as { metafile?: Metafile }).metafile;
        if (wanted.size > 0) await addFiles(build, own, { ...result, metafile }, wanted, inputs, isJobModule);
      });
    },
  };
}

function formatOf({ format, platform }: BuildOptions): Format | null {
  if (format !== undefined) return format === "iife" ? null : format;
  return platform === "node" ? "cjs" : platform === "neutral" ? "esm" : null;
}

/**
 * Lets the modules that are loaded name the files by placeholders, and notes which they are.
 *
 * @param inputs Absolute paths of what the last second build has read: a change of these is one of the program, when it is watched.
 */
function placeUrls(
  build: PluginBuild,
  isJobModule: JobModuleTest,
  wanted: Wanted,
  inputs: ReadonlySet<string>,
): void {
  const { initialOptions } = build;
  const format = formatOf(initialOptions);
  const root = initialOptions.absWorkingDir ?? process.cwd();
  build.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: "file" }, async ({ path }) => {
    const code = await readFile(path, "utf8");
    const found = findUrls(code, path, isJobModule);
    if (found.length === 0) return undefined;
    if (format === null)
      return { errors: [{ text: 'Pool threads need `format` to be "esm" or "cjs", and `platform` "node"' }] };
    const text = new MagicString(code);
    for (const url of found) {
      const name = uniqueNameOf(url.path, root);
      wanted.set(url.path, `skein/${name}`);
      text.update(
        url.start,
        url.end,
        `new URL("skein-file:skein/${inUrl(name)}${extensions[format]}${SPARE}", ${bases[format]})`,
      );
    }
    const map = text.generateMap({ source: path, hires: "boundary", includeContent: true }).toUrl();
    return {
      contents: `${text.toString()}\n//# sourceMappingURL=${map}`,
      loader: "default",
      watchFiles: [...found.map((url) => url.path), ...inputs],
    };
  });
}

async function addFiles(
  build: PluginBuild,
  own: BuildOptions,
  result: BuildResult & { metafile: Metafile },
  wanted: Wanted,
  inputs: Set<string>,
  isJobModule: JobModuleTest,
): Promise<void> {
  const root = own.absWorkingDir ?? process.cwd();
  const outdir = resolve(root, own.outdir ?? (own.outfile === undefined ? "." : dirname(own.outfile)));
  const format = formatOf(own)!;
  const files: OutputFile[] = [];
  const built = new Set<string>();
  inputs.clear();
  // Job modules may name others.
  for (let next = [...wanted]; next.length > 0; next = [...wanted].filter(([path]) => !built.has(path))) {
    for (const [path] of next) built.add(path);
    const { outfile: _, stdin: __, globalName: ___, ...rest } = own;
    const more = await build.esbuild.build({
      ...rest,
      entryPoints: next.map(([path, out]) => ({ in: path, out })),
      entryNames: "[dir]/[name]",
      chunkNames: "skein/[name]-[hash]",
      outdir,
      outExtension: { ...own.outExtension, ".js": extensions[format] },
      format,
      splitting: format === "esm",
      write: false,
      metafile: true,
      plugins: [
        ...(own.plugins ?? []).filter(({ name }) => name !== NAME),
        { name: NAME, setup: (inner) => placeUrls(inner, isJobModule, wanted, inputs) },
      ],
    });
    files.push(...more.outputFiles);
    result.warnings.push(...more.warnings);
    for (const input of Object.keys(more.metafile.inputs)) inputs.add(resolve(root, input));
    Object.assign(result.metafile.inputs, more.metafile.inputs);
    Object.assign(result.metafile.outputs, more.metafile.outputs);
  }
  for (const file of files) {
    const text = withUrls(file.text, file.path, outdir);
    if (text !== null) file.contents = new TextEncoder().encode(text);
    if (own.write === false) continue;
    await mkdir(dirname(file.path), { recursive: true });
    await writeFile(file.path, file.contents);
  }
  if (own.write === false) {
    addToResult(result.outputFiles!, files, outdir);
    return;
  }
  for (const output of Object.keys(result.metafile.outputs)) {
    const path = resolve(root, output);
    if (path.endsWith(".map") || files.some((file) => file.path === path)) continue;
    const text = withUrls(await readFile(path, "utf8"), path, outdir);
    if (text !== null) await writeFile(path, text);
  }
}

/** The program was not written: neither are its files. */
function addToResult(outputs: OutputFile[], files: readonly OutputFile[], outdir: string): void {
  for (const file of outputs) {
    const text = file.path.endsWith(".map") ? null : withUrls(file.text, file.path, outdir);
    if (text !== null) file.contents = new TextEncoder().encode(text);
  }
  outputs.push(...files);
}

/** Null: it has no placeholder. */
function withUrls(text: string, output: string, outdir: string): string | null {
  if (!text.includes("skein-file:")) return null;
  return text.replace(placeholder, (whole, name: string) => {
    const path = relative(dirname(output), join(outdir, name)).replaceAll("\\", "/");
    return (path.startsWith(".") ? path : `./${path}`).padEnd(whole.length);
  });
}
