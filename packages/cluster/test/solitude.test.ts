import { expect, it } from "vitest";
import { Solitude } from "../src/solitude.ts";

function start() {
  const seen: string[] = [];
  const solitude = new Solitude({ close: () => seen.push("close"), open: () => seen.push("open") });
  return { solitude, seen };
}

it("a job that is to be alone waits for those that run; nobody else begins until it has ended", async () => {
  const { solitude, seen } = start();
  const [a, lone] = [{}, {}];
  expect(solitude.enter()).toBe(true);
  const entered = solitude.enterAlone(lone).then((isIn) => seen.push(`alone ${isIn}`));
  expect(solitude.enter()).toBe(false);
  expect(await solitude.enterAlone({})).toBe(false);
  expect(seen).toEqual(["close"]);
  solitude.leave(a);
  await entered;
  expect(solitude.enter()).toBe(false);
  solitude.leave(lone);
  expect(seen).toEqual(["close", "alone true", "open"]);
  expect(solitude.enter()).toBe(true);
});

it("a job that is to be alone waits until what came with it is back in the store", async () => {
  const { solitude, seen } = start();
  const { promise: back, resolve } = Promise.withResolvers<void>();
  const entered = solitude.enterAlone({}).then(() => seen.push("alone"));
  // As it comes from the store a moment later.
  const away = solitude.turnAway(() => back.then(() => seen.push("back")));
  await new Promise((each) => setImmediate(() => setImmediate(each)));
  resolve();
  await Promise.all([entered, away]);
  expect(seen).toEqual(["close", "back", "alone"]);
});

it("a job that is alone does not wait for those that wait for the cluster, and is not alone when it waits itself", async () => {
  const { solitude, seen } = start();
  const [parent, lone] = [{}, {}];
  solitude.enter();
  solitude.wait(parent);
  expect(await solitude.enterAlone(lone)).toBe(true);
  solitude.wait(lone);
  expect(seen).toEqual(["close", "open"]);
  expect(solitude.enter()).toBe(true);
  solitude.leave({});
  solitude.proceed();
  solitude.leave(lone);
  solitude.proceed();
  solitude.leave(parent);
  expect(await solitude.enterAlone({})).toBe(true);
});
