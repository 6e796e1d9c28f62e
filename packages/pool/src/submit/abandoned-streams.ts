/** Finds streams that nobody can read any more. */
import { AsyncScope } from "@skein/context";
import { setImmediate } from "../shared/timers.ts";

/** What such a stream leaves behind: its generator is to end. */
export interface Abandonable {
  readonly isOver: boolean;
  leave(): void;
}

interface Opened {
  readonly stream: object;
  readonly source: Abandonable;
}

const abandoned = new FinalizationRegistry<Abandonable>((source) => source.leave());

/**
 * Of this turn of the event loop. A short stream is over when it ends, and is never registered: that takes a good part of its time, and V8 keeps
 * the entry until it collects the whole heap.
 */
let opened: Opened[] = [];

/** The source is left when `stream` is collected. */
export function leaveWhenCollected(stream: object, source: Abandonable): void {
  if (opened.push({ stream, source }) === 1) AsyncScope.root.run(setImmediate, turnEnds);
}

function turnEnds(): void {
  const streams = opened;
  opened = [];
  for (let i = 0; i < streams.length; i++) {
    const { stream, source } = streams[i]!;
    if (!source.isOver) abandoned.register(stream, source);
  }
}
