/** `census tour`: the scenes, one after the other. */
import { parseCommandLine, UsageError, wholeNumber } from "../command-line.ts";
import { shorten, styleFor, widthFor, wrap } from "../terminal.ts";
import type { Style } from "../terminal.ts";
import { formatPlural } from "../wording.ts";
import type { Scene } from "./scene.ts";
import { SCENES } from "./scenes.ts";
import { snippetOf } from "./snippet.ts";
import { TerminalStage } from "./terminal-stage.ts";

const PAUSE_MS = 1500;

const HELP: string = `Usage: census tour [options]

Shows what the packages do, in short scenes: a picture that is drawn as it
happens, the code that makes it, and what must be true of it. Fails if one of
these claims does not hold.

  --scene <n>  only this one
  --fast       little work and no pauses
  --help       this text

${SCENES.map(({ title }, index) => `${String(index + 1).padStart(3)}  ${title}`).join("\n")}
`;

/** @returns whether every claim held. @throws UsageError */
export async function runTour(args: readonly string[]): Promise<boolean> {
  const { values, positionals } = parseCommandLine(args, {
    scene: { type: "string" },
    fast: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  });
  if (positionals.length > 0) throw new UsageError(`the tour takes no directory, got ${positionals[0]!}`);
  if (values.help === true) {
    process.stdout.write(HELP);
    return true;
  }
  const only = wholeNumber("scene", values.scene, 1, SCENES.length);
  const style = styleFor(process.stdout, process.env);
  const failed: string[] = [];
  const shown = only === undefined ? SCENES : [SCENES[only - 1]!];
  for (const [index, scene] of shown.entries()) {
    const number = only ?? index + 1;
    const stage = new TerminalStage(process.stdout, style, widthFor(process.stdout), values.fast === true);
    announce(scene, number, style);
    await stage.pause(PAUSE_MS);
    if (!(await show(scene, stage))) failed.push(`${number} ${scene.title}`);
    await stage.pause(PAUSE_MS);
  }
  process.stdout.write(`\n ${closing(shown.length, failed, style)}\n`);
  return failed.length === 0;
}

function announce({ title, about, code }: Scene, number: number, style: Style): void {
  const width = widthFor(process.stdout) - 3;
  const lines = [
    ` ${style(["bold", "cyan"], `${number}/${SCENES.length}  ${title}`)}`,
    ...wrap(about, width).map((line) => `   ${line}`),
    "",
    ...code
      .flatMap((file, index) => (index === 0 ? snippetOf(file) : ["", ...snippetOf(file)]))
      .map((line) => `   ${style("dim", `│ ${shorten(line, width - 2)}`)}`),
    "",
  ];
  process.stdout.write(`\n${lines.map((line) => line.trimEnd()).join("\n")}\n`);
}

async function show(scene: Scene, stage: TerminalStage): Promise<boolean> {
  try {
    await scene.run(stage);
  } catch (error) {
    stage.check(
      `it runs to its end: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      false,
    );
  }
  return stage.end();
}

function closing(count: number, failed: readonly string[], style: Style): string {
  if (failed.length > 0) return style(["bold", "red"], `Not as claimed: ${failed.join(", ")}.`);
  return `${style("green", `${formatPlural(count, "scene")}, every claim held.`)} ${style("dim", "The code is in apps/demo/src/tour/scenes.")}`;
}
