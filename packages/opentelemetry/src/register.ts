/**
 * `@skein/opentelemetry/register`: importing it makes the active span and the baggage flow into jobs. On the main
 * thread in any order with the SDK; on the threads it is the `initialize` of the pool, or imported by that, after an SDK. A thread without an SDK
 * gets a context manager, so that what came is active there and travels on; and so does a process of a ProcessPool.
 */
import { flowActiveContext } from "./active-context.ts";
import { isOfPool, setUpThread } from "./thread-setup.ts";

if (isOfPool()) setUpThread();
flowActiveContext();
