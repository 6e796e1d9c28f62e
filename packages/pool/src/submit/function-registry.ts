/**
 * Job functions by number. Their descriptions lie in the submitter's home arena, named by every job: a thread that does not know the
 * number reads it there, without asking anybody. Descriptions that no job in flight names are evicted when there are many; one that is
 * needed again is stored again, under its number.
 */
import { Buffer } from "node:buffer";
import { descriptionText, type FunctionSource, isOfEach } from "../jobs/function-source.ts";
import { exportSource } from "../jobs/shown-modules.ts";
import { type ExportOf, sourceOfFunction } from "../jobs/source-of-function.ts";
import type { Arena } from "../shared/arena.ts";

/** So many, or so many bytes, may be stored beyond those that jobs name. */
const KEPT_ENTRIES = 4096;
const KEPT_BYTES = 4 << 20;
/** In the slot. */
const MAX_ID = 2 ** 42 - 1;

export interface FunctionEntry {
  /** Of this submitter. */
  readonly id: number;
  readonly source: FunctionSource;
  /** Where the description lies in the home; 0: not there now. */
  block: number;
  /** How many jobs in flight name it. */
  users: number;
}

/** Of jobs that nobody sends. */
export const noFunction: FunctionEntry = {
  id: 0,
  source: { kind: "inline", source: "", from: null },
  block: 0,
  users: 0,
};

interface RegisteredFunction extends FunctionEntry {
  readonly description: Buffer;
  /** The same function, for jobs of several items. */
  each: RegisteredFunction | null;
  /** Whether another job has named it since the last look for what may go. */
  isRecent: boolean;
}

export class FunctionRegistry {
  readonly #home: Arena;
  /** Those that are in the home, by what they are. */
  readonly #exports = new Map<string, Map<string, RegisteredFunction>>();
  readonly #inline = new Map<string, RegisteredFunction>();
  readonly #functions = new WeakMap<object, RegisteredFunction>();
  /** Those that are in the home, oldest first. */
  readonly #stored = new Set<RegisteredFunction>();
  #storedBytes = 0;
  /** Looked at when there are more. */
  #evictAbove = KEPT_ENTRIES;
  #evictAboveBytes = KEPT_BYTES;
  #nextId = 0;

  constructor(home: Arena) {
    this.#home = home;
  }

  ofExport(url: string, name: string): FunctionEntry {
    return this.#ofExport(url, name);
  }

  /** @throws TypeError for a function that cannot be shipped. */
  ofFunction(fn: (...args: never[]) => unknown, exportOf: ExportOf): FunctionEntry {
    let entry = this.#functions.get(fn);
    if (entry === undefined) {
      const source = sourceOfFunction(fn, exportOf);
      entry =
        source.kind === "export"
          ? this.#ofExport(source.url, source.name)
          : this.#ofSource(source.source, source.from);
      this.#functions.set(fn, entry);
    }
    return entry;
  }

  /** The same function, for jobs of several items. */
  ofEach(entry: FunctionEntry): FunctionEntry {
    const registered = entry as RegisteredFunction;
    return (registered.each ??= this.#create({ ...entry.source, each: true }));
  }

  /**
   * One more job names it: `leave` has to follow.
   * @throws SkeinError 'ERR_SKEIN_ARENA_FULL' when there is no room. Nothing has changed then.
   */
  enter(entry: FunctionEntry): void {
    const registered = entry as RegisteredFunction;
    if (entry.block === 0) this.#store(registered);
    else registered.isRecent = true;
    entry.users++;
  }

  leave(entry: FunctionEntry): void {
    entry.users--;
  }

  #ofExport(url: string, name: string): RegisteredFunction {
    return this.#exports.get(url)?.get(name) ?? this.#create(exportSource(url, name));
  }

  #ofSource(source: string, from: string | null): RegisteredFunction {
    return this.#inline.get(inlineKey(source, from)) ?? this.#create({ kind: "inline", source, from });
  }

  #create(source: FunctionSource): RegisteredFunction {
    const id = this.#nextId;
    this.#nextId = id === MAX_ID ? 0 : id + 1;
    const bytes = Buffer.from(descriptionText({ id, source }), "utf8");
    return { id, source, block: 0, users: 0, description: bytes, each: null, isRecent: false };
  }

  #store(entry: RegisteredFunction): void {
    const { description } = entry;
    if (this.#stored.size >= this.#evictAbove || this.#storedBytes >= this.#evictAboveBytes) this.#evict();
    entry.block = this.#home.store(description, description.length);
    this.#stored.add(entry);
    this.#storedBytes += description.length;
    this.#findable(entry);
  }

  #findable(entry: RegisteredFunction): void {
    const { source } = entry;
    if (isOfEach(source)) return;
    if (source.kind === "inline") {
      this.#inline.set(inlineKey(source.source, source.from), entry);
    } else {
      let names = this.#exports.get(source.url);
      if (names === undefined) this.#exports.set(source.url, (names = new Map<string, RegisteredFunction>()));
      names.set(source.name, entry);
    }
  }

  /** Half of what is stored, if no job names it: the oldest first, and what was named again only if there is nothing else. */
  #evict(): void {
    this.#evictOldest();
    this.#evictOldest();
    this.#evictAbove = Math.max(KEPT_ENTRIES, this.#stored.size * 2);
    this.#evictAboveBytes = Math.max(KEPT_BYTES, this.#storedBytes * 2);
  }

  #evictOldest(): void {
    for (const entry of Array.from(this.#stored)) {
      if (this.#stored.size < this.#evictAbove / 2 && this.#storedBytes < this.#evictAboveBytes / 2) return;
      if (entry.users > 0) continue;
      if (entry.isRecent) {
        entry.isRecent = false;
        // Now it is the youngest.
        this.#stored.delete(entry);
        this.#stored.add(entry);
      } else this.#remove(entry);
    }
  }

  #remove(entry: RegisteredFunction): void {
    this.#home.free(entry.block);
    entry.block = 0;
    this.#stored.delete(entry);
    this.#storedBytes -= entry.description.length;
    const { source } = entry;
    if (isOfEach(source)) return;
    if (source.kind === "inline") {
      this.#inline.delete(inlineKey(source.source, source.from));
    } else {
      const names = this.#exports.get(source.url);
      names?.delete(source.name);
      if (names?.size === 0) this.#exports.delete(source.url);
    }
  }
}

/** The same text means something else in another folder. */
function inlineKey(source: string, from: string | null): string {
  return `${from}\n${source}`;
}
