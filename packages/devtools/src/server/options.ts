import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { argumentRangeError, argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";

/** Of `serveDevtools`. */
export interface DevtoolsOptions {
  /** 0 to 65535; 0: any that is free. @default 9339 */
  readonly port?: number | undefined;
  /** Where to listen: an address, or a name of this machine. @default "127.0.0.1", which only this machine can reach */
  readonly host?: string | undefined;
  /**
   * Whoever asks must name it; it is part of `url`. 16 characters and more of `A-Za-z0-9._~-`.
   * @default none on a loopback address, otherwise a generated one
   */
  readonly token?: string | undefined;
  /** Whether viewers may also change the number of threads, and cancel jobs, those of jobs too. @default false */
  readonly controls?: boolean | undefined;
  /**
   * The names of values of the context that may be shown, besides `correlationId`: of AsyncLocals that flow to threads, or as given to `flow`. At
   * most 200 characters of each. @default none
   */
  readonly locals?: readonly string[] | undefined;
  /**
   * The origins of pages that may show this one in a frame: `http:` or `https:`, then a name or an IPv4 address, and a port if it is another than the
   * scheme's. With `controls`, whoever looks at such a page can be led to press them. @default none
   * @see https://www.w3.org/TR/CSP3/#directive-frame-ancestors
   */
  readonly frameAncestors?: readonly string[] | undefined;
}

export interface ResolvedOptions {
  readonly port: number;
  readonly host: string;
  readonly token: string | null;
  readonly controls: boolean;
  readonly locals: readonly string[];
  readonly frameAncestors: readonly string[];
}

const names: OptionNames<DevtoolsOptions> = {
  port: true,
  host: true,
  token: true,
  controls: true,
  locals: true,
  frameAncestors: true,
};

/** Where `skein top` connects by default. */
export const DEFAULT_PORT = 9339;
const TOKEN = /^[\w.~-]{16,}$/;
/** Of those that a policy can name: no IPv6 address, and nothing that would be another source or directive in it. */
const ORIGIN = /^https?:\/\/[a-z\d.-]+(?::\d+)?$/i;

/** @throws TypeError or RangeError naming the option. */
export function resolveOptions(options: DevtoolsOptions | undefined): ResolvedOptions {
  const own = ownOptions(options, names);
  const { port = DEFAULT_PORT, host = "127.0.0.1", token, controls = false } = own;
  const { locals = [], frameAncestors = [] } = own;
  const expected = "an integer from 0 to 65535";
  if (typeof port !== "number") throw argumentTypeError("options.port", expected, port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw argumentRangeError("options.port", expected, port);
  if (typeof host !== "string" || host === "") throw argumentTypeError("options.host", "an address", host);
  if (token !== undefined && (typeof token !== "string" || !TOKEN.test(token)))
    throw argumentTypeError("options.token", "16 characters or more of A-Za-z0-9._~-", token);
  if (typeof controls !== "boolean") throw argumentTypeError("options.controls", "a boolean", controls);
  if (!Array.isArray(locals) || !locals.every((name) => typeof name === "string"))
    throw argumentTypeError("options.locals", "an array of names", locals);
  if (!Array.isArray(frameAncestors))
    throw argumentTypeError("options.frameAncestors", "an array of origins", frameAncestors);
  const ancestors = frameAncestors.map((origin, i) => originOf(origin, `options.frameAncestors[${i}]`));
  return {
    port,
    host,
    token: token ?? tokenFor(host),
    controls,
    locals: [...locals],
    frameAncestors: ancestors,
  };
}

/** As a browser writes it. */
function originOf(given: unknown, name: string): string {
  if (typeof given === "string" && ORIGIN.test(given) && URL.canParse(given)) return new URL(given).origin;
  throw argumentTypeError(name, "an origin such as http://127.0.0.1:8080, without a path or `*`", given);
}

function tokenFor(host: string): string | null {
  return isLoopback(host) ? null : randomBytes(16).toString("hex");
}

function isLoopback(host: string): boolean {
  return (
    host.toLowerCase() === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."))
  );
}
