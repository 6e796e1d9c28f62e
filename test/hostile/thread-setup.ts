/** The `initialize` module of a pool whose threads are surrounded. */
import { putUp } from "./setups.ts";

const name = process.env["SKEIN_SURROUNDING_ON_THREAD"];
if (name !== undefined) await putUp(name);
