/** A worker process of the scene. */
import { serveJobs } from "@skein/cluster";

const settings = JSON.parse(process.argv[2]!) as { connection: string; name: string; lockMs: number };
// tour: begin
const server = await serveJobs({
  modules: [new URL("./worker-killed.jobs.ts", import.meta.url)],
  ...settings,
  concurrency: 2,
  onError: () => {},
});
// tour: end
const close = async (): Promise<void> => {
  await server.close();
  if (process.connected) process.disconnect();
};
process.once("SIGTERM", () => void close());
process.once("disconnect", () => void close());
process.send?.("ready");
