import { jobLabel } from "../codec/job-of-error.ts";
import { type FunctionSource, isOfEach, shownAs } from "./function-source.ts";

const NAME_LENGTH = 80;

/** As it is shown: an export by its name, or that of what it stands for, a function that is shipped by its own name or the beginning of its source. */
export function nameOf(source: FunctionSource): string {
  return isOfEach(source) ? `${plainNameOf(source)} (chunk)` : plainNameOf(source);
}

/** The same with its module, for errors. */
export function labelOf(source: FunctionSource): string {
  return jobLabel(nameOf(source), shownAs(source).url ?? undefined);
}

function plainNameOf(source: FunctionSource): string {
  if (source.kind === "export") return shownAs(source).name!;
  const [, name] = /^\((?:async\s+)?function\s*([\w$]+)/.exec(source.source) ?? [];
  if (name !== undefined) return name;
  const text = source.source.replace(/^\((.*)\)$/s, "$1").replaceAll(/\s+/g, " ");
  return text.length > NAME_LENGTH ? `${text.slice(0, NAME_LENGTH - 1)}…` : text;
}
