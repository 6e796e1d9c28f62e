/** The burst experiment as an SVG: two panels of bars on logarithmic scales, one group per work and way of awaiting. */

import type { BurstOutcome } from "./burst.ts";
import { RESULTS } from "./burst.ts";

const WIDTH = 920;
const PANEL_HEIGHT = 230;
const LEFT = 70;
const RIGHT = 20;
const TOP = 70;
const GAP = 90;
const colours = ["#c0392b", "#d68910", "#1e8449", "#2471a3"];

export function plotBursts(outcomes: readonly BurstOutcome[], node: string): string {
  const groups = [...new Set(outcomes.map(groupOf))];
  const policies = [...new Set(outcomes.map((outcome) => outcome.policy))];
  const height = TOP + 2 * PANEL_HEIGHT + GAP + 70;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(
      LEFT,
      24,
      `${RESULTS.toLocaleString("en")} results in one turn, each followed by some work (Node ${node})`,
      16,
    ),
  ];
  policies.forEach((policy, index) => {
    const x = LEFT + index * 200;
    parts.push(`<rect x="${x}" y="38" width="12" height="12" fill="${colours[index] ?? "#000000"}"/>`);
    parts.push(text(x + 18, 48, policy));
  });
  parts.push(
    ...panel(
      "longest stall of the event loop, ms",
      TOP,
      outcomes,
      groups,
      policies,
      (one) => one.longestStallMs,
    ),
    ...panel("total time, ms", TOP + PANEL_HEIGHT + GAP, outcomes, groups, policies, (one) => one.totalMs),
    "</svg>",
  );
  return `${parts.join("\n")}\n`;
}

function groupOf({ workUs, consumer }: BurstOutcome): string {
  return `${workUs} µs, ${consumer}`;
}

function panel(
  title: string,
  top: number,
  outcomes: readonly BurstOutcome[],
  groups: readonly string[],
  policies: readonly string[],
  valueOf: (outcome: BurstOutcome) => number,
): string[] {
  const maxPower = Math.ceil(Math.log10(Math.max(...outcomes.map(valueOf))));
  const bottom = top + PANEL_HEIGHT;
  const yOf = (value: number): number =>
    bottom - (Math.max(0, Math.log10(Math.max(value, 1))) / maxPower) * (PANEL_HEIGHT - 20);
  const parts = [text(LEFT, top + 4, title, 13)];
  for (let power = 0; power <= maxPower; power++) {
    const y = yOf(10 ** power);
    parts.push(`<line x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}" stroke="#dddddd"/>`);
    parts.push(text(LEFT - 8, y + 4, String(10 ** power), 11, "end"));
  }
  const groupWidth = (WIDTH - LEFT - RIGHT) / groups.length;
  const barWidth = (groupWidth - 24) / policies.length;
  groups.forEach((group, groupIndex) => {
    const groupLeft = LEFT + groupIndex * groupWidth + 12;
    policies.forEach((policy, index) => {
      const outcome = outcomes.find((one) => groupOf(one) === group && one.policy === policy);
      if (outcome === undefined) return;
      const value = valueOf(outcome);
      const x = groupLeft + index * barWidth;
      const y = Math.min(yOf(value), bottom - 1);
      parts.push(
        `<rect x="${x}" y="${y}" width="${barWidth - 3}" height="${bottom - y}" fill="${colours[index] ?? "#000000"}"/>`,
        text(x + barWidth / 2 - 1, y - 4, value < 10 ? value.toFixed(1) : value.toFixed(0), 10, "middle"),
      );
    });
    const [work = "", consumer = ""] = group.split(", ");
    const middle = groupLeft + (groupWidth - 24) / 2;
    parts.push(
      text(middle, bottom + 16, work, 11, "middle"),
      text(middle, bottom + 30, consumer, 11, "middle"),
    );
  });
  return parts;
}

function text(x: number, y: number, content: string, size: number = 12, anchor: string = "start"): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" text-anchor="${anchor}">${content}</text>`;
}
