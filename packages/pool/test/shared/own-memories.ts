/** The memories of one thread that is alone: its home, and as many for payloads as it asks for. */
import { Arena, createArenaMemory } from "../../src/shared/arena.ts";
import { Arenas } from "../../src/shared/arenas.ts";
import { Payloads } from "../../src/shared/payloads.ts";

export function ownMemories(serial: number): { home: Arena; payloads: Payloads; arenas: Arenas } {
  const arenas = new Arenas(() => {});
  let nextId = serial * 1000;
  const create = (isHome: boolean) => {
    const arena = { id: nextId++, serial, isHome, memory: createArenaMemory() };
    arenas.add(arena);
    return arena;
  };
  const home = new Arena(create(true).memory);
  const payloads = new Payloads(create(false), {
    request: () => create(false),
    gone: (id) => arenas.drop(id),
    grown: () => {},
  });
  return { home, payloads, arenas };
}
