/**
 * Runs contenders of the build that this very file lies next to: a worktree of another commit holds a copy of it, whose imports
 * find that commit's packages.
 */
import type { Run, Scenario } from "../method/scenario.ts";
import { scaleOf } from "../run/section-run.ts";
import { loadSection } from "../sections.ts";
import type { Answer, Request } from "./protocol.ts";

const scenarios = new Map<string, readonly Scenario[]>();
let run: Run | null = null;
let chain: Promise<void> = Promise.resolve();

process.on("message", (request: Request) => {
  chain = chain.then(async () => {
    const answer = await answerTo(request).catch((error: unknown): Answer => ({
      ok: false,
      error: String(error),
    }));
    process.send!(answer);
  });
});
process.on("disconnect", () => process.exit(0));

async function answerTo(request: Request): Promise<Answer> {
  if (request.ask === "open") {
    run = await open(request);
    return { ok: true, sample: null };
  }
  if (run === null) throw new Error("nothing is open");
  if (request.ask === "close") {
    const open = run;
    run = null;
    await open.close();
    return { ok: true, sample: null };
  }
  globalThis.gc?.();
  return { ok: true, sample: await run.round() };
}

async function open({ section, scenario, contender, mode }: Extract<Request, { ask: "open" }>): Promise<Run> {
  let all = scenarios.get(section);
  if (all === undefined) {
    all = await (await loadSection(section)).scenarios(scaleOf(mode, 1));
    scenarios.set(section, all);
  }
  const found = all
    .find(({ name }) => name === scenario)
    ?.contenders.find(({ name, kind }) => kind === "skein" && name === contender);
  if (found === undefined) throw new Error(`this build has no ${section}/${scenario}/${contender}`);
  return found.open();
}
