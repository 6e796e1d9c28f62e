/**
 * Who may ask. Each page that a browser here shows can reach this server: such a request names another host (DNS rebinding), or comes from
 * another origin. Neither is answered.
 */
import { isIP } from "node:net";
import type { FastifyRequest } from "fastify";
import { CensusError } from "./census-error.ts";

/** @param host where the server listens, as its owner has named it. @throws CensusError */
export function checkAccess({ headers, method, url }: FastifyRequest, host: string): void {
  // Names may be written in capitals, here and there.
  const named = (headers.host ?? "").toLowerCase();
  // An address cannot be pointed elsewhere; a name can, unless it is ours.
  const name = URL.canParse(`http://${named}`) ? new URL(`http://${named}`).hostname : "";
  if (name !== "localhost" && name !== host.toLowerCase() && isIP(name.replace(/^\[(.*)\]$/, "$1")) === 0)
    throw refused("This server has another name. Open it by its address, or by localhost.");
  const { origin } = headers;
  if (origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === named))
    throw refused("A page of another origin may not ask.");
  const site = headers["sec-fetch-site"];
  const isLink = method === "GET" && url === "/" && headers["sec-fetch-mode"] === "navigate";
  if ((site === "cross-site" || site === "same-site") && !isLink)
    throw refused("A page of another site may not ask.");
}

function refused(message: string): CensusError {
  return new CensusError("ERR_CENSUS_FORBIDDEN", message);
}
