/** Deno runs us as Node.js does, but for what is named where this is asked. */
export const isDeno: boolean = "deno" in process.versions;
