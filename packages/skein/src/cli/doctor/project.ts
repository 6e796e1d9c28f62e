/** What a project's package.json and job modules give away. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { bad, type Finding, ok, warn } from "./finding.ts";

export interface Manifest {
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Bundlers, and what their users import of ours. Those without a plugin are told what to do instead. */
const plugins: Readonly<Record<string, string>> = {
  webpack: "@skein/unplugin/webpack",
  rollup: "@skein/unplugin/rollup",
  rolldown: "@skein/unplugin/rolldown",
  tsdown: "@skein/unplugin/rolldown",
  vite: "@skein/unplugin/vite",
  esbuild: "@skein/unplugin/esbuild",
  tsup: "@skein/unplugin/esbuild",
};

/** Null where there is none. @throws SyntaxError when it is not JSON. */
export function readManifest(folder: string): Manifest | null {
  let text: string;
  try {
    text = readFileSync(join(folder, "package.json"), "utf8");
  } catch {
    return null;
  }
  return JSON.parse(text) as Manifest;
}

export function bundlerFindings(manifest: Manifest): Finding[] {
  const names = { ...manifest.dependencies, ...manifest.devDependencies };
  const findings: Finding[] = [];
  if ("next" in names)
    findings.push(
      warn(
        'Next.js bundles server code. Put "skein" and "@skein/pool" into `serverExternalPackages` of next.config.',
      ),
    );
  if ("@vercel/ncc" in names)
    findings.push(
      warn(
        "ncc puts all into one file, and finds no job modules. Add @skein/pool and the job modules with --external.",
      ),
    );
  const found = Object.keys(plugins).filter((name) => name in names);
  if (found.length > 0 && !("@skein/unplugin" in names))
    findings.push(
      warn(
        `The project has ${found.join(", ")}. If it bundles code that has a pool, install @skein/unplugin and add ` +
          `${[...new Set(found.map((name) => plugins[name]!))].join(", ")} to its plugins.`,
      ),
    );
  return findings.length > 0 ? findings : [ok("No bundler without our plugin.")];
}

/** Yarn's Plug'n'Play: packages are found by a loader, which threads need too. */
export function pnpFindings(
  folder: string,
  hasLoader: boolean = process.versions["pnp"] !== undefined,
): Finding[] {
  if (!isPnp(folder)) return [];
  if (hasLoader)
    return [
      ok("Yarn PnP: threads have its loader too, unless the pool is given `execArgv` or `env` without it."),
    ];
  return [
    warn(
      "The project uses Yarn PnP, and this process runs without its loader. Start it with `yarn node`, and this with `yarn skein doctor`.",
    ),
  ];
}

function isPnp(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".pnp.cjs"))) return true;
    if (dirname(at) === at) return false;
  }
}

/** The job modules below the folder that are TypeScript, relative to it. */
export function typeScriptJobModules(folder: string): string[] {
  return globSync("**/*.jobs.{ts,mts,cts,tsx}", {
    cwd: folder,
    exclude: (name) => /^(?:node_modules|dist|\.git)$/.test(name),
  }).toSorted();
}

/** Whether Node.js loads these job modules as they are. Nothing of them runs. */
export function jobModuleFindings(
  folder: string,
  files: readonly string[],
  manifest: Manifest | null,
): Finding[] {
  if (files.length === 0) return [ok("No TypeScript in files called *.jobs.*.")];
  const hasTsx = canResolve("tsx", folder);
  const findings = files
    .filter((file) => !isErasable(join(folder, file)))
    .map((file) => needsTsx(file, hasTsx));
  if (manifest !== null && manifest.type === undefined && files.some((file) => /\.tsx?$/.test(file)))
    findings.push(
      warn(
        'package.json has no "type": each thread parses TypeScript modules twice to find out. Write "type": "module" into it.',
      ),
    );
  if (findings.some(({ level }) => level !== "ok")) return findings;
  return [
    ...findings,
    ok(`Node.js loads the TypeScript of ${files.length} job ${files.length === 1 ? "module" : "modules"}.`),
  ];
}

function needsTsx(file: string, hasTsx: boolean): Finding {
  if (hasTsx) return ok(`${file} is more than erasable TypeScript, and goes through tsx.`);
  return bad(
    `${file} is more than erasable TypeScript. Install tsx, or set \`erasableSyntaxOnly\` in tsconfig.json and follow it.`,
  );
}

function isErasable(path: string): boolean {
  if (path.endsWith(".tsx")) return false;
  try {
    stripTypeScriptTypes(readFileSync(path, "utf8"));
    return true;
  } catch (error) {
    // A file with an error in its syntax fails in either way, and says so when it is run.
    return (error as NodeJS.ErrnoException).code !== "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX";
  }
}

function canResolve(name: string, folder: string): boolean {
  try {
    createRequire(join(folder, "package.json")).resolve(name);
    return true;
  } catch {
    return false;
  }
}
