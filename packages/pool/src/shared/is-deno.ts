/** Deno runs us as Node.js does, but for what is named where this is asked. */
import process from "node:process";

export const isDeno: boolean = "deno" in process.versions;
