import { ThreadWorker } from "poolifier";
import * as work from "./work.mjs";

// It has no way to transfer a result: `echoMoved` comes back copied.
export default new ThreadWorker({ ...work });
