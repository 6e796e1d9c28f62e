import {
  listenUnlisten,
  registerUnregister,
  unsafeRegisterUnregister,
} from "../../../../packages/scheduling/bench/ways/cancelling.ts";
import { type Round, costsOf } from "../cost.ts";

export function rounds(divisor: number): Record<"register" | "unsafeRegister" | "AbortSignal", Round> {
  return costsOf(
    {
      register: registerUnregister,
      unsafeRegister: unsafeRegisterUnregister,
      AbortSignal: listenUnlisten,
    },
    100_000 / divisor,
  );
}
