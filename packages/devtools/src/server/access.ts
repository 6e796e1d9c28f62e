/**
 * Who may ask. Everybody on this machine can reach a loopback address, and so can each page that a browser here shows: such requests name
 * another host (DNS rebinding: a name of the attacker's that points here) or come from another origin. Neither is answered.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

export interface Refusal {
  readonly status: 401 | 403;
  readonly reason: string;
}

export interface Access {
  /** Where the server listens, as the user has named it. */
  readonly host: string;
  /** Null: none is needed. */
  readonly token: string | null;
}

/** Null: it may. */
export function refusalOf(
  { headers, method }: IncomingMessage,
  url: URL,
  { host, token }: Access,
): Refusal | null {
  // A client may write a name as it likes; most write it in lower case.
  const named = headers.host?.toLowerCase();
  if (named === undefined || !isOurs(named, host))
    return refused(
      `The name ${JSON.stringify(named ?? "")} is not that of this server. Open it by its address, or by localhost.`,
    );
  const { origin } = headers;
  if (origin !== undefined && hostOf(origin) !== named)
    return refused(`Another origin may not ask: ${origin}`);
  const site = headers["sec-fetch-site"];
  // A link leads to the page; whatever else is opened by one costs something, or is downloaded.
  const isLink = method === "GET" && url.pathname === "/" && headers["sec-fetch-mode"] === "navigate";
  if ((site === "cross-site" || site === "same-site") && !isLink) return refused("Another site may not ask.");
  if (token === null || hasToken(headers.authorization, url, token)) return null;
  return { status: 401, reason: "This server needs the token that is in the address it was started with." };
}

/** An address cannot be pointed elsewhere; a name can, unless it is ours. */
function isOurs(named: string, host: string): boolean {
  const name = /^(?:\[(.+)\]|([^:]+))(?::\d+)?$/.exec(named);
  const plain = name?.[1] ?? name?.[2];
  return plain !== undefined && (plain === "localhost" || isIP(plain) !== 0 || plain === host.toLowerCase());
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

function hasToken(authorization: string | undefined, url: URL, token: string): boolean {
  const given = authorization?.replace(/^Bearer /, "") ?? url.searchParams.get("token") ?? "";
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function refused(reason: string): Refusal {
  return { status: 403, reason };
}
