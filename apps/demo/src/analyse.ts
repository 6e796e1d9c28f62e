/** Reads and measures one file. Knows nothing of threads: what may stop it comes in as a function. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import type {
  AnalysisOptions,
  Bodies,
  DeepFile,
  FileReport,
  FunctionRecord,
  OmittedFile,
  ParsedFile,
} from "./file-report.ts";
import { describeFileError, formatBytes } from "./wording.ts";
import { readSource } from "./grammar.ts";
import { LineTable } from "./line-table.ts";
import { surveyFunctions } from "./survey.ts";
import type { SurveyedFunction } from "./survey.ts";

const PROBLEMS_SHOWN = 5;
/** What the walk saw as a file may be a link or a pipe by now. Windows has neither flag. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** @param poll called now and then; what it throws ends the analysis and is thrown on. */
export function analyse(path: string, options: AnalysisOptions, poll: () => void): FileReport | DeepFile {
  let text: string;
  let bytes = 0;
  try {
    const descriptor = openSync(path, FLAGS);
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) return { kind: "unreadable", bytes, message: "unreadable: not a regular file" };
      bytes = stat.size;
      if (bytes > options.maxFileBytes) return tooLarge(bytes, options.maxFileBytes);
      text = readFileSync(descriptor, "utf8");
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return { kind: "unreadable", bytes, message: `unreadable: ${describeFileError(error)}` };
  }
  poll();
  try {
    return measure(path, text, bytes, options, poll);
  } catch (error) {
    if (error instanceof RangeError) return { kind: "deep" };
    throw error;
  }
}

export function tooLarge(bytes: number, limit: number): OmittedFile {
  return { kind: "skipped", bytes, message: `skipped: ${formatBytes(bytes)}, limit ${formatBytes(limit)}` };
}

/** The report of a text, as if it were the content of `path`. */
export function measure(
  path: string,
  text: string,
  bytes: number,
  options: AnalysisOptions,
  poll: () => void,
): ParsedFile {
  const reading = readSource(path, text);
  poll();
  const lines = new LineTable(text);
  const functions = reading.program === null ? [] : surveyFunctions(reading.program, poll);
  const records = functions.map((surveyed) => recordOf(surveyed, lines));
  return {
    kind: "parsed",
    bytes,
    lines: lines.count,
    functions: functions.length,
    complexity: functions.reduce((sum, { complexity }) => sum + complexity, 0),
    notable: notableAmong(records, options.top),
    bodies: bodiesOf(functions, records, options.minNodes),
    problemCount: reading.problems.length,
    problems: reading.problems.slice(0, PROBLEMS_SHOWN),
  };
}

function recordOf({ name, start, end, complexity }: SurveyedFunction, lines: LineTable): FunctionRecord {
  const line = lines.lineAt(start);
  return { name, line, lines: lines.lineAt(Math.max(start, end - 1)) - line + 1, complexity };
}

function notableAmong(records: FunctionRecord[], top: number): FunctionRecord[] {
  if (records.length <= top) return records;
  // Sorting is stable: of equals, the earlier one is kept.
  const longest = records.toSorted((a, b) => b.lines - a.lines).slice(0, top);
  const complex = records.toSorted((a, b) => b.complexity - a.complexity).slice(0, top);
  const chosen = new Set([...longest, ...complex]);
  return records.filter((record) => chosen.has(record));
}

function bodiesOf(functions: SurveyedFunction[], records: FunctionRecord[], minNodes: number): Bodies {
  let hashes = "";
  const marks: number[] = [];
  const names: string[] = [];
  // A function is at least as large as those inside it, so the enclosing one is in the list whenever the inner one is.
  const positions: number[] = [];
  for (const [index, { nodes, fingerprint, parent }] of functions.entries()) {
    if (nodes < minNodes) continue;
    const { name, line, lines } = records[index]!;
    positions[index] = names.length;
    hashes += fingerprint.toString();
    marks.push(line, lines, nodes, positions[parent] ?? -1);
    names.push(name);
  }
  return { hashes, marks, names };
}
