/** The code of a module alone: comments and the contents of strings, templates and RegExps are spaces, and everything stays in its place. */
import jsTokens from "js-tokens";

/**
 * Every "!" but that of "!=", and but those that come first in a line or behind a comment. The tokenizer knows JavaScript, where an operand follows
 * "!" and "/" begins a RegExp; in TypeScript the operand may be in front of it. Without it, what is in front decides, and is right in both: where
 * "!" means "not", it stands where an operand is due.
 */
const exclamations = /(?<!(?:^#?|\*\/)\s*)!(?!=)/gm;

/** @param mayHoldJsx By the name of its file. */
export function codeAlone(code: string, mayHoldJsx: boolean): string {
  const plain = code.replace(exclamations, " ");
  return (mayHoldJsx ? readingOf(plain, true) : null) ?? readingOf(plain, false)!;
}

/** Null: elements stay open, because a generic function of TypeScript, `<T>(value: T) => …`, was taken for one. */
function readingOf(code: string, jsx: boolean): string | null {
  let alone = "";
  let open = 0;
  let last = "";
  for (const { type, value } of jsTokens(code, { jsx } as { jsx: true })) {
    alone += kept(type, value);
    if (type !== "JSXPunctuator") continue;
    // "<a>", "</a>" or "<a/>".
    if (value === "<") open++;
    else if (value === "/") open -= last === "<" ? 2 : 1;
    last = value;
  }
  return open === 0 ? alone : null;
}

function kept(type: string, value: string): string {
  switch (type) {
    case "StringLiteral":
    case "NoSubstitutionTemplate":
      // One without an end is an apostrophe in the text of an element.
      return value.length > 1 && value.endsWith(value[0]!)
        ? value[0] + " ".repeat(value.length - 2) + value[0]
        : value;
    case "SingleLineComment":
    case "MultiLineComment":
    case "HashbangComment":
    case "TemplateHead":
    case "TemplateMiddle":
    case "TemplateTail":
    case "RegularExpressionLiteral":
    case "JSXText":
    case "JSXString":
      return " ".repeat(value.length);
    default:
      return value;
  }
}
