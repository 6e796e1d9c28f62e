import { argumentRangeError, argumentTypeError } from "../errors.ts";

/** What one tracing system says about a trace: opaque to the others. */
export interface TracestateMember {
  readonly key: string;
  readonly value: string;
}

/** The members, the most recent first. No key comes twice. */
export type Tracestate = readonly TracestateMember[];

const memberLimit = 32;
const keyShape = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
// Printable ASCII without "," and "=", not ending in a space.
const valueShape = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * The `tracestate` header of W3C Trace Context, Level 2.
 * @see https://www.w3.org/TR/trace-context-2/#tracestate-header
 */
export const tracestate = {
  /** What the header says, or null if any of it is invalid: the specification lets it be dropped as a whole only. */
  parse(text: string): Tracestate | null {
    const members: TracestateMember[] = [];
    const keys = new Set<string>();
    for (const part of text.split(",")) {
      const member = part.replace(/^[ \t]+|[ \t]+$/g, "");
      if (member === "") continue;
      const equals = member.indexOf("=");
      const key = member.slice(0, Math.max(equals, 0));
      const value = member.slice(equals + 1);
      if (!keyShape.test(key) || !valueShape.test(value) || keys.has(key)) return null;
      keys.add(key);
      members.push({ key, value });
      if (members.length > memberLimit) return null;
    }
    return members;
  },

  /**
   * The header; empty for no members.
   * @throws TypeError if a key or value has the wrong form, or a key comes twice.
   * @throws RangeError for more than 32 members.
   */
  format(value: Tracestate): string {
    if (value.length > memberLimit)
      throw argumentRangeError("members", `at most ${memberLimit}`, value.length);
    const keys = new Set<string>();
    return value
      .map((member) => {
        if (!keyShape.test(member.key)) throw argumentTypeError("key", "a tracestate key", member.key);
        if (!valueShape.test(member.value))
          throw argumentTypeError("value", "a tracestate value", member.value);
        if (keys.has(member.key)) throw argumentTypeError("key", "a key that comes once", member.key);
        keys.add(member.key);
        return `${member.key}=${member.value}`;
      })
      .join(",");
  },
};
