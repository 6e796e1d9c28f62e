import { expect, it } from "vitest";
import { MemoryRequests } from "../../src/worker/memory-requests.ts";

it("MemoryRequests asks once, and again only for more", () => {
  const asked: number[] = [];
  const requests = new MemoryRequests(
    (bytes) => asked.push(bytes),
    () => {},
    () => {},
  );
  expect(requests.request(0)).toBe(null);
  requests.request(0);
  requests.request(100);
  requests.request(100);
  requests.request(0);
  expect(asked).toEqual([0, 100]);
  requests.granted();
  requests.request(0);
  expect(asked).toEqual([0, 100, 0]);
});
