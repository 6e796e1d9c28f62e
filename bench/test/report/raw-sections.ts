/** Raw sections made up for tests. */
import type { Fingerprint } from "../../src/method/fingerprint.ts";
import type { RawContender, RawScenario, RawSection } from "../../src/method/raw-file.ts";

export const fingerprint: Fingerprint = {
  commit: "0123456789ab",
  dirty: false,
  dist: "feedfacefeedface",
  node: "v24.0.0",
  cpu: "a processor",
  cores: 2,
  memoryGb: 8,
  system: "linux",
  mode: "full",
  peers: { rival: "1.0.0" },
};

export const around = (median: number): number[] =>
  [-3, -2, -1, 0, 1, 2, 3].map((i) => median * (1 + i / 100));

export function rawContender(
  name: string,
  kind: RawContender["kind"],
  samples: RawContender["samples"],
  more: Partial<RawContender> = {},
): RawContender {
  return {
    name,
    kind,
    product: name.split(",")[0]!,
    configuration: "defaults",
    samples,
    error: null,
    ...more,
  };
}

export function rawScenario(
  contenders: readonly RawContender[],
  more: Partial<RawScenario> = {},
): RawScenario {
  return {
    name: "trips",
    title: "Trips",
    group: null,
    at: null,
    metrics: [{ key: "us", title: "time", unit: "us", better: "lower" }],
    contenders,
    ...more,
  };
}

export function rawSection(
  section: string,
  scenarios: readonly RawScenario[],
  more: Partial<RawSection> = {},
): RawSection {
  return {
    format: 1,
    section,
    fingerprint,
    command: "pnpm bench",
    rounds: 7,
    pinning: "not pinned",
    startedAt: "2026-01-02T03:04:05.000Z",
    seconds: 60,
    scenarios,
    error: null,
    ...more,
  };
}
