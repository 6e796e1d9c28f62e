import { expect, it } from "vitest";
import { ReplyCheck } from "../../src/service/reply-check.ts";

const digests = [11, 22];
const light = JSON.stringify({ id: "a", items: [] });
const heavy = JSON.stringify({ id: "a", digest: 22 });

it("the right id and content are no fault", () => {
  const check = new ReplyCheck(digests);
  check.reply(200, light, "a", null);
  check.reply(200, heavy, "a", 1);
  expect(check.faults).toEqual({ mismatches: 0, errors: 0, firstError: null });
});

it("another id, or none, is a mismatch", () => {
  const check = new ReplyCheck(digests);
  check.reply(200, light, "b", null);
  check.reply(200, heavy, "b", 1);
  check.reply(200, JSON.stringify({ digest: 22 }), "a", 1);
  expect(check.faults).toMatchObject({ mismatches: 3, errors: 0 });
});

it("a wrong digest, a reply of the other kind, another status and what is not JSON are errors; the first is kept", () => {
  const check = new ReplyCheck(digests);
  check.reply(200, heavy, "a", 0);
  check.reply(200, heavy, "a", null);
  check.reply(200, light, "a", 1);
  check.reply(500, "boom", "a", null);
  check.reply(200, "<html>", "a", null);
  expect(check.faults).toEqual({
    mismatches: 0,
    errors: 5,
    firstError: "digest 22 instead of 11",
  });
});
