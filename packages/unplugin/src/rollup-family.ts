/** Rollup, Rolldown and Vite: files become chunks, which share code with the rest, and the bundler puts their URLs in. */
import { MagicString } from "magic-string";
import { findUrls, mayHaveUrls } from "./find-urls.ts";
import { jobModuleTest, type SkeinPluginOptions } from "./options.ts";
import { nameOf } from "./own-files.ts";

interface Emitter {
  emitFile(chunk: {
    readonly type: "chunk";
    readonly id: string;
    readonly name: string;
    readonly preserveSignature: "strict";
  }): string;
}

export interface FamilyPlugin {
  readonly name: "skein";
  readonly transform: {
    /** Before what compiles or rewrites: paths are as they were written. */
    readonly order: "pre";
    readonly filter: { readonly code: RegExp };
    readonly handler: (
      this: Emitter,
      code: string,
      id: string,
    ) => { code: string; map: ReturnType<MagicString["generateMap"]> } | null;
  };
}

/** @param references Receives the reference of each file that is emitted. */
export function familyPlugin(
  options: SkeinPluginOptions | undefined,
  references?: Set<string>,
): FamilyPlugin {
  const isJobModule = jobModuleTest(options);
  return {
    name: "skein",
    transform: {
      order: "pre",
      filter: { code: mayHaveUrls },
      handler(code, id) {
        const [file] = id.split("?", 1);
        if (id.startsWith("\0") || file === undefined) return null;
        const found = findUrls(code, file, isJobModule);
        if (found.length === 0) return null;
        const text = new MagicString(code);
        for (const { start, end, path } of found) {
          // Its exports are the jobs: none may be dropped or renamed.
          const reference = this.emitFile({
            type: "chunk",
            id: path,
            name: nameOf(path),
            preserveSignature: "strict",
          });
          references?.add(reference);
          text.update(start, end, `new URL(import.meta.ROLLUP_FILE_URL_${reference})`);
        }
        return { code: text.toString(), map: text.generateMap({ hires: "boundary" }) };
      },
    },
  };
}
