/** What code must see of each kind of value, and why where that is not the value of whoever began it. */
import type { Kind } from "./ambient.ts";

/** mine: the value of whoever began it; nothing: none; safe: either, never anybody else's. */
export type Right = "mine" | "nothing" | "safe";

/** By design: a letter in the picture, and a line below it. */
export const reasons = {
  a: "an AsyncLocal goes to other threads only with `flow`",
  b: "an AsyncLocalStorage goes to other threads only once flow() names it",
  c: "a SynchronizationContext belongs to one thread; there a Task returns to it, while Node's own callbacks do not",
  d: "`flowContext: false`: the caller wants none of it there",
  e: "on nobody's behalf: a thread starts, loads a module, or gets a message",
  f: 'not beyond the process: `flow: "thread"`, and flow() without `reach: "wire"`',
  g: "a request carries ids and a trace in its headers, and none of these values",
  h: "one call for items of many callers: contextOf(items, i) has the context of each",
  i: "log lines show no stores of others: they may hold secrets",
} as const;
export type Reason = keyof typeof reasons;

export type Cell = "mine" | `${Exclude<Right, "mine">} ${Reason}`;
export type Rights = Readonly<Record<Kind, Cell>>;

export function rightOf(cell: Cell): Right {
  return cell.split(" ")[0] as Right;
}

export function reasonOf(cell: Cell): Reason | null {
  return (cell.split(" ")[1] ?? null) as Reason | null;
}

export const onCaller: Rights = {
  local: "mine",
  thread: "mine",
  wire: "mine",
  foreign: "mine",
  flowing: "mine",
  span: "mine",
  sync: "safe c",
};
export const inJob: Rights = { ...onCaller, local: "nothing a", foreign: "nothing b", sync: "nothing c" };
export const onOtherMachine: Rights = { ...inJob, thread: "nothing f", flowing: "nothing f" };

export function all(cell: Cell): Rights {
  return {
    local: cell,
    thread: cell,
    wire: cell,
    foreign: cell,
    flowing: cell,
    span: cell,
    sync: cell,
  };
}
