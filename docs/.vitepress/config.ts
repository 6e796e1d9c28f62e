/** The site over the Markdown of this folder: `pnpm docs:build`. The API reference is made before, from the docstrings: see typedoc.json. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type DefaultTheme } from "vitepress";
import llmstxt from "vitepress-plugin-llms";

/** Everything but the API reference, which is made from the docstrings. */
const pages: DefaultTheme.SidebarItem[] = [
  {
    text: "Guides",
    items: [
      { text: "Offload your first job", link: "/guide/first-job" },
      { text: "At a glance", link: "/guide/at-a-glance" },
      { text: "Context everywhere", link: "/guide/context" },
      { text: "Continuation policies", link: "/guide/continuations" },
      { text: "Cancellation and time limits", link: "/guide/cancellation" },
      { text: "Large payloads and shared memory", link: "/guide/payloads" },
      { text: "Results piece by piece", link: "/guide/streams" },
      { text: "Observability", link: "/guide/observability" },
      { text: "Fork and join", link: "/guide/fork-join" },
      { text: "Batching", link: "/guide/batching" },
      { text: "Many machines", link: "/guide/many-machines" },
      { text: "Testing", link: "/guide/testing" },
      { text: "Shipping", link: "/guide/shipping" },
      { text: "When not to use it, and pitfalls", link: "/guide/pitfalls" },
    ],
  },
  {
    text: "Coming from",
    items: [
      { text: "Piscina", link: "/from/piscina" },
      { text: "Tinypool", link: "/from/tinypool" },
      { text: "workerpool", link: "/from/workerpool" },
      { text: "poolifier", link: "/from/poolifier" },
      { text: "threads.js", link: "/from/threads" },
      { text: "Comlink", link: "/from/comlink" },
      { text: ".NET", link: "/guide/from-dotnet" },
    ],
  },
  {
    text: "Reference",
    items: [
      { text: "Error codes", link: "/errors" },
      { text: "What runs where", link: "/support" },
      { text: "Measured", link: "/measured" },
    ],
  },
];

export default defineConfig({
  title: "Skein",
  description: "A task runtime for Node.js on worker threads, with the ambient context carried along.",
  outDir: "dist",
  cacheDir: "node_modules/.vitepress",
  // Anchors as on GitHub, so that one link serves both.
  markdown: { anchor: { slugify: githubSlug } },
  // llms.txt, and each page as Markdown beside it.
  vite: { plugins: [llmstxt({ ignoreFiles: ["api/**"], sidebar: pages })] },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: [...pages, { text: "API", collapsed: true, items: apiSidebar() }],
  },
});

function githubSlug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .trim()
    .replaceAll(/\s/g, "-");
}

function apiSidebar(): DefaultTheme.SidebarItem[] {
  const file = fileURLToPath(new URL("../api/typedoc-sidebar.json", import.meta.url));
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as DefaultTheme.SidebarItem[]) : [];
}
