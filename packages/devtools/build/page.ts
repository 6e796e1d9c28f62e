/** The page as one script and one style sheet, in one module, dist/page.js: the server puts both into the document that it sends. */
import { readFileSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";

const bundle = await rolldown({ input: "src/page/main.ts", platform: "browser" });
const { output } = await bundle.generate({ format: "iife", minify: true });
await bundle.close();
const script = JSON.stringify(output[0].code);
const style = JSON.stringify(readFileSync("build/page.css", "utf8").replaceAll(/\n\s*/g, "\n"));
writeFileSync("dist/page.js", `export const script = ${script};\nexport const style = ${style};\n`);
