/** Tries one set-up in a fresh folder: writes the program, installs what it needs, takes its steps. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { SetUp, Step } from "./set-up.ts";

const STEP_TIMEOUT_MS = 300_000;
const PACKAGES = ["@skein/context", "@skein/scheduling", "@skein/pool"];

export interface Outcome {
  readonly name: string;
  readonly seconds: number;
  /** null: all is well. */
  readonly failure: string | null;
}

/** @param keep Leaves the folder of a set-up that failed. */
export async function tryOut(
  setUp: SetUp,
  tarballs: ReadonlyMap<string, string>,
  keep: boolean,
): Promise<Outcome> {
  const started = performance.now();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `skein-${setUp.name.replaceAll(/\W+/g, "-")}-`)));
  let failure: string | null = null;
  try {
    write(folder, "package.json", manifestOf(setUp, tarballs));
    for (const [path, text] of Object.entries(setUp.files)) write(folder, path, text);
    await take(folder, {
      command: setUp.install ?? ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline"],
    });
    for (const step of setUp.steps) await take(folder, step);
  } catch (error) {
    failure = (error as Error).message;
  }
  if (failure === null || !keep) rmSync(folder, { recursive: true, force: true });
  else failure += `\n(kept in ${folder})`;
  return { name: setUp.name, seconds: (performance.now() - started) / 1000, failure };
}

function manifestOf(setUp: SetUp, tarballs: ReadonlyMap<string, string>): string {
  const ours = Object.fromEntries(
    (setUp.packages ?? PACKAGES).map((name) => [name, `file:${tarballs.get(name)!}`]),
  );
  // What our packages need of each other is the same tarballs, for each package manager in its own words.
  const all = Object.fromEntries([...tarballs].map(([name, tarball]) => [name, `file:${tarball}`]));
  const notDirect = Object.fromEntries(Object.entries(all).filter(([name]) => !(name in ours)));
  return JSON.stringify(
    {
      name: "program",
      private: true,
      type: "module",
      dependencies: { ...ours, ...setUp.tools },
      overrides: notDirect,
      resolutions: all,
      pnpm: { overrides: all },
      ...setUp.manifest,
    },
    null,
    2,
  );
}

function write(folder: string, path: string, text: string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function take(folder: string, { command, env, cwd = ".", prints, failsWith }: Step): Promise<void> {
  const { code, output } = await execute(command, join(folder, cwd), folder, env);
  const title = `$ ${command.join(" ")}`;
  const tail = output.slice(-3000);
  if (failsWith !== undefined) {
    if (code === 0) throw new Error(`${title}\nwas meant to fail:\n${tail}`);
    if (!has(output, failsWith))
      throw new Error(`${title}\nfailed without saying ${String(failsWith)}:\n${tail}`);
    return;
  }
  if (code !== 0) throw new Error(`${title}\nended with ${code}:\n${tail}`);
  if (prints !== undefined && !has(output, prints))
    throw new Error(`${title}\ndid not print ${String(prints)}, but:\n${tail}`);
}

function has(output: string, wanted: string | RegExp): boolean {
  return typeof wanted === "string" ? output.includes(wanted) : wanted.test(output);
}

function execute(
  [program, ...args]: readonly string[],
  cwd: string,
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | string; output: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number | string; output: string }>();
  const child = spawn(program!, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    // With all that it starts.
    detached: true,
    env: {
      ...clean(process.env),
      PATH: `${join(folder, "node_modules/.bin")}${delimiter}${process.env["PATH"]}`,
      ...env,
    },
  });
  let output = "";
  const add = (text: Buffer): void => void (output += text.toString());
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  const timer = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), STEP_TIMEOUT_MS);
  child.on("error", (error) => resolve({ code: error.message, output }));
  child.on("close", (code, signal) => {
    clearTimeout(timer);
    resolve({ code: code ?? signal!, output });
  });
  return promise;
}

/** Without what a package manager that runs this has set, but for where packages come from; and without colours. */
function clean(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) => isOfRegistry.test(name) || !/^(npm_|NODE_OPTIONS|FORCE_COLOR)/i.test(name),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: "1", CI: "true" };
}

const isOfRegistry = /^npm_config_(registry|userconfig|cache|cafile|proxy|https?_proxy|noproxy)$/i;
