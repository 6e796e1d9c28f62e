/** What stands above the tables: where, with what, how. */
import type { RawSection } from "../method/raw-file.ts";
import { SIGNIFICANCE } from "../method/verdict.ts";

export function headText(sections: readonly RawSection[]): string {
  const [first] = sections;
  const { fingerprint, command } = first!;
  const commands = [...new Set(sections.map((section) => section.command))];
  const seconds = sections.reduce((sum, section) => sum + section.seconds, 0);
  const inOrder = sections.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
  // Of the first section: what runs before a later one is the one before.
  const [{ startedAt, loadBefore } = first!] = inOrder;
  const rows: (readonly [string, string])[] = [
    ["measured", `${startedAt.slice(0, 16).replace("T", " ")} UTC, ${Math.round(seconds / 60)} min`],
    ["command", `\`${commands.length === 1 ? command : commands.join("`, `")}\``],
    [
      "Skein",
      `${commitsText(sections)}${fingerprint.dirty ? " with local changes" : ""}, built files ${fingerprint.dist}`,
    ],
    ["Node.js", fingerprint.node],
    [
      "machine",
      `${fingerprint.cpu}, ${fingerprint.cores} cores, ${fingerprint.memoryGb} GB, ${fingerprint.system}`,
    ],
    ...(loadBefore === undefined ? [] : [["load before", loadText(loadBefore, fingerprint.cores)] as const]),
    ["cores", [...new Set(sections.map(({ pinning }) => pinning))].join("; ")],
    ["rounds", [...new Set(sections.map(({ rounds }) => String(rounds)))].join(", ")],
    [
      "others",
      Object.entries(fingerprint.peers)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    ],
  ];
  const warning =
    fingerprint.mode === "quick"
      ? "**Quick mode**: few rounds of little work. It shows that everything runs, and roughly where things lie. Do not quote it.\n\n"
      : "";
  return warning + rows.map(([what, value]) => `- **${what}**: ${value}`).join("\n");
}

/** Several have built the same files. */
function commitsText(sections: readonly RawSection[]): string {
  const of = Map.groupBy(sections, ({ fingerprint }) => fingerprint.commit);
  if (of.size === 1) return `commit ${[...of.keys()].join("")}`;
  return [...of]
    .map(([commit, some]) => `commit ${commit} (${some.map(({ section }) => section).join(", ")})`)
    .join(", ");
}

/** From so many threads per core on, others took time away from everybody, and most from who uses two cores at once. */
const BUSY = 0.5;

function loadText(load: number, cores: number): string {
  const text = `${load.toFixed(1)} threads, mean of a minute`;
  return load > cores * BUSY ? `${text}: **this machine was busy with something else**` : text;
}

export function howToRead(): string {
  return [
    "How to read it:",
    "",
    "- A number is the median of the rounds; ± is their coefficient of variation (standard deviation by mean). Contenders took turns round by " +
      "round, in an order that rotates.",
    "- `5.80x` behind it: Skein is so many times better, whether more or less of the thing is better. In bold, below 1, it is behind. **tie**: not to be " +
      "told apart. The intervals, unfolded below each table, hold 95 % of the ratios when the rounds are drawn again.",
    `- A difference counts when that interval leaves 1 out and a rank test finds the samples apart (p < ${SIGNIFICANCE}). With so many comparisons, about ` +
      `one in ${Math.round(1 / SIGNIFICANCE)} of those that should be ties counts as a win or a loss all the same.`,
    "- Names in italics are references: lines to read the others by, not competitors.",
    "- All samples are in the `.raw.json` files beside this report.",
  ].join("\n");
}
