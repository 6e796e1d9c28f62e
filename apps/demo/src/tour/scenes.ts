/** The scenes, in their order. */
import type { Scene } from "./scene.ts";
import { cancellation } from "./scenes/cancellation.ts";
import { correlation } from "./scenes/correlation.ts";
import { generatorMethods } from "./scenes/generator-methods.ts";
import { messageLoop } from "./scenes/message-loop.ts";
import { policies } from "./scenes/policies.ts";
import { pooledPublisher } from "./scenes/pooled-publisher.ts";
import { priorities } from "./scenes/priorities.ts";
import { sameJob } from "./scenes/same-job.ts";
import { sorting } from "./scenes/sorting.ts";
import { stream } from "./scenes/stream.ts";
import { threadKilled } from "./scenes/thread-killed.ts";
import { threadObject } from "./scenes/thread-object.ts";
import { workerKilled } from "./scenes/worker-killed.ts";

export const SCENES: readonly Scene[] = [
  policies,
  correlation,
  sorting,
  cancellation,
  stream,
  threadKilled,
  priorities,
  sameJob,
  generatorMethods,
  messageLoop,
  pooledPublisher,
  workerKilled,
  threadObject,
];
