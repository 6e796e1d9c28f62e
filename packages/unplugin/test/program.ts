/**
 * A small program with job modules, in a folder of its own with copies of the built packages. When it has been bundled, its output is moved
 * and the folder removed: what still points there fails.
 */
import { spawn } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";

const packages = fileURLToPath(new URL("../../", import.meta.url));

/** A name that is another one in a URL, and that bundlers escape in strings. */
export const innerModule = "inner' 50% größe.jobs.ts";

const sources: Readonly<Record<string, string>> = {
  "main.ts": `
    import { ThreadPool } from "@skein/pool";
    import { runReport } from "./report/report.ts";

    // A comment that says new URL("./gone.jobs.ts", import.meta.url) is only a comment.
    runReport(new ThreadPool({ minThreads: 1, maxThreads: 1 })).then(
      (report) => console.log(JSON.stringify(report)),
      (error) => {
        console.log(JSON.stringify({ error: String(error), code: error.code, cause: error.cause?.code, advice: String(error.cause?.message) }));
      },
    );`,
  "report/report.ts": `
    import type { ThreadPool } from "@skein/pool";
    import { tenant } from "../tenant.ts";

    export async function runReport(pool: ThreadPool): Promise<object> {
      const answer = new Map([["n", 82]]);
      const inline = await pool.run((n: number) => n + 1, [answer.get("n")! / 2]), lines = \`
        This is / no code: \${inline}\`;
      if (!lines.endsWith("42")) throw new Error(lines);
      const geo = pool.module<typeof import("../geo.jobs.ts")>(new URL("../geo.jobs.ts", import.meta.url));
      const found = await tenant.run("acme", () => geo.whose(20));
      const deep = await tenant.run("acme", () => geo.nested(2));
      const failure: Error = await geo.refuse().then(() => new Error("did not fail"), (error) => error);
      return { found, deep, inline, message: failure.message, stack: failure.stack };
    }`,
  "tenant.ts": `
    import { AsyncLocal } from "@skein/context";
    export const tenant = new AsyncLocal<string>({ name: "tenant", flow: "thread" });`,
  "geo.jobs.ts": `
    import { ThreadPool } from "@skein/pool";
    import { job } from "@skein/pool/worker";
    import { threadId } from "node:worker_threads";
    import { tenant } from "./tenant.ts";

    export function whose(n: number): string {
      return \`\${tenant.value} \${n * 2} \${threadId > 0} \${job.isCancellationRequested}\`;
    }

    export async function nested(n: number): Promise<string> {
      const inner = ThreadPool.current!.module<typeof import("./${innerModule}")>(new URL(\`./${encodeURI(innerModule)}\`, import.meta.url));
      return await inner.twice(n);
    }

    export function refuse(): never {
      throw new RangeError("no such place");
    }`,
  [innerModule]: `
    import { tenant } from "./tenant.ts";
    export function twice(n: number): string {
      return \`\${tenant.value} \${n * 2}\`;
    }`,
};

/** What the program prints when all is well, but for the stack. */
export const expected = { found: "acme 40 true false", deep: "acme 4", inline: 42, message: "no such place" };

/** Of what a program that failed has printed: Node shows the whole line, and minified lines are long. */
const LAST_CHARS = 2000;

export interface Report {
  readonly stack: string;
  readonly code?: string;
  readonly cause?: string;
  readonly advice?: string;
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "skein-bundle-")));
  folders.push(folder);
  return folder;
}

/** @param language Without types, imports and URLs say ".js": for what reads JavaScript only, and what compiles it so. */
export function writeProgram(language: "ts" | "js" = "ts"): string {
  const folder = temporaryFolder();
  for (const name of ["context", "scheduling", "pool"]) {
    const target = join(folder, "node_modules/@skein", name);
    for (const file of globSync("**/*.js", { cwd: join(packages, name, "dist") }))
      cpSync(join(packages, name, "dist", file), join(target, "dist", file));
    cpSync(join(packages, name, "package.json"), join(target, "package.json"));
  }
  for (const [name, text] of Object.entries(sources)) {
    const path = join(folder, "src", language === "ts" ? name : name.replace(".ts", ".js"));
    mkdirSync(dirname(path), { recursive: true });
    const javaScript = (): string => stripTypeScriptTypes(text).replaceAll(/\.ts(?=["`])/g, ".js");
    writeFileSync(path, language === "ts" ? text : javaScript());
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "sideEffects": false }');
  return folder;
}

/** Moves the output `dist` of the program to another folder, removes all else, and runs a file of it. */
export async function runMoved(program: string, main: string): Promise<Report> {
  const moved = join(temporaryFolder(), "moved");
  renameSync(join(program, "dist"), moved);
  rmSync(program, { recursive: true });
  return await runProgram(join(moved, main));
}

export async function runProgram(file: string): Promise<Report> {
  // Source maps of the test runner's would change stacks.
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = process.env;
  const child = spawn(process.execPath, [file], { cwd: tmpdir(), env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  await new Promise((resolve) => child.on("close", resolve));
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the program above prints
    return JSON.parse(output) as Report;
  } catch {
    throw new Error(`The program printed no report. ${output}${errors.slice(-LAST_CHARS)}`);
  }
}
