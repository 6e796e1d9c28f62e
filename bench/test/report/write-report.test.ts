import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RawSection, readRawFolder, writeRaw } from "../../src/method/raw-file.ts";
import { writeReport } from "../../src/report/write-report.ts";
import { around, fingerprint, rawContender, rawScenario, rawSection } from "./raw-sections.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skein-report-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const report = (): string => readFileSync(join(folder, "report.md"), "utf8");

const losing = rawSection("elsewhere", [
  rawScenario([
    rawContender("skein", "skein", { us: around(20) }),
    rawContender("rival, slow", "peer", { us: around(40) }),
    rawContender("rival, fast", "peer", { us: around(10) }),
    rawContender("line", "reference", { us: around(1) }),
  ]),
]);

describe("writeReport", () => {
  it("is written from the raw files alone, with medians and their spread", async () => {
    writeRaw(folder, losing);
    await writeReport(folder, readRawFolder(folder));
    expect(report()).toContain("| **skein** | 20.0 us ±2 % |");
    expect(report()).toContain("a processor, 2 cores");
    expect(report()).toContain("rival 1.0.0");
  });

  it("a loss is told, next to the best configuration of the other, and said to be unexplained when it is", async () => {
    await writeReport(folder, [losing]);
    expect(report()).toContain("Where we are behind");
    expect(report()).toMatch(/20\.0 us against 10\.0 us of rival, fast, 2\.00x worse/);
    expect(report()).not.toContain("of rival, slow,");
    expect(report()).toContain("_Reason not known._");
  });

  it("a reason says what it rests on: a guess is called a supposition", async () => {
    const at = (section: string, name: string): RawSection =>
      rawSection(section, [
        rawScenario(
          [
            rawContender("skein", "skein", { ms: around(20) }),
            rawContender("piscina", "peer", { ms: around(10) }),
          ],
          { name, metrics: [{ key: "ms", title: "time", unit: "ms", better: "lower" }] },
        ),
      ]);
    await writeReport(folder, [at("fork-join", "queens")]);
    expect(report()).toContain("_Supposed, not checked_: one flat list");
    await writeReport(folder, [at("fork-join", "fib")]);
    expect(report()).toContain("_In the code, its weight not measured_: a fork is a job");
  });

  it("a goal that is not met is told with what keeps us from it, one that is met is not", async () => {
    const pauses = (ours: number): RawSection =>
      rawSection("pool-throughput", [
        rawScenario(
          [
            rawContender("skein", "skein", { p50Us: around(ours) }),
            rawContender("workerpool", "peer", { p50Us: around(100) }),
          ],
          {
            name: "after-a-pause",
            metrics: [{ key: "p50Us", title: "p50", unit: "us", better: "lower" }],
          },
        ),
      ]);
    const told = "- **a call after 5 ms without any, p50, times shorter**: Not how the threads sleep";
    await writeReport(folder, [pauses(200)]);
    expect(report()).toContain(told);
    await writeReport(folder, [pauses(50)]);
    expect(report()).not.toContain("What keeps us from goals");
  });

  it("losses of one mechanism stand under one reason, the best of the others first", async () => {
    const at = (name: string): ReturnType<typeof rawScenario> =>
      rawScenario(
        [
          rawContender("skein", "skein", { tripUs: around(20) }),
          rawContender("piscina", "peer", { tripUs: around(10) }),
          rawContender("comlink", "peer", { tripUs: around(5) }),
        ],
        {
          name,
          title: name,
          metrics: [{ key: "tripUs", title: "time", unit: "us", better: "lower" }],
        },
      );
    await writeReport(folder, [
      rawSection("payloads", [
        { ...at("payload-bytes-1048576"), group: "payload-bytes" },
        { ...at("payload-bytes-in-1048576"), group: "payload-bytes-in" },
      ]),
    ]);
    expect(report().match(/While one side copies/g)).toHaveLength(1);
    expect(report()).toMatch(/of comlink, 4\.00x worse \(.*\); also piscina 2\.00x/);
  });

  it("more columns than fit on a page become two tables", async () => {
    const metrics = Array.from({ length: 8 }, (_, i) => ({
      key: `m${i}`,
      title: `metric ${i}`,
      unit: "us" as const,
      better: "neither" as const,
    }));
    const samples = Object.fromEntries(metrics.map(({ key }) => [key, around(1)]));
    await writeReport(folder, [
      rawSection("elsewhere", [rawScenario([rawContender("skein", "skein", samples)], { metrics })]),
    ]);
    expect(report()).toContain("|  | metric 0 | metric 1 | metric 2 | metric 3 |\n");
    expect(report()).toContain("|  | metric 4 | metric 5 | metric 6 | metric 7 |\n");
  });

  it("a reference is neither won nor lost against", async () => {
    await writeReport(folder, [losing]);
    expect(report()).not.toContain("of line,");
    expect(report()).toContain("| _line_ |");
    expect(report()).toContain("| elsewhere | 0 | 0 | 1 | rival 1 |");
  });

  it("a contender that failed is named with its error, in front, and in its row", async () => {
    const failed = rawContender("rival", "peer", { us: [] }, { error: "open: Error: no door\nat somewhere" });
    await writeReport(folder, [
      rawSection("elsewhere", [rawScenario([rawContender("skein", "skein", { us: around(20) }), failed])]),
    ]);
    expect(report()).toContain("- elsewhere, Trips: rival: open: Error: no door\n");
    expect(report()).toContain("| rival | failed |");
  });

  it("a machine that was busy before the first section is marked, later ones were kept busy by the benchmark", async () => {
    const later = rawSection("another", [], { startedAt: "2026-01-02T04:00:00.000Z", loadBefore: 2 });
    await writeReport(folder, [later, { ...losing, loadBefore: 0.1 }]);
    expect(report()).toContain("**load before**: 0.1 threads");
    expect(report()).not.toContain("busy with something else");
    await writeReport(folder, [later, { ...losing, loadBefore: 1.5 }]);
    expect(report()).toContain("busy with something else");
  });

  it("quick mode is marked", async () => {
    await writeReport(folder, [{ ...losing, fingerprint: { ...fingerprint, mode: "quick" } }]);
    expect(report()).toContain("**Quick mode**");
  });

  it("pictures are drawn for the figures of a section that have samples", async () => {
    const point = (threads: number) =>
      rawScenario([rawContender("skein", "skein", { perSecond: around(1e6) })], {
        name: `burst-${threads}`,
        group: "burst",
        at: threads,
        metrics: [{ key: "perSecond", title: "throughput", unit: "jobs/s", better: "higher" }],
      });
    await writeReport(folder, [rawSection("pool-throughput", [point(1), point(2)])]);
    expect(report()).toContain("](burst.svg)");
    expect(readFileSync(join(folder, "burst.svg"), "utf8")).toMatch(/^<svg [\s\S]*skein[\s\S]*<\/svg>\n$/);
    expect(existsSync(join(folder, "window.svg"))).toBe(false);
  });

  it("goals are judged by the interval: inside it, the verdict says so", async () => {
    const cost = (ns: number[]) =>
      rawSection("fork-join", [
        rawScenario([rawContender("skein", "skein", { args1: ns })], {
          name: "fork-cost",
          metrics: [{ key: "args1", title: "1 argument", unit: "ns", better: "lower" }],
        }),
      ]);
    await writeReport(folder, [cost(around(100))]);
    expect(report()).toMatch(
      /fork \+ join, not stolen, 1 number \| at most 150 ns \| 100 ns \(.*\) \| yes \|/,
    );
    await writeReport(folder, [cost(around(400))]);
    expect(report()).toMatch(/\| 400 ns \(.*\) \| \*\*no\*\* \|/);
    await writeReport(folder, [cost(around(149))]);
    expect(report()).toMatch(/\| 149 ns \(.*\) \| yes, within the noise \|/);
  });
});

