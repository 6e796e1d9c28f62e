/**
 * What must arrive: what structuredClone gives, but for these, which the README of the pool documents.
 *
 * X1  A Buffer arrives as a Buffer; structured clone makes a Uint8Array of it.
 * X2  What a job throws keeps its class (built in or registered; else the nearest such class), `name`, `code`, own properties, `cause`
 *     and `errors`; structured clone drops most of them.
 * X3  Of a thrown error, what cannot be cloned is left out, and its siblings stay; structured clone refuses the whole.
 * X4  `stack` of a thrown error goes on with the frames of the caller.
 * X5  A job that throws null or undefined rejects with an error that says so; any other value arrives as itself.
 */
import { difference } from "../../packages/pool/test/codec/same-graph.ts";
import type { ErrorPlan } from "./fuzz.jobs.ts";

/** @returns what is wrong, or null. */
export function valueProblem(arrived: unknown, sent: unknown): string | null {
  if (Buffer.isBuffer(sent)) return bufferProblem(arrived, sent); // X1
  return difference(arrived, structuredClone(sent)) ?? null;
}

function bufferProblem(arrived: unknown, sent: Buffer): string | null {
  if (!Buffer.isBuffer(arrived)) return `a Buffer arrived as ${Object.prototype.toString.call(arrived)}`;
  return arrived.equals(sent) ? null : "the bytes of a Buffer differ";
}

/** Of an error that was thrown itself, by value. */
export function thrownProblem(arrived: unknown, sent: unknown): string | null {
  if (sent === null || sent === undefined) {
    const { code } = arrived as { code?: unknown };
    return typeof code === "string" && code.startsWith("ERR_SKEIN_")
      ? null
      : `${String(sent)} was thrown, ${String(arrived)} arrived`; // X5
  }
  if (!(sent instanceof Error)) return valueProblem(arrived, sent);
  // An argument arrived in the job as structured clone has it, and was thrown there.
  const copy = structuredClone(sent);
  return errorParts(arrived, copy, "error");
}

function errorParts(arrived: unknown, right: Error, path: string): string | null {
  if (!(arrived instanceof Error)) return `${path} is no error: ${String(arrived)}`;
  if (Object.getPrototypeOf(arrived) !== Object.getPrototypeOf(right))
    return `${path} is a ${arrived.constructor?.name}`;
  if (arrived.name !== right.name) return `${path}.name is ${arrived.name}, not ${right.name}`;
  if (arrived.message !== right.message) return `${path}.message differs`;
  return null;
}

/** X2 and X3: of an error that the job has built. */
export function builtProblem(arrived: unknown, plan: ErrorPlan, path = "error"): string | null {
  const Class =
    plan.type === "Unregistered"
      ? RangeError
      : (globalThis as unknown as Record<string, ErrorConstructor>)[plan.type]!;
  if (!(arrived instanceof Class)) return `${path} is no ${Class.name}: ${String(arrived)}`;
  const error = arrived as Error & Record<string, unknown>;
  const rightName = Class.name;
  if (error.name !== rightName) return `${path}.name is ${error.name}, not ${rightName}`;
  if (error.message !== plan.message) return `${path}.message is ${error.message}, not ${plan.message}`;
  if (error["code"] !== plan.code)
    return `${path}.code is ${String(error["code"])}, not ${String(plan.code)}`;
  const uncloneable = new Set(plan.uncloneable);
  for (const [name, value] of plan.properties) {
    if (uncloneable.has(name)) continue;
    if (!Object.hasOwn(error, name)) return `${path}.${name} is missing`;
    // Errors among properties are errors again, and so carry more than structured clone has.
    if (holdsError(value)) continue;
    const problem = valueProblem(error[name], value);
    if (problem !== null) return `${path}.${name}: ${problem}`;
  }
  for (const name of uncloneable)
    if (Object.hasOwn(error, name)) return `${path}.${name} is there, though it cannot be cloned`;
  if ((plan.cause === undefined) === Object.hasOwn(error, "cause"))
    return `${path}.cause is ${String(error.cause)}`;
  if (plan.cause !== undefined) {
    const problem = builtProblem(error.cause, plan.cause, `${path}.cause`);
    if (problem !== null) return problem;
  }
  if (plan.type !== "AggregateError") return null;
  const { errors } = arrived as AggregateError;
  if (!Array.isArray(errors) || errors.length !== plan.errors.length)
    return `${path}.errors is ${String(errors)}`;
  for (const [i, inner] of plan.errors.entries()) {
    const problem = builtProblem(errors[i], inner, `${path}.errors[${i}]`);
    if (problem !== null) return problem;
  }
  return null;
}

function holdsError(value: unknown, seen: Set<unknown> = new Set()): boolean {
  if (typeof value !== "object" || value === null || seen.has(value)) return false;
  if (value instanceof Error) return true;
  seen.add(value);
  const members: unknown[] =
    value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : [];
  return [...members, ...Object.values(value)].some((member) => holdsError(member, seen));
}
