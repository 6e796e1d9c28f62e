import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build as esbuild, type BuildOptions, context, transform as minify } from "esbuild";
import type * as webpack from "webpack";
import { describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { whole } from "../../../test/support/whole.ts";
import skeinEsbuild from "../src/esbuild.ts";
import skeinRolldown from "../src/rolldown.ts";
import skeinRollup from "../src/rollup.ts";
import skeinVite from "../src/vite.ts";
import skeinWebpack from "../src/webpack.ts";
import { expected, innerModule, runMoved, writeProgram } from "./program.ts";

type Bundle = (folder: string, withPlugin: boolean) => Promise<void>;

interface Case {
  readonly title: string;
  readonly language?: "js";
  readonly main: string;
  readonly bundle: Bundle;
}

function esbuildCase(title: string, main: string, options: BuildOptions): Case {
  return {
    title: `esbuild, ${title}`,
    main,
    bundle: async (folder, withPlugin) => {
      await esbuild({
        entryPoints: ["src/main.ts"],
        absWorkingDir: folder,
        bundle: true,
        platform: "node",
        outdir: "dist",
        logLevel: "silent",
        ...options,
        plugins: withPlugin ? [skeinEsbuild()] : [],
      });
    },
  };
}

function webpackCase(title: string, main: string, configuration: webpack.Configuration): Case {
  return {
    title: `webpack, ${title}`,
    language: "js",
    main,
    bundle: async (folder, withPlugin) => {
      const { default: webpack } = await import("webpack");
      const compiler = webpack({
        context: folder,
        entry: "./src/main.js",
        mode: "production",
        target: "node",
        ...configuration,
        output: { ...configuration.output, path: join(folder, "dist"), filename: main },
        plugins: withPlugin ? [skeinWebpack()] : [],
      });
      const stats = await new Promise<webpack.Stats>((resolve, reject) =>
        compiler.run((error, result) => (error === null ? resolve(result!) : reject(error))),
      );
      await new Promise((resolve) => compiler.close(resolve));
      if (stats.hasErrors()) throw new Error(stats.toString({ colors: false }));
    },
  };
}

const all: readonly Case[] = [
  esbuildCase("ES modules", "main.mjs", { format: "esm", outExtension: { ".js": ".mjs" } }),
  esbuildCase("ES modules in folders, code split, minified", "deep/in/main.mjs", {
    entryPoints: { "deep/in/main": "src/main.ts" },
    format: "esm",
    splitting: true,
    minify: true,
    sourcemap: true,
    outExtension: { ".js": ".mjs" },
  }),
  esbuildCase("CommonJS", "main.cjs", { format: "cjs", outExtension: { ".js": ".cjs" } }),
  ...(["es", "cjs"] as const).map((format): Case => ({
    title: `rolldown, ${format}`,
    main: format === "es" ? "main.mjs" : "main.cjs",
    bundle: async (folder, withPlugin) => {
      const extension = format === "es" ? "mjs" : "cjs";
      const { rolldown } = await import("rolldown");
      const bundle = await rolldown({
        input: join(folder, "src/main.ts"),
        platform: "node",
        logLevel: "silent",
        plugins: withPlugin ? [skeinRolldown()] : [],
      });
      await bundle.write({
        dir: join(folder, "dist"),
        format,
        entryFileNames: `[name].${extension}`,
        chunkFileNames: `chunks/[name]-[hash].${extension}`,
      });
      await bundle.close();
    },
  })),
  ...(["es", "cjs"] as const).map((format): Case => ({
    title: `rollup, ${format}`,
    language: "js",
    main: format === "es" ? "main.mjs" : "main.cjs",
    bundle: async (folder, withPlugin) => {
      const extension = format === "es" ? "mjs" : "cjs";
      const { rollup } = await import("rollup");
      const bundle = await rollup({
        input: join(folder, "src/main.js"),
        external: /^node:/,
        plugins: [...(withPlugin ? [skeinRollup()] : []), resolvePackages(folder)],
      });
      await bundle.write({
        dir: join(folder, "dist"),
        format,
        entryFileNames: `[name].${extension}`,
        chunkFileNames: `chunks/[name]-[hash].${extension}`,
      });
      await bundle.close();
    },
  })),
  {
    title: "Vite, a build for servers",
    main: "main.mjs",
    bundle: async (folder, withPlugin) => {
      const { build } = await import("vite");
      await build({
        root: folder,
        configFile: false,
        logLevel: "silent",
        build: { ssr: "src/main.ts", rolldownOptions: { output: { entryFileNames: "[name].mjs" } } },
        ssr: { noExternal: true },
        plugins: withPlugin ? [skeinVite()] : [],
      });
    },
  },
  webpackCase("CommonJS, production", "main.cjs", { optimization: { minimizer: [minifyQuickly] } }),
  webpackCase("ES modules", "main.mjs", {
    mode: "none",
    experiments: { outputModule: true },
    output: { module: true },
  }),
];

/** In `pnpm test`: those that between them run all lines of the plugins. Rollup and Rolldown have what Vite has. */
const everyTime = new Set([
  "esbuild, ES modules in folders, code split, minified",
  "esbuild, CommonJS",
  "Vite, a build for servers",
  "webpack, ES modules",
]);
const cases = all.filter(({ title }) => whole || everyTime.has(title));

/** In place of terser, which takes most of the time. */
function minifyQuickly(compiler: webpack.Compiler): void {
  compiler.hooks.compilation.tap("minify", (compilation) => {
    const { Compilation, sources } = compiler.webpack;
    const stage = Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_SIZE;
    compilation.hooks.processAssets.tapPromise({ name: "minify", stage }, async (assets) => {
      for (const [name, source] of Object.entries(assets)) {
        const { code } = await minify(source.source().toString(), { minify: true });
        compilation.updateAsset(name, new sources.RawSource(code));
      }
    });
  });
}

/** What @rollup/plugin-node-resolve does, for three packages. */
function resolvePackages(folder: string): { name: string; resolveId(source: string): string | null } {
  return {
    name: "packages",
    resolveId(source) {
      const [, name, entry = "index"] = /^@skein\/([a-z]+)(?:\/([a-z]+))?$/.exec(source) ?? [];
      return name === undefined ? null : join(folder, "node_modules/@skein", name, "dist", `${entry}.js`);
    },
  };
}

describe("a bundle that was moved away from its sources", () => {
  it.each(cases)(
    "$title: jobs run, with context, and errors have stacks",
    async ({ language, main, bundle }) => {
      const folder = writeProgram(language);
      await bundle(folder, true);
      const report = await runMoved(folder, main);
      expect(report).toMatchObject(expected);
      // The frame of the job, in the bundle.
      expect(report.stack).toMatch(/^RangeError: no such place\n\s+at .*moved/);
    },
  );

  // Once for each bundler.
  const firstOfEach = new Map(cases.toReversed().map((one) => [one.title.split(",", 1)[0], one]));
  it.each([...firstOfEach.values()].slice(whole ? 0 : -1))(
    "$title, without the plugin: the error says what to do",
    async ({ language, main, bundle }) => {
      const folder = writeProgram(language);
      await bundle(folder, false);
      const report = await runMoved(folder, main);
      expect(report).toMatchObject({ code: "ERR_SKEIN_THREAD_CRASHED", cause: "ERR_SKEIN_THREAD_ENTRY" });
      expect(report.advice).toContain("@skein/unplugin");
    },
  );
});

describe("esbuild", () => {
  it("that writes nothing gets the files among its results, and other plugins see job modules too", async () => {
    const folder = writeProgram();
    const seen: string[] = [];
    const { outputFiles, metafile } = await esbuild({
      entryPoints: ["src/main.ts"],
      absWorkingDir: folder,
      bundle: true,
      platform: "node",
      format: "esm",
      outdir: "dist",
      outExtension: { ".js": ".mjs" },
      write: false,
      plugins: [
        {
          name: "watches",
          setup: (build) => build.onResolve({ filter: /./ }, ({ path }) => void seen.push(path)),
        },
        skeinEsbuild(),
      ],
    });
    expect(metafile).toBeUndefined();
    expect(seen.some((path) => path.includes("geo.jobs.ts"))).toBe(true);
    for (const { path, contents } of outputFiles) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, contents);
    }
    expect(await runMoved(folder, "main.mjs")).toMatchObject(expected);
  });
});

