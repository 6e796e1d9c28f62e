/** The site over the Markdown of this folder: `pnpm docs:build`. */
import { defineConfig } from "vitepress";

export default defineConfig({
  title: "Skein",
  description: "A task runtime for Node.js on worker threads, with the ambient context carried along.",
  outDir: "dist",
  cacheDir: "node_modules/.vitepress",
  // Anchors as on GitHub, so that one link serves both.
  markdown: { anchor: { slugify: githubSlug } },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: [
      {
        text: "Guides",
        items: [
          { text: "Offload your first job", link: "/guide/first-job" },
          { text: "Cancellation and time limits", link: "/guide/cancellation" },
          { text: "Context everywhere", link: "/guide/context" },
          { text: "Continuation policies", link: "/guide/continuations" },
          { text: "Large payloads and shared memory", link: "/guide/payloads" },
          { text: "Observability", link: "/guide/observability" },
          { text: "Testing", link: "/guide/testing" },
          { text: "When not to use it, and pitfalls", link: "/guide/pitfalls" },
        ],
      },
      {
        text: "Coming from",
        items: [
          { text: "Piscina", link: "/from/piscina" },
          { text: "Tinypool", link: "/from/tinypool" },
          { text: "workerpool", link: "/from/workerpool" },
          { text: "Comlink", link: "/from/comlink" },
          { text: ".NET", link: "/guide/from-dotnet" },
        ],
      },
      { text: "Reference", items: [{ text: "Error codes", link: "/errors" }] },
    ],
  },
});

function githubSlug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .trim()
    .replaceAll(/\s/g, "-");
}
