/** Words by which a test and a job wait for each other: in shared memory, or for engines without it in a file. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Words, or the path of the file that they lie in. */
export type Gate = Int32Array | string;

export function load(gate: Gate, index: number): number {
  if (typeof gate !== "string") return Atomics.load(gate, index);
  const word = Buffer.alloc(4);
  withFile(gate, (file) => readSync(file, word, 0, 4, index * 4));
  return word.readInt32LE();
}

export function store(gate: Gate, index: number, value: number): void {
  if (typeof gate !== "string") {
    Atomics.store(gate, index, value);
    Atomics.notify(gate, index);
    return;
  }
  const word = Buffer.alloc(4);
  word.writeInt32LE(value);
  withFile(gate, (file) => writeSync(file, word, 0, 4, index * 4));
}

/** Only one process adds to a word of a file. @returns what was there. */
export function add(gate: Gate, index: number, value: number): number {
  if (typeof gate !== "string") return Atomics.add(gate, index, value);
  const before = load(gate, index);
  store(gate, index, before + value);
  return before;
}

/** All words from the first on. */
export function words(gate: Gate, length: number): number[] {
  return Array.from({ length }, (_, index) => load(gate, index));
}

/** Resolves when a word is not 0. */
export async function opened(gate: Gate, index: number): Promise<void> {
  // Sleeps in between: what turns without a pause takes a core from whoever is waited for.
  while (load(gate, index) === 0) await sleep(1);
}

/** Makes gates, and removes their files at the end. */
export class Gates {
  readonly #isShared: boolean;
  #folder: string | null = null;
  #count = 0;

  constructor(isShared: boolean) {
    this.#isShared = isShared;
  }

  make(length = 2): Gate {
    if (this.#isShared) return new Int32Array(new SharedArrayBuffer(length * 4));
    this.#folder ??= mkdtempSync(join(tmpdir(), "skein-gates-"));
    const path = join(this.#folder, String(++this.#count));
    writeFileSync(path, new Uint8Array(length * 4));
    return path;
  }

  remove(): void {
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }
}

function withFile(path: string, use: (file: number) => void): void {
  const file = openSync(path, "r+");
  try {
    use(file);
  } finally {
    closeSync(file);
  }
}
