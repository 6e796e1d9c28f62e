import type { ServerOptions } from "../../src/serve/census-server.ts";

/** Of a server for one test file; `root` and `data` are the file's own. */
export const LOCAL: Omit<ServerOptions, "root" | "data"> = {
  port: 0,
  host: "127.0.0.1",
  threads: 1,
  policy: "each",
  chaos: false,
};
