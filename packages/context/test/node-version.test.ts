import { expect, it } from "vitest";
import { isSupported } from "../src/node-version.ts";

it.each<[string, boolean]>([
  ["20.20.2", false],
  ["22.17.1", false],
  ["22.18.0", true],
  ["24.0.0", true],
  ["26.0.0-nightly2026", true],
])("Node.js %s: supported %s", (version, supported) => {
  expect(isSupported(version)).toBe(supported);
});
