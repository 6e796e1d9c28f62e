/** TypeScript versions, the declarations of packages checked too. */
import { type SetUp, step } from "../set-up.ts";

const packages = ["@skein/context", "@skein/scheduling", "@skein/pool", "@skein/batching"];

const source = `import { AsyncLocal } from "@skein/context";
import { Task, TaskCompletionSource } from "@skein/scheduling";
import { ThreadPool } from "@skein/pool";
import { job } from "@skein/pool/worker";
import { jobModule } from "@skein/pool/engine";
import { InlineEngine } from "@skein/pool/inline";
import { ProcessPool } from "@skein/pool/process";
import { MultiProducerConcurrentConsumer } from "@skein/batching";
import type * as Geo from "./geo.jobs.js";

export const tenant = new AsyncLocal<string>({ name: "tenant", flow: "thread" });
export const source: TaskCompletionSource<number> = new TaskCompletionSource<number>();
export { InlineEngine, job, jobModule, MultiProducerConcurrentConsumer, ProcessPool };

declare function print(text: string): void;

export async function main(pool: ThreadPool): Promise<number> {
  const geo = pool.module<typeof Geo>(new URL("./geo.jobs.js", "file:///"));
  const area: number = await geo.area([[1, 2]]);
  // Types cannot carry the type parameters of a function along: what depends on them is unknown, and says so where it is used.
  const same: readonly unknown[] = await geo.same(["a"]);
  // @ts-expect-error unknown
  print((await geo.same(["a"]))[0]);
  // @ts-expect-error wrong arguments
  geo.area("no").then(() => {}, () => {});
  // @ts-expect-error a function cannot leave its thread
  geo.makeScale.name;
  // @ts-expect-error the module has no type
  pool.module(new URL("./geo.jobs.js", "file:///")).area([[1, 2]]);
  const delay: Task<void> = Task.delay(1);
  await delay;
  return area + same.length;
}
`;

const jobs = `export function area(points: readonly (readonly number[])[]): number {
  return points.length;
}

export function same<T>(items: readonly T[]): readonly T[] {
  return items;
}

export function makeScale(factor: number): (n: number) => number {
  return (n) => n * factor;
}
`;

/** @param node The newest @types/node that this TypeScript reads. */
function typescript(version: string, node: string): SetUp {
  return {
    name: `TypeScript ${version}`,
    tools: { typescript: version, "@types/node": node },
    packages,
    files: {
      "src/main.ts": source,
      "src/geo.jobs.ts": jobs,
      "tsconfig.json": JSON.stringify({
        compilerOptions: {
          target: "es2022",
          lib: ["es2023", "esnext.disposable"],
          module: "nodenext",
          strict: true,
          noEmit: true,
          skipLibCheck: false,
          types: ["node"],
        },
        include: ["src"],
      }),
    },
    steps: [step("tsc")],
  };
}

export const types: readonly SetUp[] = [
  "5.4.5",
  "5.5.4",
  "5.6.3",
  "5.7.3",
  "5.8.3",
  "5.9.3",
  "6.0.3",
  "7.0.2",
].map((version) => typescript(version, "24.19.2"));
