/** Both in one process: most of what a file of tests costs is its start. */
import "./refusals.ts";
import "./scans.ts";
