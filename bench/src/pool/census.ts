/** Census of apps/demo, from its built files. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ThreadPool } from "@skein/pool";
import { Piscina } from "piscina";
import type { Contender, Kind, Run, Sample, Scale } from "../method/scenario.ts";
import { jobFile } from "../peers/product.ts";
import { expectSame } from "./rounds.ts";

/** What we know of the demo: it is an application, not a library. */
interface FileJobs {
  readonly analyseFile: (path: string, options: object) => { readonly functions?: number };
}
interface Walking {
  readonly walk: (
    folder: string,
    signal: AbortSignal,
  ) => Promise<{ root: string; files: { path: string; bytes: number }[] }>;
}

type Analyse = FileJobs["analyseFile"] extends (...args: infer A) => infer R
  ? (...args: A) => R | PromiseLike<R>
  : never;

const demo = new URL("../../../apps/demo/dist/", import.meta.url);
const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const analysis = { maxFileBytes: 500_000, minNodes: 40, top: 25, logFile: null, verbose: false };
/** Calls under way at once. */
const WINDOW = 64;

interface Files {
  readonly paths: readonly string[];
  readonly megabytes: number;
  /** Functions in all of them. */
  readonly functions: number;
}

export async function warmCensusContenders(scale: Scale): Promise<Contender[]> {
  const { analyseFile } = (await import(new URL("file.jobs.js", demo).href)) as FileJobs;
  const files = await chooseFiles(scale, analyseFile);
  const skein = (threads: number): Contender =>
    contender(named("skein", threads), "skein", "skein", files, () => {
      const pool = new ThreadPool({ maxThreads: threads });
      const jobs = pool.module<FileJobs>(new URL("file.jobs.js", demo));
      return { analyse: jobs.analyseFile, close: () => pool.close() };
    });
  const piscina = (threads: number): Contender =>
    contender(named("piscina", threads), "peer", "piscina", files, () => {
      const pool = new Piscina({
        filename: jobFile("census-piscina").href,
        minThreads: threads,
        maxThreads: threads,
      });
      return {
        analyse: (path, options) => pool.run([path, options]) as ReturnType<Analyse>,
        close: () => pool.destroy(),
      };
    });
  return [
    skein(2),
    skein(1),
    piscina(2),
    piscina(1),
    contender("alone", "reference", "alone", files, () => ({ analyse: analyseFile })),
  ];
}

/** One file in so many, from all over the tree, always the same. Reads all of them once, so that nobody meets a cold disk. */
async function chooseFiles(scale: Scale, analyse: FileJobs["analyseFile"]): Promise<Files> {
  const { walk } = (await import(new URL("walk.js", demo).href)) as Walking;
  const tree = await walk(modules, new AbortController().signal);
  if (scale.mode === "full") for (const { path } of tree.files) readFileSync(join(tree.root, path));
  const every = scale.pick(12, 120);
  const files = tree.files.filter(({ bytes }, i) => i % every === 0 && bytes < analysis.maxFileBytes);
  const paths = files.map(({ path }) => join(tree.root, path));
  const functions = paths.reduce((sum, path) => sum + (analyse(path, analysis).functions ?? 0), 0);
  return { paths, megabytes: files.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20, functions };
}

function contender(
  name: string,
  kind: Kind,
  product: string,
  files: Files,
  start: () => { analyse: Analyse; close?: () => PromiseLike<unknown> },
): Contender {
  return {
    name,
    kind,
    product,
    configuration: "defaults",
    async open(): Promise<Run> {
      const { analyse, close } = start();
      await Promise.resolve();
      return {
        round: () => scan(files, analyse),
        async close() {
          await close?.();
        },
      };
    },
  };
}

async function scan({ paths, megabytes, functions }: Files, analyse: Analyse): Promise<Sample> {
  let next = 0;
  let found = 0;
  const caller = async (): Promise<void> => {
    while (next < paths.length) {
      const report = await analyse(paths[next++]!, analysis);
      found += report.functions ?? 0;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: WINDOW }, caller));
  const seconds = (performance.now() - started) / 1000;
  expectSame(found, functions);
  return { mbPerSecond: megabytes / seconds };
}

export function coldCensusContenders(): Contender[] {
  const run = (threads: number): Contender => ({
    name: threads === 0 ? "alone" : named("skein", threads),
    kind: threads === 0 ? "reference" : "skein",
    product: threads === 0 ? "alone" : "skein",
    configuration: `--threads ${threads}`,
    open: () => Promise.resolve({ round: () => census(threads), close: () => Promise.resolve() }),
  });
  return [2, 1, 0].map(run);
}

/** The command line, in a process of its own. */
async function census(threads: number): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), "skein-census-"));
  try {
    const file = join(folder, "census.json");
    const main = fileURLToPath(new URL("main.js", demo));
    const code = await new Promise<number | null>((resolve, reject) => {
      const child = spawn(process.execPath, [main, modules, "--threads", String(threads), "--json", file], {
        stdio: "ignore",
      });
      child.once("error", reject).once("close", resolve);
    });
    expectSame(code, 0);
    const { run } = JSON.parse(readFileSync(file, "utf8")) as {
      run: { analysisMs: number; cpuMs: number; delayP99Ms: number };
    };
    return { ms: run.analysisMs, delayMs: run.delayP99Ms, busyCores: run.cpuMs / run.analysisMs };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function named(product: string, threads: number): string {
  return `${product}, ${threads === 1 ? "1 thread" : `${threads} threads`}`;
}
