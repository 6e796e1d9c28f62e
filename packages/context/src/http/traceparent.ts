import { argumentTypeError } from "../errors.ts";

/** Where a request is in a distributed trace. */
export interface Traceparent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** The caller's span: 16 lower-case hex digits, not all zero. */
  readonly parentId: string;
  /** The caller may have recorded this trace. */
  readonly sampled: boolean;
  /** At least the last 7 bytes of `traceId` are random (Level 2). */
  readonly random: boolean;
}

const sampledFlag = 0x01;
const randomFlag = 0x02;
const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const traceIdShape = /^[0-9a-f]{32}$/;
const parentIdShape = /^[0-9a-f]{16}$/;
const allZeros = /^0+$/;

/**
 * The `traceparent` header of W3C Trace Context, Level 2.
 * @see https://www.w3.org/TR/trace-context-2/#traceparent-header
 */
export const traceparent = {
  /**
   * What the header says, or null if it is invalid: then the caller starts a new trace, and ignores `tracestate` too.
   * A version later than 00 is read as 00, as the specification asks.
   */
  parse(text: string): Traceparent | null {
    const parts = shape.exec(text);
    if (parts === null) return null;
    const [, version = "", traceId = "", parentId = "", flags = "", rest] = parts;
    if (version === "ff" || (version === "00" && rest !== undefined)) return null;
    if (allZeros.test(traceId) || allZeros.test(parentId)) return null;
    const bits = Number.parseInt(flags, 16);
    return { traceId, parentId, sampled: (bits & sampledFlag) !== 0, random: (bits & randomFlag) !== 0 };
  },

  /**
   * The header, version 00. Flags that Level 2 does not define are sent as zero.
   * @throws TypeError if an id has the wrong form.
   */
  format(value: Traceparent): string {
    const { traceId, parentId, sampled, random } = value;
    if (!traceIdShape.test(traceId) || allZeros.test(traceId)) {
      throw argumentTypeError("traceId", "32 lower-case hex digits, not all zero", traceId);
    }
    if (!parentIdShape.test(parentId) || allZeros.test(parentId)) {
      throw argumentTypeError("parentId", "16 lower-case hex digits, not all zero", parentId);
    }
    const flags = (sampled ? sampledFlag : 0) | (random ? randomFlag : 0);
    return `00-${traceId}-${parentId}-0${flags}`;
  },
};
