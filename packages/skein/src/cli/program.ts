/** From the command line to the exit code. */
import { readFileSync } from "node:fs";
import { nearestName } from "@skein/context/errors";
import { CommandError, EXIT, UsageError } from "./command-line.ts";
import { describeFailure } from "./failure.ts";

/** What a command is to this file. `run` gives the exit code. */
export interface Command {
  readonly help: string;
  run(args: readonly string[]): Promise<number>;
}

/** Loaded when they are asked for: each needs other packages. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run.ts")).run,
  map: async () => (await import("./map.ts")).map,
  bench: async () => (await import("./bench.ts")).bench,
  worker: async () => (await import("./worker.ts")).worker,
  top: async () => (await import("./top.ts")).top,
  doctor: async () => (await import("./doctor.ts")).doctor,
};

const HELP = `Usage: skein <command> [options]

  skein run <file>#<export> [json ...]   call an exported function on a worker thread
  skein map <file>#<export> < in > out   call it for each line of the input, on all threads
  skein bench <file>#<export> [json ...] measure it directly, and on a pool
  skein worker <file ...>                run jobs of a cluster in this process
  skein top [url]                        watch the threads of a program
  skein doctor [folder]                  look for what keeps Skein from working in a project

skein <command> --help explains a command; skein --version prints the version.

Exit code: 0 done, 1 the job failed, 2 wrong usage.
`;

/** The exit code. What goes wrong is told on standard error. */
export async function runProgram(args: readonly string[]): Promise<number> {
  // Whoever reads the results may stop early, as in `skein map … | head`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.done);
    process.stderr.write(`skein: standard output cannot be written: ${error.message}\n`);
    process.exit(EXIT.failed);
  });
  try {
    return await dispatch(args);
  } catch (error) {
    if (error instanceof CommandError) {
      process.stderr.write(`skein: ${error.message}\n`);
      return error.exitCode;
    }
    process.stderr.write(`${describeFailure(error)}\n`);
    return EXIT.failed;
  }
}

async function dispatch([name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    (name === undefined ? process.stderr : process.stdout).write(HELP);
    return name === undefined ? EXIT.usage : EXIT.done;
  }
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${version()}\n`);
    return EXIT.done;
  }
  if (!Object.hasOwn(commands, name)) throw unknownCommand(name);
  const command = await commands[name]!();
  if (isHelpAsked(rest)) {
    process.stdout.write(command.help);
    return EXIT.done;
  }
  return await command.run(rest);
}

/** Behind `--` there are only values. */
function isHelpAsked(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const options = end === -1 ? args : args.slice(0, end);
  return options.includes("--help") || options.includes("-h");
}

function unknownCommand(name: string): UsageError {
  const names = Object.keys(commands);
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? `use ${names.join(", ")}` : `did you mean "${nearest}"?`;
  return new UsageError(`there is no command "${name}"; ${hint}`);
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return manifest.version;
}
