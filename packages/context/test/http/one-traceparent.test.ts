/** With the real instrumentation of OpenTelemetry, and the `fetch` of this Node: in a program of its own, as it would be. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("../fixtures/fetch-beside-opentelemetry.ts", import.meta.url));
const { stdout, stderr } = spawnSync(process.execPath, [script], {
  encoding: "utf8",
});

describe("fetch with contextHeaders", () => {
  const own = ["traceparent: 00-11111111111111111111111111111111-2222222222222222-01", "tracestate: ours=1"];
  const given = [
    "tracestate: given=1",
    "traceparent: 00-33333333333333333333333333333333-4444444444444444-01",
  ];
  const theirs = ["traceparent: theirs", "tracestate: theirs=1"];
  const ofSpan = [expect.stringMatching(/^traceparent: 00-(?!1{32})[0-9a-f]{32}-[0-9a-f]{16}-01$/)];

  it.each([
    ["its own traceparent where nobody adds one", "alone", own],
    ["its own where OpenTelemetry's instrumentation has no span", "besideAnIdleOne", own],
    [
      "that of OpenTelemetry's span alone, without the tracestate of another trace",
      "beside",
      [ofSpan, ofSpan],
    ],
    ["the last one, whoever added it and whenever they began to listen", "besideAnother", [theirs, theirs]],
    ["the only one with its tracestate, though that comes first", "givenAlone", given],
  ])("sends %s", (_, situation, right) => {
    expect(stderr).not.toContain("Error");
    expect((JSON.parse(stdout) as Record<string, unknown>)[situation]).toEqual(right);
  });
});
