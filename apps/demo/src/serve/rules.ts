/** Of all requests: who may ask, what answers have in common, and how a refusal looks. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { correlationId } from "@skein/context/http";
import { checkAccess } from "./access.ts";
import { CensusError } from "./census-error.ts";
import { PAGE_POLICY } from "./page-files.ts";
import type { Uploads } from "./uploads.ts";

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": PAGE_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** @param host where the server listens, as its owner has named it */
export function addRules(app: FastifyInstance, host: string, uploads: Uploads): void {
  // What a form of another page can send.
  app.removeContentTypeParser("text/plain");
  app.addHook("onRequest", (request, reply, done) => {
    for (const [name, value] of Object.entries(HEADERS)) reply.raw.setHeader(name, value);
    checkAccess(request, host);
    done();
  });
  app.setNotFoundHandler((request, reply) => {
    refuse(request, reply, new CensusError("ERR_CENSUS_NOT_FOUND", "There is nothing here."));
  });
  app.setErrorHandler((error: FastifyError | CensusError, request, reply) => {
    refuse(request, reply, error instanceof CensusError ? error : wordsFor(error));
  });
  // Who asks first whether the body is welcome is told before it is sent.
  app.server.on("checkContinue", (request, response) => {
    try {
      uploads.checkLength(request.headers["content-length"]);
      response.writeContinue();
    } catch {
      // The route says why.
    }
    app.server.emit("request", request, response);
  });
}

function refuse(request: FastifyRequest, reply: FastifyReply, { code, message, status }: CensusError): void {
  const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers;
  // What has not come of the body by now is not read: the connection ends with the answer.
  if (!request.raw.complete && (length !== "0" || encoding !== undefined))
    reply.header("connection", "close");
  reply.code(status).send({ error: { code, message } });
}

function wordsFor(error: FastifyError): CensusError {
  const { statusCode = 500, message } = error;
  if (statusCode === 413)
    return new CensusError("ERR_CENSUS_TOO_LARGE", "The request has more text than any of them needs.");
  // Fastify's own sentences, about bodies that are no JSON for one.
  if (statusCode < 500) return new CensusError("ERR_CENSUS_REQUEST", `${message}.`.replace(/\.\.$/, "."));
  const id = correlationId.value;
  process.stderr.write(`census: request ${id}: ${error.stack ?? message}\n`);
  return new CensusError(
    "ERR_CENSUS_INTERNAL",
    `Something went wrong in the server. Its output says more, at ${id}.`,
  );
}
