/** The `initialize` module of a pool whose threads are surrounded. */
import { setups } from "./setups.ts";

const name = process.env["SKEIN_SURROUNDING_ON_THREAD"];
if (name !== undefined) await setups[name]!();