describe("goals of primitives", () => {
  it("compare one way of ours with the platform's", async () => {
    await writeReport(folder, [
      rawSection("scheduling", [
        rawScenario(
          [
            rawContender("register", "skein", { ns: around(40) }),
            rawContender("unsafeRegister", "skein", { ns: around(20) }),
            rawContender("AbortSignal", "native", { ns: around(120) }),
          ],
          {
            name: "registering",
            metrics: [{ key: "ns", title: "time", unit: "ns", better: "lower" }],
          },
        ),
      ]),
    ]);
    expect(report()).toMatch(/\| register, .*AbortSignal.* \| at least 5\.00x \| 3\.00x .* \| \*\*no\*\* \|/);
    expect(report()).toMatch(/\| unsafeRegister, .* \| at least 5\.00x \| 6\.00x .* \| yes \|/);
  });
});

describe("refusal", () => {
  const other = (more: Partial<typeof fingerprint>) =>
    rawSection("another", [], { fingerprint: { ...fingerprint, ...more } });

  it.each([
    ["another build", { dist: "0000000000000000" }, /dist: "feedfacefeedface" and "0000000000000000"/],
    ["local changes", { dirty: true }, /dirty/],
    ["another Node.js", { node: "v26.0.0" }, /node: "v24.0.0" and "v26.0.0"/],
    ["another machine", { cpu: "another processor" }, /cpu/],
    ["other versions of peers", { peers: { rival: "2.0.0" } }, /peers/],
    ["quick next to full", { mode: "quick" as const }, /mode/],
  ])("samples of %s are not mixed", async (_, more, message) => {
    await expect(writeReport(folder, [losing, other(more)])).rejects.toThrow(message);
    expect(existsSync(join(folder, "report.md"))).toBe(false);
  });

  it("another commit that built the same files is named, with what it has measured", async () => {
    await writeReport(folder, [losing, other({ commit: "ba9876543210" })]);
    expect(report()).toContain("commit ba9876543210 (another)");
  });

  it("a folder of both is refused when it is read", () => {
    writeRaw(folder, losing);
    writeRaw(folder, other({ node: "v22.18.0" }));
    expect(() => readRawFolder(folder)).toThrow(/another and elsewhere cannot be compared/);
  });

  it("a report without samples is refused", async () => {
    await expect(writeReport(folder, [])).rejects.toThrow(/no raw files/);
  });
});
