/** A product becomes a contender by what a round does with its pool. */
import { wakeAllCores } from "../method/all-cores.ts";
import type { Contender, Sample } from "../method/scenario.ts";
import type { JobName, JobPool, Product } from "../peers/product.ts";

export interface PoolContenderOptions {
  readonly threads: number;
  readonly job: JobName;
  readonly round: (pool: JobPool) => Promise<Sample>;
}

export function poolContender(product: Product, options: PoolContenderOptions): Contender {
  const { threads, job, round } = options;
  const { name, kind, configuration } = product;
  return {
    name,
    kind,
    product: product.product,
    configuration,
    async open() {
      const pool = await product.open(threads, job);
      return {
        round() {
          wakeAllCores();
          return round(pool);
        },
        async close() {
          await pool.close();
        },
      };
    },
  };
}
