import { beforeEach, describe, expect, it } from "vitest";
import { Arena, createArenaMemory, type GrowingMemory, lengthOf } from "../../src/shared/arena.ts";
import { type FunctionEntry, FunctionRegistry } from "../../src/submit/function-registry.ts";
import { inheriting } from "../inherited.ts";

const none = (): undefined => undefined;

let memory: GrowingMemory;
let registry: FunctionRegistry;

beforeEach(() => {
  memory = createArenaMemory();
  registry = new FunctionRegistry(new Arena(memory));
});

function description({ block }: FunctionEntry): unknown {
  const length = lengthOf(new Int32Array(memory.buffer), block);
  return JSON.parse(Buffer.from(memory.buffer, block * 8, length).toString());
}

/** A job names it, and is over. */
function use(entry: FunctionEntry): FunctionEntry {
  registry.enter(entry);
  registry.leave(entry);
  return entry;
}

function inline(n: number): FunctionEntry {
  // oxlint-disable-next-line typescript/no-implied-eval -- sources that differ
  return registry.ofFunction(new Function(`return ${n}`) as () => unknown, none);
}

function exported(n: number): FunctionEntry {
  return registry.ofExport("file:///a.js", `job${n}`);
}

describe("FunctionRegistry", () => {
  it("smoke: a function that jobs name is described in the home, under its number", () => {
    const [a, b] = [registry.ofExport("file:///a.js", "area"), registry.ofExport("file:///a.js", "length")];
    registry.enter(a);
    registry.enter(b);
    expect(a.id).not.toBe(b.id);
    expect(description(a)).toEqual({
      id: a.id,
      source: { kind: "export", url: "file:///a.js", name: "area" },
    });
    expect(registry.ofExport("file:///a.js", "area")).toBe(a);
  });

  it("the same source is one function, and its chunks are another", () => {
    const [a, b] = [use(inline(1)), inline(1)];
    expect(a).toBe(b);
    const each = registry.ofEach(a);
    expect(registry.ofEach(a)).toBe(each);
    registry.enter(each);
    expect(description(each)).toMatchObject({ id: each.id, source: { kind: "inline", each: true } });
  });

  it("a function is one for chunks only if it says so itself, whatever plain objects inherit", () => {
    const a = inheriting({ each: true }, () => use(inline(2)));
    expect(description(a)).toEqual({
      id: a.id,
      source: { kind: "inline", source: expect.any(String), from: expect.any(String) },
    });
    expect(inline(2)).toBe(a);
  });

  it("any number of functions: what no job names is evicted, and its memory is used again", () => {
    const first = use(inline(0));
    const kept = inline(1);
    registry.enter(kept);
    const ids = new Set([first.id, kept.id]);
    for (let n = 2; n < 70_000; n++) ids.add(use(exported(n)).id);
    expect(ids.size).toBe(70_000);
    expect(memory.buffer.byteLength).toBeLessThan(16 << 20);
    expect(first.block).toBe(0);
    expect(description(kept)).toMatchObject({ id: kept.id });
    // Whoever has it uses it again, under its number.
    registry.enter(first);
    expect(description(first)).toMatchObject({ id: first.id });
  });

  it("what is used again and again stays", () => {
    const often = inline(0);
    use(often);
    const { block } = often;
    for (let n = 1; n < 20_000; n++) {
      use(exported(n));
      if (n % 100 === 0) use(often);
    }
    expect(often.block).toBe(block);
  });

  it("long sources are bounded by their bytes", () => {
    for (let n = 0; n < 500; n++) use(registry.ofExport(`file:///${"x".repeat(100_000)}${n}.js`, "job"));
    expect(memory.buffer.byteLength).toBeLessThan(32 << 20);
  });

  it("all that jobs in flight name stay, however many", () => {
    const entries = Array.from({ length: 10_000 }, (_, n) => inline(n));
    for (const entry of entries) registry.enter(entry);
    expect(entries.every((entry) => (description(entry) as { id: number }).id === entry.id)).toBe(true);
    for (const entry of entries) registry.leave(entry);
    for (let n = 0; n < 20_000; n++) use(exported(n));
    expect(entries.filter(({ block }) => block !== 0).length).toBeLessThan(10_000);
  });
});
