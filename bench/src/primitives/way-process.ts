/**
 * The process of one contender: nothing that others do is in its heap, its collector or its compiled code. Its arguments: the
 * module of ways, the contender's name there, and by how much the counts are divided.
 */
import type { Round } from "./cost.ts";

export type WayQuestion = { readonly ask: "round" } | { readonly ask: "stop" };

/** What a module of ways exports. */
export interface WayModule {
  readonly rounds: (divisor: number) => Readonly<Record<string, Round>>;
}

const [module = "", name = "", divisor = "1"] = process.argv.slice(2);
const { rounds } = (await import(module)) as WayModule;
const round = rounds(Number(divisor))[name];
if (round === undefined) throw new RangeError(`${module} has no "${name}"`);

process.on("message", (question: WayQuestion) => void answer(question));
// Who asked is gone.
process.on("disconnect", () => process.exit(0));
process.send?.(null);

async function answer({ ask }: WayQuestion): Promise<void> {
  if (ask === "round") process.send?.(await round!());
  else process.disconnect();
}
