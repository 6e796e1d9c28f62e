/**
 * Finds the source files below a directory, in a fixed order, without following symbolic links.
 *
 * A link to a directory is not followed: its target is met where it really is, or lies outside the tree. So nothing is counted
 * twice (pnpm links every package into many places) and a loop cannot trap the walk. Links are counted, and those that lead
 * nowhere or back to where they came from are named.
 */
import { lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import type { Dirent } from "node:fs";
import { join, relative, sep } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isSourceName } from "./grammar.ts";
import { describeFileError, errorCode } from "./wording.ts";

export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
}

export interface Notice {
  readonly path: string;
  readonly message: string;
}

export interface Tree {
  /** Absolute, links resolved. */
  readonly root: string;
  /** False when the walk was cancelled: there may be more files. */
  readonly complete: boolean;
  readonly files: SourceFile[];
  readonly directories: number;
  readonly links: { readonly directories: number; readonly files: number; readonly broken: number };
  /** What could not be entered, and links that are broken or form loops. */
  readonly notices: Notice[];
}

const TURN_MS = 20;

/**
 * Walks the tree. Lets the event loop run every 20 ms. When the signal is aborted, resolves with what is found by then.
 * @throws the system's error when the root itself cannot be read.
 */
export async function walk(
  directory: string,
  signal: AbortSignal,
  onProgress: (filesFound: number) => void = () => {},
): Promise<Tree> {
  const root = realpathSync(directory);
  const visitor = new TreeVisitor(root);
  const waiting = [root];
  let turnEnds = performance.now() + TURN_MS;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    visitor.enter(next, waiting);
    if (performance.now() > turnEnds) {
      onProgress(visitor.files.length);
      await nextTurn();
      if (signal.aborted) break;
      turnEnds = performance.now() + TURN_MS;
    }
  }
  const { files, directories, links, notices } = visitor;
  return {
    root,
    complete: waiting.length === 0,
    files: files.toSorted(byPath),
    directories,
    links,
    notices: notices.toSorted(byPath),
  };
}

/** By UTF-16 code units: the same order on every machine, whatever its language. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

class TreeVisitor {
  readonly files: SourceFile[] = [];
  readonly notices: Notice[] = [];
  readonly links = { directories: 0, files: 0, broken: 0 };
  directories = 0;
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  enter(directory: string, waiting: string[]): void {
    let entries: Dirent[];
    try {
      entries = readdirSync(directory, { withFileTypes: true });
    } catch (error) {
      if (directory === this.#root) throw error;
      this.#notice(directory, `unreadable directory: ${describeFileError(error)}`);
      return;
    }
    this.directories++;
    for (const entry of entries) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      else if (entry.isSymbolicLink()) this.#countLink(path);
      else if (isSourceName(entry.name)) this.#addFile(path, entry);
    }
  }

  #addFile(path: string, entry: Dirent): void {
    if (!entry.isFile()) {
      // Opening a pipe would wait for its writer, for ever.
      this.#notice(path, "skipped: not a regular file");
      return;
    }
    // A file that is gone by now is listed all the same: the analysis will say so.
    const bytes = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
    this.files.push({ path: this.#relative(path), bytes });
  }

  #countLink(path: string): void {
    const { links } = this;
    try {
      if (!statSync(path).isDirectory()) {
        links.files++;
        return;
      }
      links.directories++;
      const target = realpathSync(path);
      if (`${path}${sep}`.startsWith(target.endsWith(sep) ? target : `${target}${sep}`)) {
        this.#notice(path, `symlink loop: leads back to ${this.#relative(target) || "."}, not followed`);
      }
    } catch (error) {
      links.broken++;
      const kind = errorCode(error) === "ELOOP" ? "symlink loop" : "broken symlink";
      this.#notice(path, `${kind}: ${describeFileError(error)}, not followed`);
    }
  }

  #notice(path: string, message: string): void {
    this.notices.push({ path: this.#relative(path), message });
  }

  #relative(path: string): string {
    return relative(this.#root, path).replaceAll(sep, "/");
  }
}
