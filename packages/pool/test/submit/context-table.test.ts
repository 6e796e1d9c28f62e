import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal, ExecutionContext, flow } from "@skein/context";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Arenas } from "../../src/shared/arenas.ts";
import { createArenaMemory } from "../../src/shared/arena.ts";
import { Payloads } from "../../src/shared/payloads.ts";
import type { ContextEntry } from "../../src/submit/context-entries.ts";
import { ContextTable, type SeenContext } from "../../src/submit/context-table.ts";
import { contextBeside, lengthBeside } from "../../src/submit/slot-filling.ts";

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

/** What a job names that is submitted now. */
function currentOf(where: ContextTable): ContextEntry | null {
  const context = where.current();
  return context === null ? null : where.entryOf(context);
}

/** Of the last context that lay beside arguments. */
let besideId: number;

/** What lies beside the arguments of a job, which take one byte. Null: the job has to name its context. */
function beside(where: ContextTable, context: SeenContext): string | null {
  const bytes = Buffer.alloc(4096);
  const word = where.putBeside(context, bytes, 1);
  if (word === null) return null;
  besideId = Math.floor(word / contextBeside(1, 0));
  return bytes.toString("utf8", 1, 1 + lengthBeside(word));
}

function textOf({ block }: ContextEntry): string {
  return arenas.text(payloads.arenaOf(block), payloads.blockOf(block));
}

/** What has to be there. */
function carrierOf({ pieces }: ContextEntry): string {
  return pieces.join("");
}

function current(value: string): ContextEntry {
  return tenant.run(value, () => currentOf(table)!);
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
    expect(currentOf(table)).toBe(null);
  });

  it("the text of a context lies beside the arguments of its first job, whatever was encoded meanwhile; the next one names it", () => {
    tenant.run("日本", () => {
      const context = table.current()!;
      current("another one");
      const text = beside(table, context);
      expect(beside(table, table.current()!)).toBe(null);
      const entry = currentOf(table)!;
      expect([text, entry.id, table.bytesInUse]).toEqual([carrierOf(entry), besideId, 0]);
    });
  });

  it("encoding the arguments of a job may submit one of the same context, which comes first", () => {
    tenant.run("acme", () => {
      const outer = table.current()!;
      const inner = beside(table, table.current()!);
      expect(beside(table, outer)).toBe(null);
      const entry = table.entryOf(outer);
      table.enter(entry);
      expect([textOf(entry), entry.id]).toEqual([inner, besideId]);
      table.leave(entry);
    });
  });

  it.each([150, 60])("a text for which a slot has no room is named: %i times three bytes", (count) => {
    tenant.run("日".repeat(count), () => {
      expect(beside(table, table.current()!)).toBe(null);
      const entry = enter("日".repeat(count));
      expect([textOf(entry), entry.length]).toEqual([carrierOf(entry), Buffer.byteLength(carrierOf(entry))]);
      table.leave(entry);
    });
  });

  it("a thousand jobs of one request encode it once, and count its bytes once", () => {
    let count = 0;
    onEncode = () => count++;
    const entries = encoded.run("x", () =>
      Array.from({ length: 1000 }, () => {
        const entry = currentOf(table)!;
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
      inner = currentOf(table);
      table.enter(inner!);
    };
    encoded.run("outer", () => {
      const entry = currentOf(table)!;
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
    encoded.run("x", () => expect(() => currentOf(table)).toThrow("no"));
    expect([table.bytesInUse, payloads.sizeBytes]).toEqual(before);
    onEncode = () => {};
    expect(encoded.run("x", () => currentOf(table))).not.toBe(null);
    table.leave(entry);
  });

  it("without jobs in flight it keeps no context alive", async () => {
    const seen = ((): WeakRef<ExecutionContext> =>
      tenant.run("short", () => {
        const other = new AsyncLocal<object>();
        return other.run({}, () => {
          const first = currentOf(table)!;
          table.enter(first);
          table.enter(currentOf(table)!);
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
        const entry = currentOf(table)!;
        table.enter(entry);
        table.leave(entry);
      }
    });
    expect(other.block).not.toBe(0);
  });

  it("a context that jobs of two pools name has an entry in each", () => {
    const second = new ContextTable(payloads);
    tenant.run("acme", () => {
      const [first, again] = [currentOf(table)!, currentOf(second)!];
      expect(again).not.toBe(first);
      expect([currentOf(table), currentOf(second)]).toEqual([first, again]);
      expect([currentOf(table) === first, currentOf(second) === again]).toEqual([true, true]);
    });
  });

  it("a context that jobs always name does not hold a memory that is to go", () => {
    tenant.run("busy", () => {
      const old = currentOf(table)!;
      table.enter(old);
      payloads.free(payloads.allocate(50 * MiB));
      payloads.trim();
      payloads.trim();
      expect(payloads.isCurrent(old.block)).toBe(false);
      const moved = currentOf(table)!;
      table.enter(moved);
      expect([moved.id, moved === old, payloads.isCurrent(moved.block)]).toEqual([old.id, false, true]);
      expect(currentOf(table)).toBe(moved);
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

  const withStore = (store: object): ContextEntry => storage.run(store, () => currentOf(table)!);

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

  it("the first job of a text has it beside its arguments, and leaves nothing; the second one names it", () => {
    const [ann, bob] = [{ user: "ann" }, { user: "bob" }];
    const ids: number[] = [];
    const besides = [ann, bob, ann, { ...bob }].map((store) =>
      storage.run(store, () => {
        const text = beside(table, table.current()!);
        ids.push(besideId);
        return text;
      }),
    );
    expect(besides).toEqual([
      '1s18:context-table.flow14:{"user":"ann"}',
      '1s18:context-table.flow14:{"user":"bob"}',
      null,
      null,
    ]);
    const entry = withStore(ann);
    expect([withStore({ ...ann }), carrierOf(entry)]).toEqual([entry, besides[0]]);
    // A thread that has decoded the first job's text takes the same for all others.
    expect([entry.id, withStore(bob).id]).toEqual(ids.slice(0, 2));
  });

  it.each(["n", "n".repeat(100), "名".repeat(5)])("under any name, texts of any length: %s", (name) => {
    const other = new AsyncLocalStorage<string>();
    using _ = flow(other, { name });
    for (const length of [1, 10, 47, 48, 49, 60]) {
      for (const letter of ["", "x", "é"]) {
        other.run(letter.repeat(length) + length, () => {
          const text = beside(table, table.current()!);
          const entry = currentOf(table)!;
          table.enter(entry);
          expect([text, textOf(entry)]).toEqual([
            Buffer.byteLength(carrierOf(entry)) < 192 ? carrierOf(entry) : null,
            carrierOf(entry),
          ]);
          table.leave(entry);
        });
      }
    }
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
    const both = [table, second, table, second].map((one) => storage.run(store, () => currentOf(one)!));
    expect([both[0] === both[2], both[1] === both[3], both[0] === both[1]]).toEqual([true, true, false]);
    expect(new Set(both.map(carrierOf)).size).toBe(1);
  });

  it("without a store a context is found as ever", () => {
    const plain = enter("acme");
    const stored = tenant.run("acme", () => withStore({ a: 1 }));
    table.enter(stored);
    expect(carrierOf(current("acme"))).toBe(carrierOf(plain));
    expect(carrierOf(stored)).toBe(`${carrierOf(plain)}s18:context-table.flow7:{"a":1}`);
    expect(currentOf(table)).toBe(null);
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
