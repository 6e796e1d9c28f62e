/**
 * The program that every set-up builds and runs: a job module beside it by the documented URL, an ambient value, an inline function and an
 * error. It prints one line (PROGRAM_PRINTS).
 */

import { stripTypeScriptTypes } from "node:module";

type Extension = ".ts" | ".js" | "";

/** Sources of an ES module program. `extension` is what its imports of its own files end with. */
export function program(extension: Extension = ".ts"): Readonly<Record<string, string>> {
  return {
    "src/main.ts": `import { ThreadPool } from "@skein/pool";
import { tenant } from "./tenant${extension}";

${body('new URL("./geo.jobs.ts", import.meta.url)', extension)}
`,
    ...shared(extension),
  };
}

/** The same for compilers whose output is CommonJS, where \`import.meta\` does not exist. */
export function commonjsProgram(extension: Extension = ""): Readonly<Record<string, string>> {
  return {
    "src/main.ts": `import { pathToFileURL } from "node:url";
import { ThreadPool } from "@skein/pool";
import { tenant } from "./tenant${extension}";

${body('new URL("./geo.jobs.ts", pathToFileURL(__filename))', extension)}
`,
    ...shared(extension),
  };
}

/** Plain JavaScript. */
export function javascriptProgram(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(program(".js")).map(([name, text]) => [
      name.replace(/\.ts$/, ".js"),
      stripTypeScriptTypes(text).replaceAll("geo.jobs.ts", "geo.jobs.js"),
    ]),
  );
}

function body(url: string, extension: Extension): string {
  return `async function run(): Promise<string> {
  const pool = new ThreadPool({ maxThreads: 1 });
  try {
    const geo = pool.module<typeof import("./geo.jobs${extension}")>(${url});
    const area = await geo.area([[0, 0], [1, 0], [1, 1], [0, 1]]);
    const whose = await tenant.run("acme", () => geo.whose());
    const inline = await pool.run((n: number) => n + 1, [41]);
    const error = await geo.refuse().then(() => "nothing", (reason: unknown) => (reason as Error).constructor.name);
    return \`area \${area}, \${whose}, inline \${inline}, refused: \${error}\`;
  } finally {
    await pool.close();
  }
}

export const printed: Promise<string> = run();
printed.then(console.log);`;
}

function shared(extension: Extension): Record<string, string> {
  return {
    "src/tenant.ts": `import { AsyncLocal } from "@skein/context";

export const tenant = new AsyncLocal<string>({ name: "tenant", flow: "thread" });
`,
    "src/geo.jobs.ts": `import { isMainThread } from "node:worker_threads";
import { tenant } from "./tenant${extension}";

export function area(points: readonly (readonly number[])[]): number {
  let sum = 0;
  points.forEach(([x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length]!;
    sum += x! * nextY! - nextX! * y!;
  });
  return Math.abs(sum) / 2;
}

export function whose(): string {
  return \`tenant \${tenant.value}, \${isMainThread ? "not in" : "in"} a thread\`;
}

export function refuse(): never {
  throw new RangeError("no such place");
}
`,
  };
}
