/** What a browser gets of the page, by the path of its URL. */

export interface PageFile {
  readonly type: string;
  readonly text: string;
}

export const PAGE_POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const text =
    "<!doctype html>\n<title>Census</title>\n<p>Its JSON is below <a href=/api/scans>/api/scans</a>.\n";
  return new Map([["/", { type: "text/html; charset=utf-8", text }]]);
}
