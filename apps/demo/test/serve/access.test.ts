/** Names of hosts, without a server: whatever case its owner and its visitors write them in. */
import type { FastifyRequest } from "fastify";
import { expect, it } from "vitest";
import { checkAccess } from "../../src/serve/access.ts";

const HOST = "Anns-Laptop.local";

function asked(host: string, origin?: string): () => void {
  const headers = origin === undefined ? { host } : { host, origin };
  return () => checkAccess({ headers, method: "GET", url: "/api/scans" } as unknown as FastifyRequest, HOST);
}

it("answers to its name in small letters and in capitals", () => {
  expect(asked("anns-laptop.local:8080")).not.toThrow();
  expect(asked("ANNS-LAPTOP.LOCAL:8080", "http://anns-laptop.local:8080")).not.toThrow();
  expect(asked("berts-laptop.local:8080")).toThrow("This server has another name");
  expect(asked("anns-laptop.local:8080", "http://berts-laptop.local:8080")).toThrow("another origin");
});
