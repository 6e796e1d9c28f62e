/**
 * How an InlineEngine begins its jobs: each by an item of the scheduler, which takes the job whose turn it is when it runs. So a job of high
 * priority that comes later can still be the first.
 *
 * | a job          | begins                                                                                     |
 * |----------------|--------------------------------------------------------------------------------------------|
 * | of the program | in its turn, when fewer than `jobsPerThread` of the program's are under way                |
 * | of a job       | by an item of its own, whatever else is under way: the job that submitted it may wait for it |
 */
import { AsyncScope } from "@skein/context";
import { ItemQueue, schedule, type TaskScheduler } from "@skein/scheduling/internal";
import type { CarriedJob } from "../adapter/engine-job.ts";
import type { JobCarrier, JobEnds } from "../adapter/job-carrier.ts";
import type { JobRequest, SentReply } from "../adapter/job-request.ts";
import { startJob } from "../adapter/run-job.ts";
import { rejectionOf } from "../submit/pending-job.ts";
import { PRIORITIES } from "../shared/layout.ts";

interface QueuedJob {
  readonly job: CarriedJob;
  readonly ends: JobEnds;
}

export class InlineQueue implements JobCarrier {
  readonly isElsewhere = false;
  readonly #scheduler: TaskScheduler;
  readonly #jobsPerThread: number;
  readonly #queues: readonly ItemQueue<QueuedJob>[] = PRIORITIES.map(() => new ItemQueue());
  #queued = 0;
  /** Of the program. */
  #underWay = 0;
  /** Items of the scheduler that will take a job of the program each. */
  #items = 0;

  constructor(scheduler: TaskScheduler, jobsPerThread: number) {
    this.#scheduler = scheduler;
    this.#jobsPerThread = jobsPerThread;
  }

  carry(job: CarriedJob, ends: JobEnds): void {
    const queued = { job, ends };
    if (job.isNested) {
      this.#schedule(
        () => this.#run(queued, () => {}),
        (error) => ends.failed(error),
      );
      return;
    }
    this.#queues[job.options.priority]!.add(queued);
    this.#queued++;
    this.#ask();
  }

  /** Asks the scheduler for as many items as can begin a job. */
  #ask(): void {
    while (this.#items < Math.min(this.#queued, this.#jobsPerThread - this.#underWay)) {
      this.#items++;
      this.#schedule(
        () => {
          this.#items--;
          this.#begin();
        },
        (error) => {
          this.#items--;
          this.#next()?.ends.failed(error);
        },
      );
    }
  }

  #begin(): void {
    const next = this.#next();
    if (next === null) return;
    this.#underWay++;
    this.#run(next, () => {
      this.#underWay--;
      this.#ask();
    });
  }

  /** The one whose turn it is. Null: those that were here were given up. */
  #next(): QueuedJob | null {
    for (const queue of this.#queues) {
      while (queue.size > 0) {
        const next = queue.take();
        this.#queued--;
        if (!next.job.isDecided) return next;
      }
    }
    return null;
  }

  #run({ job, ends }: QueuedJob, ended: () => void): void {
    let isUnderWay = true;
    const over = (): void => {
      if (isUnderWay) ended();
      isUnderWay = false;
    };
    const end = ({ reply }: SentReply): void => {
      over();
      ends.arrived(reply);
    };
    // A stream that is open keeps no other job waiting: whoever reads it may wait for that.
    const { request } = job;
    const streams: JobRequest["streams"] = (calls) => {
      over();
      request.streams!(calls);
    };
    startJob({ ...request, streams }, end, (call) => {
      this.#schedule(call, (error) => {
        over();
        ends.failed(error);
      });
    });
  }

  #schedule(invoke: () => void, fail: (error: Error) => void): void {
    AsyncScope.root.run(() =>
      schedule(this.#scheduler, { invoke, fail: (error) => fail(rejectionOf(error) as Error) }, false),
    );
  }
}
