import { describe, expect, it } from "vitest";
import * as batching from "@skein/batching";
import * as cluster from "@skein/cluster";
import * as context from "@skein/context";
import { errorClassName } from "@skein/context/errors";
import * as pool from "@skein/pool";
import { fromWire, toWire } from "@skein/pool/engine";
import * as scheduling from "@skein/scheduling";

type ErrorClass = new (...args: never[]) => Error;

const classes = [batching, cluster, context, pool, scheduling]
  .flatMap((exported) => Object.entries<unknown>(exported))
  .filter(
    (entry): entry is [string, ErrorClass] =>
      typeof entry[1] === "function" && (entry[1].prototype as unknown) instanceof Error,
  );

describe("error classes", () => {
  it.each(classes)("%s names itself, so that no minifier changes what users see", (name, errorClass) => {
    expect(errorClassName(errorClass)).toBe(name);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an error's prototype is like one.
    expect([name, "AbortError"]).toContain((errorClass.prototype as Error).name);
  });

  it.each(classes)("%s arrives as itself, of whatever package it is", (_, errorClass) => {
    const arrived = fromWire(toWire(Reflect.construct(Error, ["m"], errorClass)));
    expect(arrived).toBeInstanceOf(errorClass);
    expect(errorClassName((arrived as Error).constructor as ErrorClass)).toBe(errorClassName(errorClass));
  });
});
