export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Divides a rectangle in proportion to `values`, into parts that are as square as possible.
 *
 * Runs in the page as well, from its own source text: it must refer to nothing outside itself.
 * @param values positive, largest first.
 * @see Bruls, Huizing, van Wijk: Squarified Treemaps (2000)
 */
export function squarify(values: readonly number[], area: Rectangle): Rectangle[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  const scale = total > 0 ? (area.width * area.height) / total : 0;
  const parts: Rectangle[] = [];
  let { x, y, width, height } = area;

  /** The worst proportion in a row of these areas along a side of this length. */
  const worst = (sum: number, largest: number, smallest: number, side: number): number =>
    Math.max((side * side * largest) / (sum * sum), (sum * sum) / (side * side * smallest));

  for (let start = 0; start < values.length;) {
    const side = Math.min(width, height);
    const largest = values[start]! * scale;
    let sum = largest;
    let end = start + 1;
    for (; end < values.length; end++) {
      const next = values[end]! * scale;
      const now = worst(sum, largest, values[end - 1]! * scale, side);
      if (worst(sum + next, largest, next, side) > now) break;
      sum += next;
    }
    // The row takes a strip off the longer side.
    const depth = side > 0 ? sum / side : 0;
    let offset = 0;
    for (let index = start; index < end; index++) {
      const length = sum > 0 ? ((values[index]! * scale) / sum) * side : 0;
      parts.push(
        width >= height
          ? { x, y: y + offset, width: depth, height: length }
          : { x: x + offset, y, width: length, height: depth },
      );
      offset += length;
    }
    if (width >= height) {
      x += depth;
      width = Math.max(0, width - depth);
    } else {
      y += depth;
      height = Math.max(0, height - depth);
    }
    start = end;
  }
  return parts;
}
