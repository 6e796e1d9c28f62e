import { Float64Array } from "../shared/intrinsics.ts";
import { elapsedUs } from "../shared/clock.ts";
import { BUCKETS, bucketOf, TimeHistogram } from "../shared/time-histogram.ts";
import { JobHistogram, type JobHistograms } from "../host/job-histogram.ts";
import type { Journey } from "./journey.ts";
import type { RunTimes } from "./pool-process.ts";

/** How long jobs waited and ran: each is counted when its reply is here. */
export class JobTimes {
  readonly #wait = new Counts();
  readonly #run = new Counts();
  readonly histograms: JobHistograms = {
    waitMs: new JobHistogram(() => this.#wait.histogram),
    runMs: new JobHistogram(() => this.#run.histogram),
  };

  add({ submittedUs }: Journey, { beganUs, ranUs }: RunTimes): void {
    this.#wait.add(elapsedUs(submittedUs, beganUs));
    this.#run.add(ranUs);
  }

  get wait(): TimeHistogram {
    return this.#wait.histogram;
  }

  get run(): TimeHistogram {
    return this.#run.histogram;
  }
}

class Counts {
  readonly #counts = new Float64Array(BUCKETS);
  #maxUs = 0;

  add(us: number): void {
    this.#counts[bucketOf(us)]!++;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  /** As they are now. */
  get histogram(): TimeHistogram {
    return new TimeHistogram(this.#counts.slice(), this.#maxUs);
  }
}
