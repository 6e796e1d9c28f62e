import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal, ExecutionContext, flow } from "@skein/context";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Arenas } from "../../src/shared/arenas.ts";
import { createArenaMemory } from "../../src/shared/arena.ts";
import { Payloads } from "../../src/shared/payloads.ts";
import { type ContextEntry, ContextTable } from "../../src/submit/context-table.ts";

const MiB = 1 << 20;
const tenant = new AsyncLocal<string>({ name: "context-table.tenant", flow: "thread" });
let onEncode: (value: string) => void = () => {};
const encoded = new AsyncLocal<string>({
  name: "context-table.encoded",
  flow: "thread",
  codec: {
    encode(value) {
      onEncode(value);
      return value;
    },
    decode: String,
  },
});

let arenas: Arenas;
let payloads: Payloads;
let table: ContextTable;

beforeEach(() => {
  onEncode = () => {};
  arenas = new Arenas(() => {});
  let id = 0;
  const create = () => {
    const arena = { id: ++id, serial: 0, isHome: false, memory: createArenaMemory() };
    arenas.add(arena);
    return arena;
  };
  payloads = new Payloads(create(), { request: create, gone: (gone) => arenas.drop(gone), grown: () => {} });
  table = new ContextTable(payloads);
});

function textOf({ block }: ContextEntry): string {
  return arenas.text(payloads.arenaOf(block), payloads.blockOf(block));
}

/** What has to be there. */
function carrierOf({ pieces }: ContextEntry): string {
  return pieces.join("");
}

function current(value: string): ContextEntry {
  return tenant.run(value, () => table.current()!);
}

function enter(value: string): ContextEntry {
  const entry = current(value);
  table.enter(entry);
  return entry;
}

