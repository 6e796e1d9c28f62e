/** What the doctor says about one thing: "bad" will fail, "warn" may cost or fail. */
export interface Finding {
  readonly level: "ok" | "warn" | "bad";
  /** A sentence; where it is not "ok", it says what to do. */
  readonly text: string;
}

export function ok(text: string): Finding {
  return { level: "ok", text };
}

export function warn(text: string): Finding {
  return { level: "warn", text };
}

export function bad(text: string): Finding {
  return { level: "bad", text };
}
