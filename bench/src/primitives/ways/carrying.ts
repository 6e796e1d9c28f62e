/** The context as text, for another thread: once for each job of one request. */
import { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocal, ExecutionContext } from "@skein/context";
import { type Round, costsOf } from "../cost.ts";

interface Tenant {
  readonly id: number;
  readonly plan: string;
}

const tenantLocal = new AsyncLocal<Tenant>({ name: "bench.tenant", flow: "thread" });
const requestLocal = new AsyncLocal<string>({ name: "bench.request", flow: "thread" });
const storage = new AsyncLocalStorage<{ readonly request: string; readonly tenant: Tenant }>();

const request = "7f3b4a52-1d1e-4c55-9f1f-0d9a1f3f5d11";
const tenant = { id: 7, plan: "pro" };

export function rounds(divisor: number): Record<"toCarrier" | "JSON", Round> {
  return costsOf({ toCarrier: carryOne, JSON: writeOne }, 50_000 / divisor);
}

function carryOne(jobs: number): void {
  tenantLocal.run(tenant, () => requestLocal.run(request, carryMany, jobs));
}

function writeOne(jobs: number): void {
  storage.run({ request, tenant }, writeMany, jobs);
}

/** A request each. */
export function carryEach(requests: number): void {
  for (let i = 0; i < requests; i++) carryOne(1);
}

export function writeEach(requests: number): void {
  for (let i = 0; i < requests; i++) writeOne(1);
}

function carryMany(count: number): void {
  for (let i = 0; i < count; i++) expectText(ExecutionContext.capture()?.toCarrier());
}

function writeMany(count: number): void {
  for (let i = 0; i < count; i++) expectText(JSON.stringify(storage.getStore()));
}

function expectText(text: unknown): void {
  if (text === null || text === undefined) throw new Error("no context");
}
