/** What a scene of the tour is: something to see, the code that makes it, and claims that must hold. */
import type { Style } from "../terminal.ts";

export interface Scene {
  readonly title: string;
  /** What is about to be seen, in a sentence or two. */
  readonly about: string;
  /** The files whose marked lines are shown, see snippet.ts: the scene itself first. */
  readonly code: readonly string[];
  /** Draws and checks; what it throws is a claim that does not hold. */
  run(stage: Stage): PromiseLike<void>;
}

/** What a scene has to do with. */
export interface Stage {
  /** Little work and no pauses: for tests. */
  readonly fast: boolean;
  readonly style: Style;
  /** How long a line of a picture may be. */
  readonly width: number;
  /** These lines are the picture now. On a terminal it is drawn in place; elsewhere the last picture of a scene is printed. */
  draw(lines: readonly string[]): void;
  /** Says what was to be seen. The tour fails if it does not hold. */
  check(claim: string, holds: boolean): void;
  /** Time to look. None with `fast`. */
  pause(ms: number): Promise<void>;
}
