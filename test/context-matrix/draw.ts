/** `node test/context-matrix/draw.ts` draws the matrix for docs/guide/context.md; its test says when that is due. */
import { writeFileSync } from "node:fs";
import { picture } from "./picture.ts";

writeFileSync(new URL("../../docs/context-matrix.svg", import.meta.url), picture());
process.exit(0);
