/** `docs/compose.yml` against the part of the Compose specification that it uses: https://github.com/compose-spec/compose-spec */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";

interface Service {
  readonly image: string;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const FIELDS = [
  "image",
  "command",
  "volumes",
  "ports",
  "depends_on",
  "environment",
  "working_dir",
  "deploy",
  "stop_grace_period",
];

const file = parse(readFileSync(join(import.meta.dirname, "../../docs/compose.yml"), "utf8")) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};

it("each field is one of the specification's, and what a service names is there", () => {
  expect(Object.keys(file)).toEqual(["services", "volumes"]);
  for (const service of Object.values(file.services)) {
    expect(FIELDS).toEqual(expect.arrayContaining(Object.keys(service)));
    expect(service.image).toMatch(/^[a-z0-9/-]+(?::[\w.-]+)?$/);
    for (const name of service.depends_on ?? []) expect(file.services).toHaveProperty(name);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    for (const volume of service.volumes ?? []) expect(volume).toMatch(/^(?:\.|[a-z]+):\/[a-z]+(?::ro)?$/);
    const named = (service.volumes ?? [])
      .map((volume) => volume.split(":")[0]!)
      .filter((name) => name !== ".");
    for (const name of named) expect(file.volumes).toHaveProperty(name);
    for (const value of Object.values(service.environment ?? {})) expect(value).toBeTypeOf("string");
  }
});

it("workers are two, find the server under its service's name, and get SIGTERM themselves", () => {
  expect(file.services["worker"]).toMatchObject({
    environment: { SKEIN_CLUSTER_URL: "redis://redis:6379" },
    command: ["sh", "-c", expect.stringMatching(/^exec node .*\/skein worker /)],
    deploy: { replicas: 2 },
  });
});
