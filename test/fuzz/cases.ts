/** A case: what is sent, which way, with which options and context. */
import type { RunOptions } from "@skein/pool";
import * as fc from "fast-check";
import { graph, primitive, text } from "../../packages/pool/test/codec/arbitrary-value.ts";
import type { ErrorPlan } from "./fuzz.jobs.ts";

export type Way =
  | "echo"
  | "echoLater"
  | "echoNested"
  | "echoStream"
  | "throwIt"
  | "throwLater"
  | "throwNested"
  | "throwBuilt"
  | "throwBuiltNested"
  | "moveBack";

export interface FuzzCase {
  readonly way: Way;
  readonly value: unknown;
  readonly plan: ErrorPlan;
  readonly local: unknown;
  readonly wire: unknown;
  readonly options: RunOptions;
  readonly pool: 0 | 1;
  /** A thread is ended while the job is under way. */
  readonly kills: boolean;
}

const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: primitive },
  { weight: 3, arbitrary: fc.jsonValue() },
  { weight: 4, arbitrary: graph },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)) },
);

const names = fc
  .oneof(fc.constantFrom("detail", "status", "constructor", "toString", "0", "then"), text)
  .filter((name) => !["name", "message", "stack", "cause", "errors", "code", "__proto__"].includes(name));
/** `then` in a value makes a thenable only when it is a function, which is never cloned. */
const uncloneableNames = names.filter((name) => name !== "then");

const TYPES = [
  "Error",
  "TypeError",
  "RangeError",
  "SyntaxError",
  "EvalError",
  "URIError",
  "ReferenceError",
  "Unregistered",
];

/** @param inner What causes and the members of an AggregateError may be. */
function planOver(inner: fc.Arbitrary<ErrorPlan> | null): fc.Arbitrary<ErrorPlan> {
  return fc.record({
    type: fc.constantFrom(...TYPES, "AggregateError"),
    message: text,
    code: fc.option(fc.oneof(text, fc.integer()), { nil: undefined }),
    properties: fc.uniqueArray(fc.tuple(names, value), { maxLength: 3, selector: ([name]) => name }),
    uncloneable: fc.uniqueArray(uncloneableNames, { maxLength: 2 }),
    cause: inner === null ? fc.constant(undefined) : fc.option(inner, { nil: undefined }),
    errors: inner === null ? fc.constant([]) : fc.array(inner, { maxLength: 2 }),
  });
}

const plan = planOver(planOver(planOver(null)));

/** An AsyncLocal travels as JSON. */
const ambient = fc.oneof(
  fc.constant(undefined),
  fc.string({ unit: "binary", maxLength: 40 }).map((s) => s.toWellFormed()),
  fc.integer(),
  fc.record({ id: fc.string(), tags: fc.array(fc.nat(), { maxLength: 4 }) }),
);

const options: fc.Arbitrary<RunOptions> = fc.record(
  {
    priority: fc.constantFrom("high", "normal", "low"),
    continuations: fc.constantFrom("inline", "asynchronous", "yield"),
    timeoutMs: fc.constant(600_000),
    runTimeoutMs: fc.constant(600_000),
    exclusive: fc.boolean(),
    affinity: fc.constantFrom("a", "b", 1),
    signal: fc.constant(new AbortController().signal),
    onProgress: fc.constant(() => {}),
    flowContext: fc.boolean(),
    onCancel: fc.constantFrom("cooperate", "terminate"),
    graceMs: fc.nat({ max: 1000 }),
  },
  { requiredKeys: [] },
);

export const fuzzCase: fc.Arbitrary<FuzzCase> = fc.record({
  way: fc.constantFrom<Way>(
    "echo",
    "echo",
    "echoLater",
    "echoNested",
    "echoStream",
    "throwIt",
    "throwLater",
    "throwNested",
    "throwBuilt",
    "throwBuilt",
    "throwBuiltNested",
    "moveBack",
  ),
  value,
  plan,
  local: ambient,
  wire: ambient,
  options,
  pool: fc.constantFrom<0 | 1>(0, 1),
  kills: fc.noBias(fc.nat({ max: 2999 })).map((n) => n === 0),
});
