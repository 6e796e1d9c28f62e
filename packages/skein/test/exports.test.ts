import * as batching from "@skein/batching";
import * as context from "@skein/context";
import * as pool from "@skein/pool";
import * as scheduling from "@skein/scheduling";
import * as skein from "skein";
import { expect, test } from "vitest";

test("skein exports every name of the four packages, and each with one meaning", () => {
  const exported: Readonly<Record<string, unknown>> = { ...skein };
  const packages: readonly Readonly<Record<string, unknown>>[] = [batching, context, scheduling, pool];
  // Of a name that several have, the pool's is meant.
  expect(exported).toEqual(Object.assign({}, ...packages));
  expect(exported["NotCloneableError"]).toBe(pool.NotCloneableError);
});
