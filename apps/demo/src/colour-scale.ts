/** Values as one of the six steps of the pages' colour scale. */
export interface ColourScale {
  readonly label: string;
  /** Upper bounds of all steps but the last. */
  readonly bounds: readonly number[];
  readonly keys: readonly string[];
}

export const COMPLEXITY_SCALE: ColourScale = {
  label: "mean complexity",
  bounds: [1.5, 2.5, 3.5, 5, 8],
  keys: ["< 1.5", "< 2.5", "< 3.5", "< 5", "< 8", "8 +"],
};

/**
 * From 0 to 5.
 *
 * Runs in a page from its own source text: it must refer to nothing outside itself.
 */
export function stepOn({ bounds }: ColourScale, value: number): number {
  const step = bounds.findIndex((bound) => value < bound);
  return step < 0 ? bounds.length : step;
}