describe("ContextTable", () => {
  it("smoke: the text of a context lies where the jobs that name it say", () => {
    const entry = enter("acme");
    expect(textOf(entry)).toBe(carrierOf(entry));
    expect(carrierOf(entry)).toContain("acme");
    table.leave(entry);
    expect(table.current()).toBe(null);
  });

  it("the text of a context that no job names can be written elsewhere, whatever was encoded meanwhile", () => {
    const entry = current("日本");
    const written = (): string => {
      const bytes = new Uint8Array(entry.length + 2);
      table.write(entry, bytes, 1);
      return Buffer.from(bytes).toString();
    };
    expect(written()).toBe(`\0${carrierOf(entry)}\0`);
    current("another one");
    expect(written()).toBe(`\0${carrierOf(entry)}\0`);
    expect([entry.wasUsed, table.bytesInUse]).toEqual([false, 0]);
  });

  it("a thousand jobs of one request encode it once, and count its bytes once", () => {
    let count = 0;
    onEncode = () => count++;
    const entries = encoded.run("x", () =>
      Array.from({ length: 1000 }, () => {
        const entry = table.current()!;
        table.enter(entry);
        return entry;
      }),
    );
    expect([new Set(entries).size, count]).toEqual([1, 1]);
    expect(table.bytesInUse).toBe(Buffer.byteLength(carrierOf(entries[0]!)));
    expect(table.bytesToAdd(entries[0]!)).toBe(0);
    for (const entry of entries) table.leave(entry);
    expect([table.bytesInUse, table.bytesToAdd(entries[0]!)]).toEqual([0, entries[0]!.length]);
  });

  it("bytes are those of the encoded text", () => {
    const entry = enter("日本".repeat(100));
    expect(table.bytesInUse).toBe(Buffer.byteLength(carrierOf(entry)));
    const other = enter("other");
    expect(table.bytesInUse).toBe(entry.length + other.length);
    table.leave(entry);
    expect(table.bytesInUse).toBe(other.length);
  });

  it("a codec may submit jobs of the very context that is being encoded", () => {
    let inner: ContextEntry | null = null;
    onEncode = () => {
      onEncode = () => {};
      inner = table.current();
      table.enter(inner!);
    };
    encoded.run("outer", () => {
      const entry = table.current()!;
      table.enter(entry);
      expect(entry).toBe(inner);
      expect(entry.users).toBe(2);
      table.leave(entry);
      table.leave(entry);
    });
    expect(table.bytesInUse).toBe(0);
  });

  it("a codec that throws leaves everything as it was", () => {
    const entry = enter("acme");
    const before = [table.bytesInUse, payloads.sizeBytes];
    onEncode = () => {
      throw new RangeError("no");
    };
    encoded.run("x", () => expect(() => table.current()).toThrow("no"));
    expect([table.bytesInUse, payloads.sizeBytes]).toEqual(before);
    onEncode = () => {};
    expect(encoded.run("x", () => table.current())).not.toBe(null);
    table.leave(entry);
  });

  it("without jobs in flight it keeps no context alive", async () => {
    const seen = ((): WeakRef<ExecutionContext> =>
      tenant.run("short", () => {
        const other = new AsyncLocal<object>();
        return other.run({}, () => {
          const first = table.current()!;
          table.enter(first);
          table.enter(table.current()!);
          table.leave(first);
          table.leave(first);
          return new WeakRef(ExecutionContext.capture()!);
        });
      }))();
    // What `deref` has returned stays until the next turn.
    do {
      await new Promise(setImmediate);
      (globalThis as { gc?: () => void }).gc!();
    } while (seen.deref() !== undefined);
    expect(table.bytesInUse).toBe(0);
  });

  it("texts that nobody names are evicted, and all of them when the thread has nothing to do", () => {
    const entries = Array.from({ length: 100 }, (_, i) => enter(`tenant ${i}`));
    for (const entry of entries) table.leave(entry);
    expect(entries.filter(({ block }) => block !== 0)).toHaveLength(64);
    table.forget();
    expect(entries.filter(({ block }) => block !== 0)).toEqual([]);
    table.enter(entries[0]!);
    expect(textOf(entries[0]!)).toBe(carrierOf(entries[0]!));
    table.leave(entries[0]!);
  });

  it("a context that comes and goes evicts no other", () => {
    const other = enter("other");
    table.leave(other);
    tenant.run("busy", () => {
      for (let i = 0; i < 200; i++) {
        const entry = table.current()!;
        table.enter(entry);
        table.leave(entry);
      }
    });
    expect(other.block).not.toBe(0);
  });

  it("a context that jobs of two pools name has an entry in each", () => {
    const second = new ContextTable(payloads);
    tenant.run("acme", () => {
      const [first, again] = [table.current()!, second.current()!];
      expect(again).not.toBe(first);
      expect([table.current(), second.current()]).toEqual([first, again]);
      expect([table.current() === first, second.current() === again]).toEqual([true, true]);
    });
  });

  it("a context that jobs always name does not hold a memory that is to go", () => {
    tenant.run("busy", () => {
      const old = table.current()!;
      table.enter(old);
      payloads.free(payloads.allocate(50 * MiB));
      payloads.trim();
      payloads.trim();
      expect(payloads.isCurrent(old.block)).toBe(false);
      const moved = table.current()!;
      table.enter(moved);
      expect([moved.id, moved === old, payloads.isCurrent(moved.block)]).toEqual([old.id, false, true]);
      expect(table.current()).toBe(moved);
      table.leave(old);
      expect(payloads.sizeBytes).toBeLessThanOrEqual(MiB);
      expect([textOf(moved), table.bytesInUse]).toEqual([carrierOf(moved), moved.length]);
      table.leave(moved);
    });
  });
});

