/** A viewer in a process of its own, for cost.ts: reads what it is told, and makes nothing of it. Gets a URL, or null: nobody looks. */
import { type ClientRequest, get } from "node:http";

let watching: ClientRequest[] = [];

process.on("message", (message: { readonly url: string | null; readonly viewers: number }) => {
  for (const request of watching) request.destroy();
  watching = [];
  if (message.url === null) process.send!("gone");
  else void open(new URL("/feed", message.url), message.viewers);
});

async function open(feed: URL, viewers: number): Promise<void> {
  await Promise.all(
    Array.from(
      { length: viewers },
      () =>
        new Promise<void>((resolve) => {
          const request = get(feed, (response) => {
            response.once("data", () => resolve()).on("error", () => {});
          });
          request.on("error", () => {});
          watching.push(request);
        }),
    ),
  );
  process.send!("open");
}
