/** Elements. Text goes into the page as text, never as markup. */

type Properties<K extends keyof HTMLElementTagNameMap> = Partial<Omit<HTMLElementTagNameMap[K], "style">>;

/** An element with these properties, ARIA's among them, and this content. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties<K> = {},
  ...content: (string | Node)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...content);
  return made;
}

export function makeButton(
  label: string,
  onclick: () => void,
  properties: Properties<"button"> = {},
): HTMLButtonElement {
  return make("button", { type: "button", onclick, ...properties }, label);
}

/** Says what went wrong, where it went wrong; heard by a screen reader as soon as it has a text. */
export function makeAlert(): HTMLParagraphElement {
  return make("p", { className: "alert", role: "alert" });
}

/** Touches the document only where something is another text. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
