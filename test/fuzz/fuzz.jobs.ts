import { AsyncLocal } from "@skein/context";
import { type Job, move, ThreadPool } from "@skein/pool";
import { jobModule } from "@skein/pool/engine";
import { InlineEngine } from "@skein/pool/inline";

export const local = new AsyncLocal<unknown>({ name: "fuzz.local", flow: "thread" });
export const wire = new AsyncLocal<unknown>({ name: "fuzz.wire", flow: "wire" });

/** What came in, and the context in which it did. */
export interface Echo {
  readonly value: unknown;
  readonly local: unknown;
  readonly wire: unknown;
}

export function echo(value: unknown): Echo {
  return { value, local: local.value, wire: wire.value };
}

export async function echoLater(value: unknown): Promise<Echo> {
  await Promise.resolve();
  return echo(value);
}

export async function* echoStream(values: AsyncIterable<unknown>): AsyncGenerator<Echo> {
  for await (const value of values) yield echo(value);
}

export function throwIt(value: unknown): never {
  throw value;
}

export async function throwLater(value: unknown): Promise<never> {
  await Promise.resolve();
  throw value;
}

interface Own {
  echo(value: unknown): Echo;
  throwIt(value: unknown): never;
  throwBuilt(plan: ErrorPlan): never;
}
const own = jobModule<Own>(import.meta.url);
let inline: InlineEngine | null = null;

/** A job of this job: across the codec four times. On an engine that is no pool it runs beside it. */
function nested<A, R>(fn: (arg: A) => R, job: Job<[A], R>, arg: A): PromiseLike<Awaited<R>> {
  const pool = ThreadPool.current;
  // A pool's thread knows the function by its identity.
  return pool === null ? (inline ??= new InlineEngine()).run(job, [arg]) : pool.run(fn, [arg]);
}

export function echoNested(value: unknown): PromiseLike<unknown> {
  return nested(echo, own.echo, value);
}

export function throwNested(value: unknown): PromiseLike<never> {
  return nested(throwIt, own.throwIt, value);
}

/** Rejects with an error that is built here, since errors among arguments arrive as structured clone has them. */
export function throwBuilt(plan: ErrorPlan): never {
  throw buildError(plan);
}

export function throwBuiltNested(plan: ErrorPlan): PromiseLike<never> {
  return nested(throwBuilt, own.throwBuilt, plan);
}

export function moveBack(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return move(bytes, [bytes.buffer]);
}

/** How to build an error, on either side. */
export interface ErrorPlan {
  readonly type: string;
  readonly message: string;
  readonly code: string | number | undefined;
  readonly properties: readonly (readonly [name: string, value: unknown])[];
  /** Names of properties that cannot be cloned; they must not take the others along. */
  readonly uncloneable: readonly string[];
  readonly cause: ErrorPlan | undefined;
  readonly errors: readonly ErrorPlan[];
}

export class Unregistered extends RangeError {}

const constructors: Readonly<Record<string, new (message: string) => Error>> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  EvalError,
  URIError,
  ReferenceError,
  Unregistered,
};

export function buildError(plan: ErrorPlan): Error {
  const error =
    plan.type === "AggregateError"
      ? new AggregateError(plan.errors.map(buildError), plan.message)
      : new constructors[plan.type]!(plan.message);
  if (plan.code !== undefined) Object.assign(error, { code: plan.code });
  const set = (name: string, value: unknown): void =>
    void Object.defineProperty(error, name, { value, enumerable: true, configurable: true, writable: true });
  for (const [name, value] of plan.properties) set(name, value);
  for (const name of plan.uncloneable) set(name, () => name);
  if (plan.cause !== undefined) error.cause = buildError(plan.cause);
  return error;
}
