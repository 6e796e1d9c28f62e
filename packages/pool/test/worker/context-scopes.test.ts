import { AsyncLocal, AsyncScope } from "@skein/context";
import { beforeEach, describe, expect, it } from "vitest";
import { NO_JOB } from "../../src/shared/job-queues.ts";
import { HOST_SERIAL } from "../../src/shared/pool-memory.ts";
import { CONTEXT_IN_SLOT } from "../../src/shared/slot-fields.ts";
import { ContextScopes } from "../../src/worker/context-scopes.ts";
import { PlayedPool, serialOf } from "../submit/played-pool.ts";

const tenant = new AsyncLocal<string>({ name: "context-scopes.tenant", flow: "thread" });

let pool: PlayedPool;
let scopes: ContextScopes;

beforeEach(() => {
  pool = new PlayedPool();
  scopes = new ContextScopes(pool.memories[1]!, pool.parts.get(HOST_SERIAL)!.arenas);
});

function submit(value: string, args: readonly unknown[] = [value], retries = 0): void {
  tenant.run(value, () => pool.submit(args, { retries }));
}

/** What thread 0 sees in the jobs that wait. They run if `ends` says so; otherwise they stay with the thread. */
function seen(ends = true): (string | undefined)[] {
  const values: (string | undefined)[] = [];
  for (let slot = pool.take(0); slot !== NO_JOB; slot = pool.take(0)) {
    const value = scopes
      .of(slot)
      ?.get()
      .run(() => tenant.value);
    expect(pool.argumentsIn(slot)).toContain(value ?? "none");
    values.push(value);
    if (ends) pool.run(0, slot, "x".repeat(180));
  }
  pool.submitter.ledger.drain();
  return values;
}

const names = Array.from({ length: 10 }, (_, i) => `tenant ${i}`);

describe("ContextScopes", () => {
  it("jobs have their own context, those that wait for a slot too", () => {
    for (const name of names) submit(name);
    pool.submit(["none"]);
    const values: (string | undefined)[] = [];
    while (pool.submitter.ledger.outstanding > 0) values.push(...seen());
    expect(values).toEqual([...names, undefined]);
  });

  it("so has a job that runs again after its thread has died with half an outcome written", () => {
    for (const name of names.slice(0, 4)) submit(name, [name], 1);
    const slot = pool.take(0);
    pool.writeOutcome(0, slot, "y".repeat(180));
    expect(seen(false)).toEqual(names.slice(1, 4));
    pool.recover(0);
    expect(seen()).toEqual(names.slice(0, 4));
  });

  it("so have jobs that move on because their thread leaves before it has begun them", () => {
    // The last one is in no slot yet.
    const moving = names.slice(0, pool.homes.maxSlots + 1);
    for (const name of moving)
      tenant.run(name, () => pool.submit([name], { placement: { kind: "affinity", key: "1" } }));
    pool.homes.gone.add(1);
    pool.submitter.ledger.closeHome(serialOf(1));
    const values: (string | undefined)[] = [];
    while (pool.submitter.ledger.outstanding > 0) values.push(...seen());
    expect(values).toEqual(moving);
  });

  it("a text that is long, or beside long arguments, is read from the arena", () => {
    const long = "l".repeat(300);
    submit(long, [long]);
    submit("beside", ["beside".padEnd(170)]);
    submit("beside larger ones", ["beside larger ones", "x".repeat(1000)]);
    const inSlot = [0, 1, 2].map((slot) => pool.host.slots.contextArena(slot) === CONTEXT_IN_SLOT);
    expect(inSlot).toEqual([false, false, false]);
    expect(seen()).toEqual([long, "beside", "beside larger ones"]);
  });

  it("jobs of one context share a scope, wherever its text lies", () => {
    const own = tenant.run("acme", () => {
      for (let i = 0; i < 3; i++) pool.submit(["acme"]);
      return [0, 1, 2].map(() => pool.take(0));
    });
    const { slots } = pool.host;
    expect(own.map((slot) => slots.contextArena(slot) === CONTEXT_IN_SLOT)).toEqual([true, false, false]);
    const [first, second, third] = own.map((slot) => scopes.of(slot));
    expect([second === first, third === first]).toEqual([true, true]);
    scopes.forget();
    expect(scopes.of(own[1]!)).not.toBe(first);
    const again = scopes.of(own[1]!);
    scopes.drop(HOST_SERIAL + 1);
    expect(scopes.of(own[1]!)).toBe(again);
    scopes.drop(HOST_SERIAL);
    expect(scopes.of(own[1]!)).not.toBe(again);
  });

  it("what is long pushes out what was before", () => {
    const inside = tenant.run("kept", () => AsyncScope.capture());
    const scopeOfOne = (): unknown => {
      inside.run(() => pool.submit(["kept"]));
      const slot = pool.take(0);
      const scope = scopes.of(slot);
      pool.run(0, slot, null);
      pool.submitter.ledger.drain();
      return scope;
    };
    const kept = scopeOfOne();
    expect(scopeOfOne()).toBe(kept);
    for (let i = 0; i < 40; i++) {
      const long = `${i}`.padEnd(10_000);
      submit(long, [long]);
      seen();
    }
    expect(scopeOfOne()).not.toBe(kept);
  });
});
