/**
 * Another commit, built in a folder of its own, with the benchmarks of this one: both builds run the same programs, and each program
 * finds the packages beside it.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

export interface Worktree {
  readonly root: string;
  remove(): void;
}

const NOT_COPIED = new Set(["node_modules", "results", "dist"]);

/** @throws Error when there is no such ref, or it cannot be installed or built; with the end of what was said. */
export function openWorktree(repository: string, ref: string): Worktree {
  const folder = mkdtempSync(join(tmpdir(), "skein-against-"));
  const root = join(folder, "build");
  const remove = (): void => {
    spawnSync("git", ["-C", repository, "worktree", "remove", "--force", root]);
    rmSync(folder, { recursive: true, force: true });
    spawnSync("git", ["-C", repository, "worktree", "prune"]);
  };
  try {
    execute(repository, ["git", "worktree", "add", "--detach", root, ref]);
    // Those of the packages as well: sections take loops from them.
    for (const programs of globSync("{bench,packages/*/bench}", { cwd: repository })) {
      // A package that there was not yet has nothing to measure either.
      if (!existsSync(dirname(join(root, programs)))) continue;
      rmSync(join(root, programs), { recursive: true, force: true });
      cpSync(join(repository, programs), join(root, programs), {
        recursive: true,
        filter: (path) => !NOT_COPIED.has(basename(path)),
      });
    }
    // The lock file is that commit's, the benchmarks' dependencies are this one's.
    execute(root, [...pnpm(), "install", "--no-frozen-lockfile", "--prefer-offline"]);
    execute(root, [...pnpm(), "run", "build"]);
  } catch (error) {
    remove();
    throw error;
  }
  return { root, remove };
}

/** The pnpm that runs this script, or whichever there is. */
function pnpm(): readonly string[] {
  const { npm_execpath: running } = process.env;
  if (running !== undefined && /pnpm/.test(basename(running))) {
    return /\.[cm]?js$/.test(running) ? [process.execPath, running] : [running];
  }
  return spawnSync("pnpm", ["--version"]).status === 0 ? ["pnpm"] : ["npx", "--yes", "pnpm@10"];
}

function execute(cwd: string, [program, ...args]: readonly string[]): void {
  process.stderr.write(`$ ${program} ${args.join(" ")}\n`);
  const { status, stdout, stderr, error } = spawnSync(program!, args, { cwd, encoding: "utf8" });
  if (status === 0) return;
  const said = `${stdout ?? ""}${stderr ?? ""}`.trim().split("\n").slice(-15).join("\n");
  throw new Error(`${program} ${args.join(" ")} failed: ${error?.message ?? said}`);
}
