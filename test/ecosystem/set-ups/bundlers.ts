/** Bundlers, with the plugin of @skein/unplugin; the bundle is run where the sources and packages are gone. */
import { javascriptProgram, program } from "../program.ts";
import { programStep, type SetUp, step } from "../set-up.ts";

const packages = ["@skein/context", "@skein/scheduling", "@skein/pool", "@skein/unplugin"];

function bundler(
  name: string,
  tools: Readonly<Record<string, string>>,
  build: string,
  files: Readonly<Record<string, string>> = program(".ts"),
): SetUp {
  return {
    name,
    tools,
    packages,
    files: { ...files, "build.mjs": build },
    steps: [step("node build.mjs"), step("rm -rf src node_modules"), programStep("node dist/main.mjs")],
  };
}

export const bundlers: readonly SetUp[] = [
  bundler(
    "esbuild",
    { esbuild: "0.28.2" },
    `import { build } from "esbuild";
import skein from "@skein/unplugin/esbuild";

await build({
  entryPoints: ["src/main.ts"], bundle: true, platform: "node", format: "esm", outdir: "dist", outExtension: { ".js": ".mjs" }, minify: true,
  plugins: [skein()],
});
`,
  ),
  bundler(
    "rolldown",
    { rolldown: "1.3.3" },
    `import { build } from "rolldown";
import skein from "@skein/unplugin/rolldown";

await build({
  input: "src/main.ts", platform: "node", plugins: [skein()],
  output: { dir: "dist", format: "esm", entryFileNames: "[name].mjs" },
});
`,
  ),
  bundler(
    "rollup",
    { rollup: "4.68.8", "@rollup/plugin-node-resolve": "16.0.3" },
    `import { rollup } from "rollup";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import skein from "@skein/unplugin/rollup";

const bundle = await rollup({ input: "src/main.js", external: /^node:/, plugins: [skein(), nodeResolve()] });
await bundle.write({ dir: "dist", format: "es", entryFileNames: "[name].mjs" });
`,
    javascriptProgram(),
  ),
  bundler(
    "webpack, production",
    { webpack: "5.113.0" },
    `import webpack from "webpack";
import skein from "@skein/unplugin/webpack";

webpack({
  mode: "production", target: "node", entry: "./src/main.js", experiments: { outputModule: true },
  output: { path: import.meta.dirname + "/dist", filename: "main.mjs", module: true },
  plugins: [skein()],
}, (error, stats) => {
  if (error !== null || stats.hasErrors()) throw error ?? new Error(stats.toString());
});
`,
    javascriptProgram(),
  ),
  bundler(
    "Vite, for servers",
    { vite: "8.4.0" },
    `import { build } from "vite";
import skein from "@skein/unplugin/vite";

await build({
  configFile: false, plugins: [skein()], ssr: { noExternal: true },
  build: { ssr: "src/main.ts", rolldownOptions: { output: { entryFileNames: "[name].mjs" } } },
});
`,
  ),
  {
    name: "Vite, for servers, packages external",
    tools: { vite: "8.4.0" },
    packages,
    files: {
      ...program(".ts"),
      "vite.config.ts": `import skein from "@skein/unplugin/vite";

export default { plugins: [skein()], build: { ssr: "src/main.ts" } };
`,
    },
    steps: [step("vite build"), step("rm -rf src"), programStep("node dist/main.js")],
  },
  {
    name: "Next.js",
    tools: {
      next: "16.4.6",
      react: "19.3.1",
      "react-dom": "19.3.1",
      typescript: "5.9.3",
      "@types/node": "24.19.2",
      "@types/react": "19.3.3",
    },
    files: {
      "next.config.mjs": `export default { serverExternalPackages: ["skein", "@skein/pool"] };\n`,
      "jobs/geo.jobs.mjs": `export const twice = (n) => n * 2;\n`,
      "app/layout.tsx": `export default function Layout({ children }: { children: React.ReactNode }) {
  return <html><body>{children}</body></html>;
}
`,
      "app/page.tsx": `export default function Page() {
  return <p>hello</p>;
}
`,
      "app/twice/route.ts": `import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ThreadPool } from "@skein/pool";

export const dynamic = "force-dynamic";
const jobs = ThreadPool.shared.module<{ twice(n: number): number }>(pathToFileURL(join(process.cwd(), "jobs/geo.jobs.mjs")));

export async function GET(): Promise<Response> {
  return Response.json({ twice: await jobs.twice(21) });
}
`,
      "ask.mjs": `import { spawn } from "node:child_process";

const server = spawn("next", ["start", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"], detached: true });
let text = "";
for await (const part of server.stdout) {
  text += part;
  const [, url] = /Local:\\s+(\\S+)/.exec(text) ?? [];
  if (url === undefined) continue;
  console.log(await (await fetch(url + "/twice")).text());
  process.kill(-server.pid);
  break;
}
process.exit();
`,
    },
    steps: [
      step("next build", { env: { NEXT_TELEMETRY_DISABLED: "1" } }),
      step("node ask.mjs", { prints: '{"twice":42}' }),
    ],
  },
  {
    name: "ncc",
    tools: { "@vercel/ncc": "0.45.0" },
    files: javascriptProgram(),
    // It copies files that it finds by URL, but knows nothing of a thread's entry.
    steps: [
      step("ncc build src/main.js -o dist"),
      step("rm -rf src node_modules"),
      step("node dist/index.js", { failsWith: "@skein/unplugin" }),
    ],
  },
  {
    name: "ncc, packages external",
    tools: { "@vercel/ncc": "0.45.0" },
    files: javascriptProgram(),
    steps: [
      step("ncc build src/main.js -o dist --external @skein/pool --external @skein/context"),
      step("cp src/geo.jobs.js src/tenant.js dist"),
      step("rm -rf src"),
      programStep("node dist/index.js"),
    ],
  },
];
