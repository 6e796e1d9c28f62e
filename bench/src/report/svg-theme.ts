/** Colours for light and dark, and the frame of a picture. One colour per product, in all pictures. */
export const WIDTH = 860;
export const FONT = 12;

/** Light, dark. Told apart by people who do not tell red from green, and on both grounds. */
const COLOURS: readonly (readonly [string, string])[] = [
  ["#0b63c5", "#5aa7ff"],
  ["#c2410c", "#ff9a5c"],
  ["#7c3aed", "#b794f6"],
  ["#0f766e", "#4fd1c5"],
  ["#be185d", "#f687b3"],
  ["#8a6d00", "#e0b93a"],
  ["#475569", "#a8b3c4"],
];
const PRODUCTS = ["skein", "piscina", "tinypool", "workerpool", "poolifier", "comlink"];
const REFERENCE = "reference";

/** The class of a contender's marks. */
export function colourClass(product: string, kind: string): string {
  if (kind === "reference") return REFERENCE;
  const known = PRODUCTS.indexOf(product);
  return `c${known === -1 ? hash(product) % (COLOURS.length - 1) : known}`;
}

export function picture(height: number, title: string, body: readonly string[]): string {
  const rules = (dark: 0 | 1): string =>
    [
      ...COLOURS.map((pair, i) => `.c${i}{stroke:${pair[dark]};fill:${pair[dark]}}`),
      `.${REFERENCE}{stroke:${dark ? "#8b949e" : "#6b7280"};fill:${dark ? "#8b949e" : "#6b7280"}}`,
      `.ground{fill:${dark ? "#0d1117" : "#ffffff"}}`,
      `text{fill:${dark ? "#e6edf3" : "#1f2328"}}.dim{fill:${dark ? "#9198a1" : "#59636e"}}`,
      `.grid{stroke:${dark ? "#30363d" : "#d9dee3"}}.axis{stroke:${dark ? "#6e7681" : "#8c959f"}}`,
    ].join("");
  const style =
    `text{font:${FONT}px system-ui,-apple-system,"Segoe UI",sans-serif;stroke:none}.title{font-size:15px;font-weight:600}` +
    `.ours{font-weight:600}.line{fill:none;stroke-width:1.6}.line.ours{stroke-width:3}.${REFERENCE}.line{stroke-dasharray:5 4}` +
    `.whisker{stroke-width:1.2;opacity:.7}.bar{stroke:none}${rules(0)}@media(prefers-color-scheme:dark){${rules(1)}}`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">\n` +
    `<title>${escape(title)}</title>\n<style>${style}</style>\n` +
    `<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>\n` +
    `${text(16, 26, title, "title")}\n${body.join("\n")}\n</svg>\n`
  );
}

export function text(
  x: number,
  y: number,
  content: string,
  className = "",
  anchor = "start",
  extra = "",
): string {
  const classes = className === "" ? "" : ` class="${className}"`;
  return `<text x="${round(x)}" y="${round(y)}"${classes} text-anchor="${anchor}"${extra}>${escape(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${className}"/>`;
}

export function dot(x: number, y: number, radius: number, className: string): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" class="${className}"/>`;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function hash(name: string): number {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + char.codePointAt(0)!) >>> 0;
  return sum;
}
