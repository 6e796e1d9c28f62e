/** What the iterators of users give, read as the language reads it. */

/** Whether there is no item in it: `done` is truthy. @throws TypeError for a step that is no object. */
export function isLastStep(step: unknown): boolean {
  if ((typeof step !== "object" && typeof step !== "function") || step === null)
    throw new TypeError(
      `The iterator gave ${String(step)} in place of an object with \`done\` and \`value\``,
    );
  return Boolean((step as { readonly done?: unknown }).done);
}
