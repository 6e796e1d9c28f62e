/**
 * Thumbnails with sharp, a native addon. Its own work runs on libuv's threads anyway; on the pool the JavaScript around it, here a loop over
 * all pixels, leaves the event loop too, and the number of pictures in memory stays small.
 */
import { ThreadPool } from "@skein/pool";
// On Linux the main thread must have loaded sharp before other threads do: a rule of sharp's.
import sharp, { type Color } from "sharp";
import type * as Jobs from "./thumbnail.jobs.ts";

// While libvips is at work for one job, its thread can see to another.
const pool = new ThreadPool({ jobsPerThread: 2 });
const jobs = pool.module<typeof Jobs>(new URL("./thumbnail.jobs.ts", import.meta.url));

/** Stands for a folder of pictures. Each is only made, or read, when it is its turn. */
async function* pictures(): AsyncGenerator<Jobs.Picture> {
  for (const [name, width, height, background] of [
    ["sky", 1600, 1200, "#87ceeb"],
    ["forest", 1200, 1600, "#228b22"],
    ["brick", 800, 800, "#b22222"],
    ["night", 1920, 1080, "#191970"],
  ] as [string, number, number, Color][]) {
    yield {
      name,
      png: await sharp({ create: { width, height, channels: 3, background } })
        .png()
        .toBuffer(),
    };
  }
}

// Reads no further ahead than four pictures; gives the results in order. What is large in a result is moved to this thread, not copied.
for await (const { name, width, height, colour, webp } of pool.map(jobs.thumbnail, pictures(), {
  concurrency: 4,
})) {
  const { format } = await sharp(webp).metadata();
  console.log(`${name}: ${format}, ${width} x ${height}, ${colour}`);
}
await pool.close();
