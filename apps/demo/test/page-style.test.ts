/** WCAG 2.2, 1.4.3: text and its background differ in luminance by at least 4.5 to 1. */
import { describe, expect, it } from "vitest";
import { PAGE_STYLE } from "../src/page-style.ts";

const LEAST = 4.5;
const DARK = "@media (prefers-color-scheme: dark)";

type Colours = Readonly<Record<string, string>>;

/** The custom properties of the blocks with this selector. */
function coloursIn(css: string, selector: string): Colours {
  const start = css.indexOf(`${selector} {`);
  if (start < 0) throw new Error(`no block for ${selector}`);
  const block = css.slice(start, css.indexOf("}", start));
  return Object.fromEntries(
    [...block.matchAll(/--(\w+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]),
  );
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const [light = "", dark = ""] = PAGE_STYLE.split(DARK);
const bases = {
  light: coloursIn(light, ":root"),
  dark: { ...coloursIn(light, ":root"), ...coloursIn(dark, ":root") },
};

describe.each(["light", "dark"] as const)("%s", (mode) => {
  const base: Colours = bases[mode];

  it.each(["ink", "faint", "accent", "bad"])("%s can be read on the page and on cards", (text) => {
    for (const ground of ["page", "card"]) {
      expect(contrast(base[text]!, base[ground]!)).toBeGreaterThanOrEqual(LEAST);
    }
  });

  it.each(["complexity", "errors", "repeated"])("each step of the scale of %s can be read", (scale) => {
    const selector = `[data-scale="${scale}"]`;
    // Complexity has the colours of the page itself. What the dark block does not say is as in the light one.
    const own =
      scale === "complexity"
        ? {}
        : { ...coloursIn(light, selector), ...(mode === "dark" ? coloursIn(dark, selector) : {}) };
    const colours: Colours = { ...base, ...own };
    const ratios = [0, 1, 2, 3, 4, 5].map((step) => contrast(colours[`t${step}`]!, colours[`s${step}`]!));
    expect(ratios.filter((ratio) => ratio < LEAST)).toEqual([]);
  });
});

it("nothing is made fainter than the colours that were compared", () => {
  expect(PAGE_STYLE).not.toContain("opacity");
});
