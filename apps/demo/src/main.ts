#!/usr/bin/env node
/** The command `census`. */
import { runCensus } from "./run-census.ts";

process.exitCode = await runCensus(process.argv.slice(2));
