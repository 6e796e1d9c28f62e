import { describe, expect, it } from "vitest";
import { createLayout, INLINE_BYTES } from "../../src/shared/layout.ts";
import {
  CONTEXT_IN_SLOT,
  INLINE,
  MAX_NUMBERS,
  NUMBERS,
  OUTCOME_ERROR,
} from "../../src/shared/slot-fields.ts";
import { DONE, FREE, QUEUED, RUNNING, SlotTable } from "../../src/shared/slot.ts";

function create(): SlotTable {
  const layout = createLayout(4, 2, 2);
  return new SlotTable(new SharedArrayBuffer(layout.slotsBytes), layout);
}

/** A published job whose entry lies at `position`. */
function queued(position = 5): SlotTable {
  const slots = create();
  slots.describeJob(1, 77, 78, 79, 80);
  slots.words[slots.ticketWord(1)] = position;
  slots.publish(1);
  return slots;
}

describe("SlotTable", () => {
  it("smoke: a job goes from free to queued to running to done to free", () => {
    const slots = queued();
    expect(slots.state(1)).toBe(QUEUED);
    expect(slots.claim(1, 5, 1)).toBe(true);
    expect([slots.state(1), slots.owner(1)]).toEqual([RUNNING, 1]);
    slots.finish(1, 1);
    expect([slots.state(1), slots.owner(1)]).toEqual([DONE, 1]);
    slots.release(1);
    expect(slots.state(1)).toBe(FREE);
    expect(slots.state(0)).toBe(FREE);
  });

  it("a job is claimed once", () => {
    const slots = queued();
    expect([slots.claim(1, 5, 0), slots.claim(1, 5, 1)]).toEqual([true, false]);
    expect(slots.owner(1)).toBe(0);
  });

  it("a withdrawn job cannot be claimed, a claimed one not withdrawn", () => {
    const withdrawn = queued();
    expect([withdrawn.withdraw(1), withdrawn.claim(1, 5, 0)]).toEqual([true, false]);
    expect(withdrawn.state(1)).toBe(FREE);
    const claimed = queued();
    expect([claimed.claim(1, 5, 0), claimed.withdraw(1)]).toEqual([true, false]);
    expect(claimed.state(1)).toBe(RUNNING);
  });

  it("nothing but a queued job can be claimed or withdrawn", () => {
    const slots = queued();
    slots.claim(1, 5, 0);
    slots.finish(1, 0);
    expect([slots.claim(1, 5, 1), slots.withdraw(1)]).toEqual([false, false]);
    slots.release(1);
    expect([slots.claim(1, 5, 1), slots.withdraw(1)]).toEqual([false, false]);
  });

  it("a job that is assigned to one thread can be neither claimed nor withdrawn", () => {
    const slots = create();
    slots.describeJob(1, 7, 0, 0, 0);
    slots.words[slots.ticketWord(1)] = 5;
    slots.assign(1, 3);
    expect([slots.state(1), slots.owner(1)]).toEqual([RUNNING, 3]);
    expect([slots.claim(1, 5, 2), slots.withdraw(1)]).toEqual([false, false]);
    slots.finish(1, 3);
    expect([slots.state(1), slots.owner(1)]).toEqual([DONE, 3]);
  });

  for (const position of [0, 2 ** 31 - 1, -(2 ** 31), -1]) {
    it(`a stale entry does not lead to the job: ticket ${position}`, () => {
      const slots = queued(position);
      expect(slots.claim(1, (position + 1) | 0, 0)).toBe(false);
      expect(slots.claim(1, (position - 1) | 0, 0)).toBe(false);
      expect(slots.state(1)).toBe(QUEUED);
      expect(slots.claim(1, position, 0)).toBe(true);
    });
  }

  it("keeps the serial of the thread beside the state", () => {
    for (const thread of [0, 1, 255, 4095, 2 ** 29 - 1]) {
      const slots = queued();
      slots.claim(1, 5, thread);
      expect([slots.state(1), slots.owner(1)]).toEqual([RUNNING, thread]);
    }
  });

  it("a request to cancel lasts until the next job of the slot", () => {
    const slots = queued();
    expect(slots.isCancelRequested(1)).toBe(false);
    slots.requestCancel(1);
    expect(slots.isCancelRequested(1)).toBe(true);
    expect(slots.isCancelRequested(0)).toBe(false);
    slots.describeJob(1, 1, 0, 0, 0);
    expect(slots.isCancelRequested(1)).toBe(false);
  });

  it("keeps numbers as they are, apart from its neighbours", () => {
    const slots = create();
    const numbers = Array.from({ length: MAX_NUMBERS }, (_, i) => i * 1.5);
    numbers.splice(0, 5, -0, NaN, Infinity, 2 ** 53, Number.MIN_VALUE);
    slots.bytes.fill(0xaa);
    slots.setNumbers(1, numbers);
    expect([slots.payloadArena(1), slots.payloadLength(1)]).toEqual([NUMBERS, MAX_NUMBERS]);
    expect(slots.numbers(1)).toEqual(numbers);
    expect(slots.functionId(2)).toBe(0x2aa * 2 ** 32 + 0xaaaaaaaa);
    slots.setNumbers(1, []);
    expect(slots.numbers(1)).toEqual([]);
  });

  it("keeps inline payloads of every length apart from its neighbours", () => {
    for (const length of [0, 1, 31, 32, 33, INLINE_BYTES]) {
      const slots = create();
      const source = Uint8Array.from({ length: INLINE_BYTES + 10 }, (_, i) => i + 1);
      slots.setInlinePayload(1, source, length);
      expect([slots.payloadArena(1), slots.payloadLength(1)]).toEqual([INLINE, length]);
      const offset = slots.inlineOffset(1);
      expect(offset % 64).toBe(0);
      expect(slots.bytes.slice(offset, offset + length)).toEqual(source.slice(0, length));
      expect(slots.bytes.slice(offset + length).every((byte) => byte === 0)).toBe(true);
      expect(slots.state(2)).toBe(FREE);
    }
  });

  it("keeps what is said of a job in words of its own", () => {
    const slots = queued();
    slots.setContext(1, 3, 4, 5);
    slots.setArenaPayload(1, 7, 8, 9);
    slots.setOutcome(1, OUTCOME_ERROR);
    slots.words[slots.nextWord(1)] = 10;
    expect([
      slots.functionId(1),
      slots.functionBlock(1),
      slots.progressId(1),
      slots.submittedAt(1),
      slots.contextId(1),
      slots.contextArena(1),
      slots.contextBlock(1),
      slots.payloadArena(1),
      slots.payloadBlock(1),
      slots.payloadLength(1),
      slots.outcome(1),
      slots.ticket(1),
      slots.state(1),
    ]).toEqual([77, 78, 79, 80, 3, 4, 5, 7, 8, 9, OUTCOME_ERROR, 5, QUEUED]);
    slots.describeJob(1, 2, 3);
    expect([slots.functionId(1), slots.functionBlock(1)]).toEqual([2, 3]);
    expect([slots.progressId(1), slots.submittedAt(1), slots.contextId(1)]).toEqual([0, 0, 0]);
  });

  it("keeps a context that lies behind the payload apart from that, and from the neighbours", () => {
    for (const [text, start] of [
      ["x", INLINE_BYTES - 1],
      ["日本", 0],
      ["y".repeat(INLINE_BYTES), 0],
      ["z", 3],
    ] as const) {
      const slots = create();
      const length = Buffer.byteLength(text);
      const source = new Uint8Array(INLINE_BYTES + 1).fill(0xbb);
      Buffer.from(text).copy(source, start);
      slots.bytes.fill(0xaa);
      slots.describeJob(1, 2, 3);
      slots.setInlinePayload(1, source, start, length);
      slots.setContextInSlot(1, 2 ** 40, start, length);
      expect([slots.contextId(1), slots.contextArena(1)]).toEqual([2 ** 40, CONTEXT_IN_SLOT]);
      const at = slots.contextOffset(1);
      expect(Buffer.from(slots.bytes.slice(at, at + slots.contextLength(1))).toString()).toBe(text);
      expect([slots.payloadArena(1), slots.payloadLength(1)]).toEqual([INLINE, start]);
      const offset = slots.inlineOffset(1);
      expect(slots.bytes.slice(offset, offset + start).every((byte) => byte === 0xbb)).toBe(true);
      expect(slots.functionId(2)).toBe(0x2aa * 2 ** 32 + 0xaaaaaaaa);
    }
  });

  it.each([
    { fn: 0, context: 1, at: 1 },
    { fn: 2 ** 31, context: 2 ** 31, at: 2 ** 31 },
    { fn: 2 ** 32 - 1, context: 2 ** 32 - 1, at: 2 ** 32 - 1 },
    { fn: 2 ** 32, context: 2 ** 32, at: 2 ** 32 },
    { fn: 2 ** 42 - 1, context: 1, at: 1 },
    { fn: 1, context: 2 ** 43 - 1, at: 1 },
    { fn: 1, context: 1, at: 2 ** 43 - 1 },
    { fn: 2 ** 42 - 1, context: 2 ** 43 - 1, at: 2 ** 43 - 1 },
  ])("numbers and times have more than 32 bits: %o", ({ fn, context, at }) => {
    const slots = create();
    slots.describeJob(1, 2 ** 42 - 1, 1, 1, 2 ** 43 - 1);
    slots.setContext(1, 2 ** 43 - 1, 1, 1);
    slots.describeJob(1, fn, 3, 4, at);
    expect(slots.contextId(1)).toBe(0);
    slots.setContext(1, context, 5, 6);
    expect([slots.functionId(1), slots.contextId(1), slots.submittedAt(1)]).toEqual([fn, context, at]);
  });
});