describe("ContextTable, with storages of others that flow", () => {
  const storage = new AsyncLocalStorage<object>();
  let registration: Disposable;
  beforeEach(() => (registration = flow(storage, { name: "context-table.flow" })));
  afterEach(() => registration[Symbol.dispose]());

  const withStore = (store: object): ContextEntry => storage.run(store, () => table.current()!);

  it("jobs of one text name one entry, whichever stores and contexts gave it", () => {
    const first = withStore({ user: "ann" });
    table.enter(first);
    const again = new AsyncLocal<number>().run(1, () => withStore({ user: "ann" }));
    expect(again).toBe(first);
    table.enter(again);
    const other = withStore({ user: "bob" });
    expect([other === first, other.id === first.id]).toEqual([false, false]);
    expect(tenant.run("acme", () => withStore({ user: "ann" }))).not.toBe(first);
    expect([first.users, table.bytesInUse, textOf(first)]).toEqual([2, first.length, carrierOf(first)]);
    table.leave(first);
    table.leave(first);
    expect(withStore({ user: "ann" })).toBe(first);
  });

  it("a long text is found as well, also when others come in between", () => {
    const [ann, bob] = [{ notes: "a".repeat(2000) }, { notes: "b".repeat(2000) }];
    const first = withStore(ann);
    table.enter(first);
    expect([withStore(ann), withStore({ ...ann })]).toEqual([first, first]);
    const other = withStore(bob);
    table.enter(other);
    expect([other === first, withStore(ann) === first, withStore(bob) === other]).toEqual([
      false,
      true,
      true,
    ]);
    const own = tenant.run("acme", () => withStore(ann));
    table.enter(own);
    expect(carrierOf(own).length).toBeGreaterThan(carrierOf(first).length);
    expect([first, other, own].map(textOf)).toEqual([first, other, own].map(carrierOf));
    for (const entry of [first, other, own]) table.leave(entry);
  });

  it("texts that share a place push each other out, and lie in memory as long as jobs name them", () => {
    const entries = Array.from({ length: 2000 }, (_, i) => withStore({ i }));
    for (const entry of entries) table.enter(entry);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(2000);
    expect(entries.map(textOf)).toEqual(entries.map(carrierOf));
    for (const entry of entries) table.leave(entry);
    table.forget();
    expect([table.bytesInUse, entries.filter(({ block }) => block !== 0)]).toEqual([0, []]);
  });

  it("two tables that a store goes through by turns each have an entry for it", () => {
    const second = new ContextTable(payloads);
    const store = { notes: "x".repeat(2000) };
    const both = [table, second, table, second].map((one) => storage.run(store, () => one.current()!));
    expect(new Set(both.map(({ owner }) => owner)).size).toBe(2);
    expect(new Set(both.map(carrierOf)).size).toBe(1);
  });

  it("without a store a context is found as ever", () => {
    const plain = enter("acme");
    const stored = tenant.run("acme", () => withStore({ a: 1 }));
    table.enter(stored);
    expect(carrierOf(current("acme"))).toBe(carrierOf(plain));
    expect(carrierOf(stored)).toBe(`${carrierOf(plain)}s18:context-table.flow7:{"a":1}`);
    expect(table.current()).toBe(null);
    table.leave(stored);
    table.leave(plain);
  });

  it("what nobody names is evicted, and found no longer", () => {
    const entry = withStore({ a: 1 });
    table.enter(entry);
    table.leave(entry);
    table.forget();
    expect([entry.block, table.bytesInUse]).toEqual([0, 0]);
    const next = withStore({ a: 1 });
    expect(next.id).not.toBe(entry.id);
    table.enter(next);
    expect(textOf(next)).toBe(carrierOf(entry));
    table.leave(next);
  });

  it("does not hold a memory that is to go", () => {
    const store = { busy: true };
    const old = withStore(store);
    table.enter(old);
    payloads.free(payloads.allocate(50 * MiB));
    payloads.trim();
    payloads.trim();
    const moved = withStore(store);
    table.enter(moved);
    expect([moved.id, moved === old, payloads.isCurrent(moved.block)]).toEqual([old.id, false, true]);
    expect(withStore(store)).toBe(moved);
    table.leave(old);
    expect(withStore({ ...store })).toBe(moved);
    expect(payloads.sizeBytes).toBeLessThanOrEqual(MiB);
    table.leave(moved);
  });

  it("without jobs in flight it keeps no store", async () => {
    const seen = ((): WeakRef<object> => {
      const store = { short: true };
      const entry = withStore(store);
      table.enter(entry);
      table.enter(withStore(store));
      table.leave(entry);
      table.leave(entry);
      return new WeakRef(store);
    })();
    do {
      await new Promise(setImmediate);
      (globalThis as { gc?: () => void }).gc!();
    } while (seen.deref() !== undefined);
    expect(table.bytesInUse).toBe(0);
  });
});
