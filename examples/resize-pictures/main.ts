/**
 * Thumbnails with sharp, a native addon. The work of sharp itself runs on libuv's threads anyway. In a job, the JavaScript around it (here a
 * loop over all pixels) leaves the event loop as well, and `map` bounds how many pictures are in memory.
 */
import { ThreadPool } from "@skein/pool";
// On Linux the main thread must load sharp before other threads do, as its documentation says.
import sharp, { type Color } from "sharp";
import type * as Jobs from "./thumbnail.jobs.ts";

// While one job waits for libvips, its thread can run another.
const pool = new ThreadPool({ jobsPerThread: 2 });
const jobs = pool.module<typeof Jobs>(new URL("./thumbnail.jobs.ts", import.meta.url));

/** Stands for a folder of pictures. Each is made, or read, only when its turn comes. */
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

// At most four pictures are under way, and the results come in order.
for await (const { name, width, height, colour, webp } of pool.map(jobs.thumbnail, pictures(), {
  concurrency: 4,
})) {
  const { format } = await sharp(webp).metadata();
  console.log(`${name}: ${format}, ${width} x ${height}, ${colour}`);
}
await pool.close();
