/** Imported by each pool thread before its first job: the system prefers the thread with the event loop. Linux only. */
import { setPriority } from "node:os";

// Process 0 is the caller, and on Linux a caller is a thread.
if (process.platform === "linux") setPriority(10);
