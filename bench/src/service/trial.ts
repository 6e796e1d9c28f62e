/** A variant of the server in its process, the load in another, and what one round of load gives. */
import { AskedProcess } from "./asked-process.ts";
import type {
  ConstantRatePlan,
  Faults,
  LoadAnswers,
  LoadQuestion,
  SaturationPlan,
  ServerAnswers,
  ServerMeasured,
  ServerQuestion,
} from "./protocol.ts";
import { quantile } from "../method/statistics.ts";
import type { Variant } from "./variants.ts";
import type { Workload } from "./workload.ts";

/** Replies are checked one by one: a round in which one is wrong throws. */
export class Trial {
  readonly #server: AskedProcess<ServerQuestion, ServerAnswers>;
  readonly #load: AskedProcess<LoadQuestion, LoadAnswers>;
  readonly #port: number;

  private constructor(
    server: AskedProcess<ServerQuestion, ServerAnswers>,
    load: AskedProcess<LoadQuestion, LoadAnswers>,
    port: number,
  ) {
    this.#server = server;
    this.#load = load;
    this.#port = port;
  }

  static async start(variant: Variant, workload: Workload): Promise<Trial> {
    const [server, load] = await Promise.all([
      AskedProcess.start<ServerQuestion, ServerAnswers>(new URL("server.ts", import.meta.url), [
        JSON.stringify(variant.place),
        String(workload.steps),
      ]),
      AskedProcess.start<LoadQuestion, LoadAnswers>(new URL("load.ts", import.meta.url), [
        JSON.stringify(workload.digests),
      ]),
    ]);
    return new Trial(server.process, load.process, Number(server.first));
  }

  async constantRate(plan: Omit<ConstantRatePlan, "port">): Promise<Record<string, number>> {
    const { outcome, measured } = await this.#during(() =>
      this.#load.ask({ ask: "constantRate", plan: { ...plan, port: this.#port } }),
    );
    const replies = outcome.lightMs.length + outcome.heavyMs.length;
    return {
      lightP50Ms: quantile(outcome.lightMs, 0.5),
      lightP99Ms: quantile(outcome.lightMs, 0.99),
      heavyP50Ms: quantile(outcome.heavyMs, 0.5),
      heavyP99Ms: quantile(outcome.heavyMs, 0.99),
      delayP50Ms: measured.delayP50Ms,
      delayP99Ms: measured.delayP99Ms,
      cpuPerRequestMs: measured.cpuMs / replies,
      latenessP99Ms: quantile(outcome.latenessMs, 0.99),
      checkedReplies: replies,
      mismatches: outcome.mismatches,
    };
  }

  async saturation(plan: Omit<SaturationPlan, "port">): Promise<Record<string, number>> {
    const { outcome, measured } = await this.#during(() =>
      this.#load.ask({ ask: "saturation", plan: { ...plan, port: this.#port } }),
    );
    return {
      requestsPerSecond: (outcome.replies * 1000) / outcome.elapsedMs,
      delayP50Ms: measured.delayP50Ms,
      delayP99Ms: measured.delayP99Ms,
      checkedReplies: outcome.replies,
      mismatches: outcome.mismatches,
    };
  }

  /** Ends both processes. @throws Error if one does not end by itself. */
  async close(): Promise<void> {
    await Promise.all([this.#load.stop(), this.#server.stop()]);
  }

  async #during<O extends Faults>(load: () => Promise<O>): Promise<{ outcome: O; measured: ServerMeasured }> {
    await this.#server.ask({ ask: "begin" });
    const outcome = await load();
    const measured = await this.#server.ask({ ask: "measured" });
    const { mismatches, errors, firstError } = outcome;
    if (mismatches + errors > 0) {
      throw new Error(
        `${mismatches} replies with another request's id, ${errors} errors: ${firstError ?? "none"}`,
      );
    }
    return { outcome, measured };
  }
}
