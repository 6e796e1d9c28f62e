/**
 * webpack: the files become entries, each with a runtime of its own, in the folder `skein` of the output. Which they are is noted in the
 * modules that name them, where it outlives a build in webpack's cache.
 */
import type { Compilation, Compiler, javascript, Module, WebpackPluginInstance } from "webpack";
import { jobModuleNamed } from "./find-urls.ts";
import { type JobModuleTest, jobModuleTest, type SkeinPluginOptions } from "./options.ts";
import { inUrl, THREAD_ENTRY, threadEntryOf, uniqueNameOf } from "./own-files.ts";

export type { SkeinPluginOptions } from "./options.ts";

type Parser = javascript.JavascriptParser;
const NAME = "skein";
/** In `buildInfo` of a module: the absolute paths of the files that it names. */
const NOTE = "skeinFiles";

/**
 * Puts job modules, and what pool threads start with, into the folder `skein` of the output. For `target: "node"`, CommonJS or
 * `output.module`. Other plugins that look for `new URL(…)` see those of job modules no more.
 *
 * @throws TypeError for options that are unknown or of the wrong type.
 * @example
 * import skein from "@skein/unplugin/webpack";
 * export default { entry: "./src/main.js", target: "node", plugins: [skein()] };
 */
export default function skein(options?: SkeinPluginOptions): WebpackPluginInstance {
  const isJobModule = jobModuleTest(options);
  return { apply: (compiler) => apply(compiler, isJobModule) };
}

function apply(compiler: Compiler, isJobModule: JobModuleTest): void {
  const { EntryPlugin, library } = compiler.webpack;
  // By now webpack has filled in what the configuration leaves out.
  compiler.hooks.environment.tap(NAME, () =>
    new library.EnableLibraryPlugin(outputOf(compiler).library).apply(compiler),
  );
  compiler.hooks.compilation.tap(NAME, (_, { normalModuleFactory }) => {
    const tap = (parser: Parser): void => placeUrls(compiler, parser, isJobModule);
    normalModuleFactory.hooks.parser.for("javascript/auto").tap(NAME, tap);
    normalModuleFactory.hooks.parser.for("javascript/esm").tap(NAME, tap);
  });
  compiler.hooks.finishMake.tapPromise(NAME, async (compilation) => {
    const added = new Set<string>();
    const { library: type, extension } = outputOf(compiler);
    // Job modules may name others.
    for (let next = filesOf(compilation); next.length > 0;) {
      for (const path of next) added.add(path);
      await Promise.all(
        next.map((path) => {
          const name = `skein/${uniqueNameOf(path, compiler.context)}`;
          const dependency = EntryPlugin.createDependency(path, name);
          const options = { name, filename: name + extension, library: { type }, runtime: false as const };
          return new Promise<void>((resolve, reject) => {
            compilation.addEntry(compiler.context, dependency, options, (error) =>
              error ? reject(error) : resolve(),
            );
          });
        }),
      );
      next = filesOf(compilation).filter((path) => !added.has(path));
    }
  });
}

/** Extensions that mean the same in every package. */
function outputOf({ options }: Compiler): { readonly library: string; readonly extension: string } {
  return options.output.module === true
    ? { library: "module", extension: ".mjs" }
    : { library: "commonjs2", extension: ".cjs" };
}

function filesOf(compilation: Compilation): string[] {
  const noted = Array.from(compilation.modules, ({ buildInfo }) => (buildInfo?.[NOTE] ?? []) as string[]);
  return [...new Set(noted.flat())];
}

/** Lets the modules that are parsed name the files where they will be, and notes which they are. */
function placeUrls(compiler: Compiler, parser: Parser, isJobModule: JobModuleTest): void {
  const { RuntimeGlobals, dependencies } = compiler.webpack;
  const place = (range: [number, number] | undefined, path: string): true => {
    const { module } = parser.state;
    ((module.buildInfo ??= {})[NOTE] ??= []).push(path);
    const url = `skein/${inUrl(uniqueNameOf(path, compiler.context))}${outputOf(compiler).extension}`;
    // The folder of the output.
    const base = RuntimeGlobals.baseURI;
    const expression = new dependencies.ConstDependency(`new URL("${url}", ${base})`, range!, [base]);
    module.addPresentationalDependency(expression);
    return true;
  };
  parser.hooks.new.for("URL").tap(NAME, ({ arguments: [first, second, ...rest], range }) => {
    const specifier = first === undefined ? undefined : textOf(first);
    if (specifier === undefined) return undefined;
    if (second === undefined || rest.length > 0 || !isImportMetaUrl(second)) return undefined;
    const path = jobModuleNamed(specifier, fileOf(parser.state.module), isJobModule);
    return path === null ? undefined : place(range, path);
  });
  // The pool imports job modules by their URLs: webpack would look for them in the bundle.
  parser.hooks.importCall.tap(NAME, ({ source }) => {
    if (packageOf(parser.state.module) !== "@skein/pool") return undefined;
    return parser.evaluateExpression(source).isString() ? undefined : true;
  });
  parser.hooks.expression.for(`import.meta.${THREAD_ENTRY}`).tap(NAME, ({ range }) => {
    return place(range, threadEntryOf(fileOf(parser.state.module)));
  });
}

function fileOf(module: Module): string {
  return (module as { readonly resource?: string }).resource?.split("?", 1)[0] ?? "";
}

function packageOf(module: Module): string | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as webpack's resolver leaves it
  const { resourceResolveData: data } = module as {
    readonly resourceResolveData?: { readonly descriptionFileData?: { readonly name?: string } };
  };
  return data?.descriptionFileData?.name;
}

/** Of a string, or of a template without expressions. */
function textOf(node: { readonly type: string }): string | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only these parts of the syntax tree are looked at
  const { type, value, quasis } = node as Text;
  if (type === "Literal") return typeof value === "string" ? value : undefined;
  return type === "TemplateLiteral" && quasis.length === 1
    ? (quasis[0]!.value.cooked ?? undefined)
    : undefined;
}

function isImportMetaUrl(node: { readonly type: string }): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only these parts of the syntax tree are looked at
  const { type, object, property, computed } = node as Member;
  return (
    type === "MemberExpression" &&
    !computed &&
    object.type === "MetaProperty" &&
    object.meta?.name === "import" &&
    property.name === "url"
  );
}

interface Text {
  readonly type: string;
  readonly value?: unknown;
  readonly quasis: readonly { readonly value: { readonly cooked?: string | null } }[];
}

interface Member {
  readonly type: string;
  readonly computed: boolean;
  readonly object: { readonly type: string; readonly meta?: { readonly name: string } };
  readonly property: { readonly name?: string };
}
