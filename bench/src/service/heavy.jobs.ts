/** The heavy job on our pool: nobody hands it the correlation id, it reads the request's own. */
import { correlationId } from "@skein/context/http";
import { stretch } from "./stretch.ts";

export interface HeavyAnswer {
  readonly digest: number;
  /** The id that was visible where the work was done. */
  readonly id: string | undefined;
}

export function heavy(seed: number, steps: number): HeavyAnswer {
  return { digest: stretch(seed, steps), id: correlationId.value };
}

/** The same with the id passed by hand. */
export function heavyFor(seed: number, steps: number, id: string): HeavyAnswer {
  return { digest: stretch(seed, steps), id };
}
