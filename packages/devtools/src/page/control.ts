/** What the server lets a viewer do, if it lets them do anything. */

/** @returns why it was not done; "": it was. */
export async function control(what: "threads" | "cancel", request: object): Promise<string> {
  const headers = { "content-type": "application/json" };
  try {
    const body = JSON.stringify(request);
    const response = await fetch(`${what}${location.search}`, { method: "POST", body, headers });
    return response.ok ? "" : (await response.text()).trim();
  } catch {
    return "the program does not answer";
  }
}
