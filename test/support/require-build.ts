/** Before all tests: the threads of pools, and many programs, run what is built. */
import { requireBuild } from "./child.ts";

export default requireBuild;
