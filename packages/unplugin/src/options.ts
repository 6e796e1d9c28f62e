/** What the plugins can be told; the same for every bundler. */
import { argumentTypeError, ownOptions } from "@skein/context/errors";

export interface SkeinPluginOptions {
  /**
   * Which files are job modules: tested on the absolute path, with forward slashes, of each file that is named by
   * `new URL("<relative path>", import.meta.url)`.
   * @default /\.jobs\.[cm]?[jt]sx?$/
   */
  readonly include?: RegExp | readonly RegExp[] | undefined;
}

/** Whether the file at this absolute path is a job module. */
export type JobModuleTest = (path: string) => boolean;

/** @throws TypeError for an unknown option, and for an `include` that is something else than a RegExp or an array of them. */
export function jobModuleTest(options: SkeinPluginOptions | undefined): JobModuleTest {
  const { include = /\.jobs\.[cm]?[jt]sx?$/ } = ownOptions(options, { include: true });
  const patterns: readonly RegExp[] = Array.isArray(include) ? include : [include];
  if (patterns.length === 0 || !patterns.every((pattern) => pattern instanceof RegExp))
    throw argumentTypeError("include", "a RegExp or an array of at least one RegExp", include);
  return (path) => {
    const slashed = path.replaceAll("\\", "/");
    // `search`, unlike `test`, does not go on from `lastIndex`.
    return patterns.some((pattern) => slashed.search(pattern) !== -1);
  };
}