describe("esbuild, watching", () => {
  it("builds again when a job module changes, or one that it names", async () => {
    const folder = writeProgram();
    const watched = await context({
      absWorkingDir: folder,
      entryPoints: ["src/main.ts"],
      outdir: "dist",
      bundle: true,
      platform: "node",
      format: "esm",
      plugins: [skeinEsbuild()],
    });
    const isThere = (text: string): boolean =>
      globSync("dist/skein/*.mjs", { cwd: folder }).some((file) =>
        readFileSync(join(folder, file), "utf8").includes(text),
      );
    const change = async (file: string, from: string, to: string): Promise<void> => {
      const path = join(folder, "src", file);
      writeFileSync(path, readFileSync(path, "utf8").replace(from, to));
      await eventually(`${file} is seen`, () => isThere(to));
    };
    await watched.watch();
    await eventually("the first build", () => isThere("no such place") && isThere("n * 2"));
    await change("geo.jobs.ts", "no such place", "no place at all");
    await change(innerModule, "n * 2", "n + n");
    expect(isThere("no such place")).toBe(false);
    await watched.dispose();
  });
});

describe("webpack", () => {
  it("emits the files again when it takes the modules from its cache", async () => {
    const folder = writeProgram("js");
    const cached = webpackCase("cached", "main.cjs", {
      mode: "none",
      cache: { type: "filesystem", cacheDirectory: join(folder, "cache") },
    });
    await cached.bundle(folder, true);
    const files = readdirSync(join(folder, "dist"), { recursive: true });
    expect(files).toHaveLength(5);
    rmSync(join(folder, "dist"), { recursive: true });
    await cached.bundle(folder, true);
    expect(readdirSync(join(folder, "dist"), { recursive: true })).toEqual(files);
    expect(await runMoved(folder, "main.cjs")).toMatchObject(expected);
  });
});
