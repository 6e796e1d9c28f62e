import sharp from "sharp";

export interface Picture {
  readonly name: string;
  readonly png: Uint8Array;
}

export interface Thumbnail {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly webp: Uint8Array;
  /** To be shown while the thumbnail loads: `#rrggbb`. */
  readonly colour: string;
}

// The pool has a thread for each core, so libvips need not spread one picture over all of them.
sharp.concurrency(1);

/** A thumbnail and its average colour. */
export async function thumbnail({ name, png }: Picture): Promise<Thumbnail> {
  const small = sharp(png).resize({ width: 160 }).removeAlpha();
  const { data, info } = await small.clone().raw().toBuffer({ resolveWithObject: true });
  const webp = await small.webp().toBuffer();
  return { name, width: info.width, height: info.height, webp, colour: averageColour(data) };
}

/** This loop over all pixels is JavaScript, and would hold up an event loop. */
function averageColour(rgb: Uint8Array): string {
  const sums = [0, 0, 0];
  for (let i = 0; i < rgb.length; i++) sums[i % 3]! += rgb[i]!;
  const channel = (sum: number): string =>
    Math.round((sum * 3) / rgb.length)
      .toString(16)
      .padStart(2, "0");
  return `#${sums.map(channel).join("")}`;
}
