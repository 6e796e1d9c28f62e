/** A user interface in miniature: all that touches it runs on one loop, and it never stands still. */
import { ThreadPool } from "@skein/pool";
import { MessageLoop, SynchronizationContext, Task } from "@skein/scheduling";
import { formatCount } from "../../wording.ts";
import type { Scene } from "../scene.ts";
import type * as Jobs from "./message-loop.jobs.ts";

const FRAME_MS = 16;

export const messageLoop: Scene = {
  title: "A SynchronizationContext, and a UI loop that stays responsive",
  about:
    "A click starts work that takes its time, on a thread. Meanwhile the loop paints frame after frame. The method needs no lock and no callback: behind the await it is on its loop again.",
  code: [import.meta.url],
  async run(stage) {
    await using pool = new ThreadPool({ name: "ui" });
    const jobs = pool.module<typeof Jobs>(new URL("./message-loop.jobs.ts", import.meta.url));
    const more = stage.fast ? 5 : 150;
    const frames = new Int32Array(new SharedArrayBuffer(4));
    let status = "click me";
    let inside = 0;
    let overlaps = 0;
    const places: (SynchronizationContext | null)[] = [];
    const paint = (): void => {
      if (++inside > 1) overlaps++;
      Atomics.add(frames, 0, 1);
      const track = Math.min(30, stage.width - 30);
      const step = frames[0]! % (2 * track);
      const at = step < track ? step : 2 * track - step;
      stage.draw([`▕${" ".repeat(at)}${stage.style("cyan", "●")}${" ".repeat(track - at)}▏ ${status}`]);
      inside--;
    };
    const show = (text: string): void => {
      places.push(SynchronizationContext.current);
      status = text;
    };
    const { promise: clicked, resolve } = Promise.withResolvers<number>();
    // tour: begin
    const ui = new MessageLoop();
    const onClick = Task.asyncVoid(function* () {
      show("computing …"); // on the loop
      const primes = yield* jobs.countPrimes(frames, more); // on a thread
      show(`${formatCount(primes)} primes`); // on the loop again
      resolve(primes);
    });
    const refresh = setInterval(() => ui.post(paint, undefined), FRAME_MS);
    ui.post(onClick, undefined);
    // tour: end
    const primes = await clicked;
    const painted = Atomics.load(frames, 0);
    await stage.pause(500);
    clearInterval(refresh);
    const { promise: drained, resolve: onDrained } = Promise.withResolvers<void>();
    ui.post(() => onDrained(), undefined);
    await drained;
    paint();
    stage.check(
      `${painted} frames were painted while the thread found ${formatCount(primes)} primes`,
      painted >= more && primes > 0,
    );
    stage.check(
      "the method was on its loop before the await and behind it",
      places.length === 2 && places.every((place) => place === ui),
    );
    stage.check("one message at a time, none inside another", overlaps === 0);
  },
};
