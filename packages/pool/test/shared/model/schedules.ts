/**
 * The order of the steps of a model test: every order with few preemptions, one after the other, or any order by chance. Most
 * bugs of concurrent code need no more than two preemptions (Musuvathi, Qadeer, "Iterative context bounding", PLDI 2007).
 */
import { seededRandom } from "../seeded-random.ts";
import type { Choice } from "./scenario.ts";

/** A preemption: a thread could go on, but another does, or its wait times out. That one is ended costs nothing extra. */
export class DepthFirst {
  readonly #maxPreemptions: number;
  /** By depth: the choices there, and which of them is taken. */
  readonly #path: { choices: Choice[]; taken: number }[] = [];
  #depth = 0;
  #preemptions = 0;
  #last = 0;

  constructor(maxPreemptions: number) {
    this.#maxPreemptions = maxPreemptions;
  }

  begin(): void {
    this.#depth = this.#preemptions = this.#last = 0;
  }

  choose(choices: Choice[]): Choice {
    const canGoOn = choices.some((choice) => this.#goesOn(choice));
    const preempts = (choice: Choice): boolean =>
      canGoOn && choice.action !== "kill" && !this.#goesOn(choice);
    if (this.#depth === this.#path.length) {
      const spent = this.#preemptions === this.#maxPreemptions;
      const allowed = choices.filter((choice) => !spent || !preempts(choice));
      // To go on with the same thread comes first.
      allowed.sort((a, b) => this.#rank(a) - this.#rank(b));
      this.#path.push({ choices: allowed, taken: 0 });
    }
    const here = this.#path[this.#depth++]!;
    const choice = here.choices[here.taken]!;
    if (preempts(choice)) this.#preemptions++;
    if (choice.action !== "kill") this.#last = choice.thread;
    return choice;
  }

  /** After the end of a schedule. @returns false when that was the last one. */
  next(): boolean {
    const path = this.#path;
    path.length = this.#depth;
    while (path.length > 0 && path.at(-1)!.taken + 1 === path.at(-1)!.choices.length) path.pop();
    if (path.length === 0) return false;
    path.at(-1)!.taken++;
    return true;
  }

  #goesOn(choice: Choice): boolean {
    return choice.thread === this.#last && choice.action === "step";
  }

  #rank(choice: Choice): number {
    if (choice.action !== "step") return 2;
    return this.#goesOn(choice) ? 0 : 1;
  }
}

/** One schedule that follows from the seed. Any number of preemptions; a thread is ended in about every second one. */
export function byChance(seed: number): (choices: Choice[]) => Choice {
  const random = seededRandom(seed);
  const mayEnd = random() < 0.5;
  // Long runs of one thread find other things than fair ones.
  const stubborn = random();
  let last = 0;
  const oneOf = (choices: Choice[]): Choice => choices[Math.floor(random() * choices.length)]!;

  return (choices) => {
    const steps = choices.filter((choice) => choice.action === "step");
    const timeouts = choices.filter((choice) => choice.action === "timeout");
    const others = mayEnd ? choices.filter((choice) => choice.action !== "step") : timeouts;
    const same = steps.find((choice) => choice.thread === last);
    let choice: Choice;
    if (steps.length === 0) choice = oneOf(timeouts);
    else if (others.length > 0 && random() < 0.03) choice = oneOf(others);
    else choice = same !== undefined && random() < stubborn ? same : oneOf(steps);
    last = choice.thread;
    return choice;
  };
}
