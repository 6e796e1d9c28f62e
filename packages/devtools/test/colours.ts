/** How well colours of the style sheet can be told apart, by people who see all colours and by those who do not. */
import { readFileSync } from "node:fs";

type Rgb = readonly [number, number, number];

/** Of the strongest forms: protanopia, deuteranopia, tritanopia. @see https://doi.org/10.1109/TVCG.2009.113 */
const DEFICIENCIES = [
  [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
] as const;

/** Those of the style sheet whose names begin like this, without it. */
export function coloursOf(scheme: "light" | "dark", prefix: string): Map<string, string> {
  const style = readFileSync(new URL("../build/page.css", import.meta.url), "utf8");
  const [light, dark] = style.split("prefers-color-scheme: dark");
  const pattern = new RegExp(`--${prefix}([\\w-]*): (#[\\da-f]{6});`, "g");
  const found = (scheme === "light" ? light! : dark!).matchAll(pattern);
  return new Map(Array.from(found, ([, name, colour]) => [name!, colour!]));
}

/** @see https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrast(one: string, other: string): number {
  const [dark, light] = [one, other].map((each) => luminance(linear(each)) + 0.05).toSorted((a, b) => a - b);
  return light! / dark!;
}

/** In Oklab, for whoever sees it least; 0.02 is just noticed where both lie beside each other. */
export function leastDifference(one: string, other: string): number {
  const [a, b] = [linear(one), linear(other)] as const;
  const seen = DEFICIENCIES.map((matrix) => difference(times(matrix, a), times(matrix, b)));
  return Math.min(difference(a, b), ...seen);
}

function linear(colour: string): Rgb {
  const part = (at: number): number => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

function luminance([r, g, b]: Rgb): number {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function difference(one: Rgb, other: Rgb): number {
  const [a, b] = [oklab(one), oklab(other)];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** @see https://bottosson.github.io/posts/oklab/ */
function oklab(colour: Rgb): Rgb {
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    colour.map((part) => Math.min(1, Math.max(0, part))) as unknown as Rgb,
  );
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones.map(Math.cbrt) as unknown as Rgb,
  );
}

function times(matrix: readonly Rgb[], vector: Rgb): Rgb {
  return matrix.map((row) => row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2]) as unknown as Rgb;
}
