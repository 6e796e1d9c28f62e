/** Jobs that run before another one, which takes their results. */
import { argumentRangeError, argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import {
  decodeValue,
  encodeValue,
  type FunctionSource,
  type Job,
  type SubmitOptions,
} from "@skein/pool/engine";
import { encodeText } from "./codec/text.ts";
import { type ExportSource, MAX_CHILDREN } from "./wire.ts";

/** A job that has to end before its parent runs. */
export interface FlowChild<R = unknown> {
  readonly job: Job<never[], R>;
  readonly args?: readonly unknown[] | undefined;
  /** Those that have to end before this one: their results are its last argument. @default none, and no such argument */
  readonly children?: readonly FlowChild[] | undefined;
}

const names: OptionNames<FlowChild> = { job: true, args: true, children: true };

/** The same, on its way. */
export interface EncodedChild {
  readonly source: ExportSource;
  readonly options: SubmitOptions;
  /** codec/text.ts. */
  readonly args: string;
  /** Null: it has no children. */
  readonly children: readonly EncodedChild[] | null;
}

/** What a child's job stands for. */
export interface ChildJob {
  readonly source: FunctionSource;
  /** Of the flow; and where that says nothing, of the job's module. */
  readonly options: SubmitOptions;
}

/** With all below them. */
export function countOf(children: readonly EncodedChild[]): number {
  return children.reduce((count, child) => count + countOf(child.children ?? []), children.length);
}

/**
 * @param jobOf What is given as a job. @param path What the children are called in errors.
 * @throws TypeError for what is no child, RangeError for more than 10,000 of one parent, NotCloneableError with the path of what only memory can carry
 */
export function encodeChildren(
  children: unknown,
  jobOf: (job: unknown) => ChildJob,
  path = "children",
): readonly EncodedChild[] {
  if (!Array.isArray(children)) throw argumentTypeError(path, "a list of { job, args, children }", children);
  if (children.length > MAX_CHILDREN)
    throw argumentRangeError(`${path}.length`, `at most ${MAX_CHILDREN}`, children.length);
  return (children as readonly FlowChild[]).map((child, index) => {
    const at = `${path}[${index}]`;
    if (typeof child !== "object" || child === null)
      throw argumentTypeError(at, "{ job, args, children }", child);
    const { job, args = [], children: its } = ownOptions(child, names, at);
    if (!Array.isArray(args)) throw argumentTypeError(`${at}.args`, "an array of arguments", args);
    const { source, options } = jobOf(job);
    if (source.kind !== "export") throw argumentTypeError(`${at}.job`, "a job of a module", job);
    return {
      source,
      options,
      // As those of a call: what a clone is, and what is none.
      args: encodeText(decodeValue(encodeValue(args, `${at}.args`).value), `${at}.args`),
      children: its === undefined ? null : encodeChildren(its, jobOf, `${at}.children`),
    };
  });
}
