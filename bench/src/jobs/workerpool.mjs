import workerpool from "workerpool";
import * as work from "./work.mjs";

workerpool.worker({
  ...work,
  echoMoved: (buffer) => new workerpool.Transfer(buffer, [buffer]),
});
